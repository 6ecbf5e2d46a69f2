"""The reviewed table of what each use case asks and writes: `tests/fixtures/steps`.

Every commit that a test of `tests/application` or `tests/handlers` makes has to stand there, with
what the use case asked for before it. An item, a condition, an audit entry, a mail or a look-up
that goes missing shows as a step that nobody has reviewed. What is meant to change is written anew
with `make steps`, and reviewed in the diff; ADD_STEPS=1 adds those of the tests that are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures" / "steps"
HEADING = "== "
BETWEEN = "\n--\n"


@cache
def reviewed() -> Mapping[str, frozenset[str]]:
    """The steps of each use case that have been reviewed."""
    found: dict[str, frozenset[str]] = {}
    for path in FOLDER.glob("*.txt"):
        for block in path.read_text(encoding="utf-8").split(HEADING)[1:]:
            name, _, steps = block.partition("\n")
            found[name] = frozenset(step.strip("\n") for step in steps.strip("\n").split(BETWEEN))
    return found


def unreviewed(steps: Mapping[str, Iterable[str]]) -> str | None:
    """The first step that the table does not hold, with those that it does."""
    for name, made in steps.items():
        known = reviewed().get(name, frozenset())
        for step in made:
            if step not in known:
                return f"{name} makes a step that is not in {FOLDER.name}:\n{step}"
    return None


def add(steps: Mapping[str, AbstractSet[str]]) -> None:
    """Add these to the table: a file for each module, its use cases and their steps in order."""
    whole = {name: reviewed().get(name, frozenset()) | made for name, made in steps.items()}
    steps = {**reviewed(), **whole}
    FOLDER.mkdir(parents=True, exist_ok=True)
    modules: dict[str, list[str]] = {}
    for name in sorted(steps):
        module = name.partition(":")[0].replace("/", ".")
        text = f"{HEADING}{name}\n{BETWEEN.join(sorted(steps[name]))}\n"
        modules.setdefault(module, []).append(text)
    for module, texts in modules.items():
        (FOLDER / f"{module}.txt").write_text("\n".join(texts), encoding="utf-8")
