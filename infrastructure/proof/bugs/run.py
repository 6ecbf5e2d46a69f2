"""Q3, `make prove-bugs`: every planted bug hunted, on both cores."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median

from infrastructure.proof.bugs.catalogue import EQUIVALENT, bugs
from infrastructure.proof.bugs.named import PLANTED
from infrastructure.proof.bugs.planting import ROOT
from infrastructure.proof.bugs.reach import reach
from infrastructure.proof.goals import Result
from infrastructure.proof.pool import PROCESSES

SECONDS = 25
LEAST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Hunted:
    """What came of a bug."""

    name: str
    caught: str | None
    seconds: float


def hunt_all(sample: int | None = None) -> Result:
    """All bugs, or every so manieth; which noticed which, and how fast."""
    begun = time.monotonic()
    names = [name for name in bugs() if name not in EQUIVALENT]
    if sample is not None:
        names = names[:: max(1, len(names) // sample)]
    reach()
    with ThreadPoolExecutor(PROCESSES) as pool:
        hunted = []
        for number, one in enumerate(pool.map(_hunt, names), start=1):
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
        f"{LEAST_NAMED} by hand and all generated ones, each noticed",
        f"{len(hunted) - len(missed)} of {len(hunted)} noticed ({len(PLANTED)} by hand),"
        f" {len(EQUIVALENT)} equivalent, {median(times):.1f} s median",
        not missed and not stale and len(PLANTED) >= LEAST_NAMED,
        time.monotonic() - begun,
        failures=missed + stale,
    )


def _hunt(name: str) -> Hunted:
    run = subprocess.run(
        [sys.executable, "-m", "infrastructure.proof.bugs.hunt", name, str(SECONDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = run.stdout.splitlines()
    if not lines:
        return Hunted(name, f"does not start: {run.stderr.strip().splitlines()[-1][:120]}", 0.0)
    told = json.loads(lines[-1])
    if "stale" in told:
        raise SystemExit(f"{name}: {told['stale']}")
    return Hunted(name, told["caught"], told["seconds"])
