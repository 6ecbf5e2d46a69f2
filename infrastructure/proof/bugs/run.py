"""Q3, `make prove-bugs`: every planted bug hunted, on both cores."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from infrastructure.proof.bugs.catalogue import EQUIVALENT, bugs
from infrastructure.proof.bugs.named import PLANTED
from infrastructure.proof.bugs.planting import ROOT
from infrastructure.proof.bugs.reach import reach
from infrastructure.proof.goals import Result

SECONDS = 16
LEAST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of a bug."""

    name: str
    caught: str | None
    seconds: float


def hunt_all(*, by_hand_alone: bool = False) -> Result:
    """All bugs, or those by hand alone; what noticed which, and how fast."""
    begun = time.monotonic()
    names = [name for name in bugs() if name not in EQUIVALENT]
    if by_hand_alone:
        names = [one.name for one in PLANTED]
    reach()
    hunted = []
    for number, one in enumerate(_hunt(names), start=1):
        hunted.append(one)
        if not by_hand_alone:
            told = one.caught or "NOT NOTICED"
            print(f"{number:4} {one.seconds:5.1f} s  {one.name}\n{'':13}{told}", flush=True)
    for name, reason in EQUIVALENT.items() if not by_hand_alone else ():
        print(f"{'':13}{name}\n{'':13}cannot be noticed: {reason}")
    missed = [f"not noticed: {one.name}" for one in hunted if not one.caught]
    stale = [f"no such bug any more: {name}" for name in EQUIVALENT if name not in bugs()]
    times = [one.seconds for one in hunted]
    return Result(
        "Q3 planted bugs",
        f"{LEAST_NAMED} by hand"
        + ("" if by_hand_alone else " and all generated ones")
        + ", each noticed",
        f"{len(hunted) - len(missed)} of {len(names)} noticed ({len(PLANTED)} by hand),"
        f" {len(EQUIVALENT)} equivalent, {median(times):.1f} s median",
        len(hunted) == len(names) and not missed and not stale and len(PLANTED) >= LEAST_NAMED,
        time.monotonic() - begun,
        failures=missed + stale,
    )


def _hunt(names: list[str]) -> Iterator[Hunted]:
    """Each as soon as it is known; in a process that has imported nothing of ours."""
    command = [sys.executable, "-m", "infrastructure.proof.bugs.hunt", str(SECONDS)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(json.dumps(names))
        run.stdin.close()
        for line in run.stdout:
            told = json.loads(line)
            if "stale" in told:
                raise SystemExit(f"{told['name']}: {told['stale']}")
            yield Hunted(told["name"], told["caught"], told["seconds"])
