"""Q1: simulated lifetimes, half of them the same for ever, half of them new with each commit."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from infrastructure.proof.goals import Result
from infrastructure.proof.pool import in_parallel
from infrastructure.proof.schedules import Schedule, shrink
from infrastructure.proof.simulated.faults import Drawn, Fault
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import draw_script

ROOT = Path(__file__).resolve().parents[2]
GOAL = 20_000
# Of each kind of fault, and of each thing that operators, banks and outages do.
LEAST_TIMES = 20
MUST_HAPPEN = (
    *Fault,
    "redrive",
    "restore",
    "outage_of_days",
    "stripe_outage",
    "switch_stopped",
    "capped",
    "dashboard_refund",
    "dispute_inquiry",
    "dispute_chargeback",
    "dispute_needs_response",
    "dispute_won",
    "dispute_lost",
)
LEAST_DAYS = 14
PIECES = 40


@dataclass(slots=True)
class Tally:
    """What came of some lifetimes."""

    seeds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    least_days: int = 1000
    failing: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Both together."""
        self.seeds += other.seeds
        self.faults += other.faults
        self.least_days = min(self.least_days, other.least_days)
        self.failing += other.failing


def commit_id() -> str:
    """What the new half of the seeds is made from."""
    run = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or "no commit"


def schedule_of(seed: str) -> tuple[Schedule, Lifetime]:
    """The lifetime of a seed, before it is lived."""
    script = draw_script(seed)
    oracle = Drawn(seed)
    return Schedule(seed, script, oracle.fired), Lifetime(seed, script, oracle)


def live_some(piece: tuple[list[str], float]) -> Tally:
    """Live lifetimes until they or the time are over."""
    seeds, seconds = piece
    until, tally = time.monotonic() + seconds, Tally()
    for seed in seeds:
        if time.monotonic() > until:
            break
        lived = schedule_of(seed)[1].live()
        tally.seeds += 1
        tally.faults += lived.faults
        tally.least_days = min(tally.least_days, lived.days)
        if lived.violations:
            invariant, detail = lived.violations[0]
            tally.failing.append((seed, invariant, detail))
    return tally


def simulate(seconds: float, *, fixed_only: bool = False, most: int = 400_000) -> Result:
    """As many lifetimes as fit into so many seconds on both cores."""
    begun = time.monotonic()
    commit = "fixed too" if fixed_only else commit_id()
    tally = Tally()
    each = most // PIECES
    pieces = []
    for piece in range(PIECES):
        half = [f"fixed {piece} {number}" for number in range((each + 1) // 2)]
        other = [f"{commit} {piece} {number}" for number in range(each // 2)]
        mixed = [seed for pair in zip(half, other, strict=False) for seed in pair]
        pieces.append((mixed, 2 * seconds / PIECES))
    for part in in_parallel(live_some, pieces, what="lifetimes"):
        tally.add(part)
    return _judged(tally, time.monotonic() - begun, seconds)


def _judged(tally: Tally, took: float, seconds: float) -> Result:
    failures = [_told(*failing) for failing in tally.failing[:3]]
    failures += [
        f"seed {seed!r}: {invariant} {detail}" for seed, invariant, detail in tally.failing[3:]
    ]
    full = seconds >= FULL_SECONDS
    rare = [name for name in MUST_HAPPEN if tally.faults[name] < (LEAST_TIMES if full else 1)]
    if rare:
        failures.append(f"hardly ever happened: {', '.join(rare)}")
    enough = tally.seeds >= GOAL or not full
    return Result(
        "Q1 simulated lifetimes",
        f"{GOAL:,} seeds, 0 violations" if full else "0 violations",
        f"{tally.seeds:,} seeds, {len(tally.failing)} violations, {tally.seeds / took:.0f}/s,"
        f" {tally.least_days} days each",
        not failures and enough and tally.least_days >= LEAST_DAYS,
        took,
        tally.seeds,
        tally.faults,
        failures,
    )


# From here on a run is the whole proof, and its figures have to be reached.
FULL_SECONDS = 100


def _told(seed: str, invariant: str, detail: str) -> str:
    """A failing seed with the least of its schedule, ready to be kept as a fixture."""
    schedule, lifetime = schedule_of(seed)
    lifetime.live()
    least = shrink(schedule, invariant)
    return f"seed {seed!r}: {invariant} {detail}\n{least.as_text()}"
