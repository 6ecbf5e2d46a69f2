"""Q3, `make prove-bugs`: every planted bug hunted, on both cores."""

from __future__ import annotations

import json
import random
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
from infrastructure.proof.lifetimes import commit_id

SECONDS = 16
LEAST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of a bug."""

    name: str
    caught: str | None
    seconds: float


def hunt_all(*, sample: int | None = None) -> Result:
    """All bugs, or those by hand and a sample of the others, drawn from the commit."""
    begun = time.monotonic()
    by_hand = [one.name for one in PLANTED]
    generated = [name for name in bugs() if name not in EQUIVALENT and name not in by_hand]
    if sample is not None:
        drawn = random.Random(commit_id())  # noqa: S311 - a seed is the point
        generated = drawn.sample(generated, sample)
    names = by_hand + generated
    reach()
    hunted = []
    for number, one in enumerate(_hunt(names), start=1):
        hunted.append(one)
        if sample is None:
            told = one.caught or "NOT NOTICED"
            print(f"{number:4} {one.seconds:5.1f} s  {one.name}\n{'':13}{told}", flush=True)
    for name, reason in EQUIVALENT.items() if sample is None else ():
        print(f"{'':13}{name}\n{'':13}cannot be noticed: {reason}")
    missed = [f"not noticed: {one.name}" for one in hunted if not one.caught]
    stale = [f"no such bug any more: {name}" for name in EQUIVALENT if name not in bugs()]
    times = [one.seconds for one in hunted]
    return Result(
        "Q3 planted bugs",
        f"{LEAST_NAMED} by hand and "
        + ("all" if sample is None else "a sample of")
        + " generated ones, each noticed",
        f"{len(hunted) - len(missed)} of {len(names)} noticed ({len(by_hand)} by hand),"
        f" {len(EQUIVALENT)} equivalent, {median(times):.1f} s median",
        len(hunted) == len(names) and not missed and not stale and len(by_hand) >= LEAST_NAMED,
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
