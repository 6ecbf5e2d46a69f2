"""Every planted bug by its name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infrastructure.proof.bugs.generated import left_out
from infrastructure.proof.bugs.named import PLANTED
from infrastructure.proof.bugs.planting import Change, replacing

# What nothing can notice, by the bug's name, each with the reason.
EQUIVALENT: dict[str, str] = tomllib.loads(
    (Path(__file__).parent / "equivalents.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of one file."""

    name: str
    file: str
    change: Change


@cache
def bugs() -> dict[str, Bug]:
    """By name: those by hand first."""
    found = [Bug(one.name, one.file, replacing(one.old, one.new)) for one in PLANTED]
    names: dict[str, int] = {}
    for left in left_out():
        name = f"without the {left.kind} {left.what}"
        names[name] = names.get(name, 0) + 1
        # The same text twice in one function is told apart by its order.
        name += f" ({names[name]})" if names[name] > 1 else ""
        found.append(Bug(name, left.file, left.plant()))
    return {bug.name: bug for bug in found}


def find(name: str) -> Bug:
    """The bug of that name."""
    return bugs()[name]
