"""`make prove`, and what else shows that the proof proves something.

prove [SECONDS]     every goal, in about twenty minutes
seed SEED           one lifetime again, with its least schedule if it fails
schedule FILE       a schedule that was kept
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from infrastructure.proof.bugs.run import hunt_all
from infrastructure.proof.crash_points import enumerate_placements
from infrastructure.proof.divergences import find_divergences
from infrastructure.proof.ends import end_at_every_change
from infrastructure.proof.fan_out import fan_out
from infrastructure.proof.goals import Result, show
from infrastructure.proof.lifetimes import schedule_of, simulate
from infrastructure.proof.pool import in_parallel
from infrastructure.proof.restores import restore_many
from infrastructure.proof.schedules import from_text, shrink
from infrastructure.proof.storm import storm
from infrastructure.proof.wire.faults import break_wires
from infrastructure.proof.wire.kills import kill_workers
from infrastructure.proof.wire.races import race

# Seconds on both cores. Lifetimes come last and take what is left of the whole, within bounds.
WHOLE, LEAST_LIFETIMES, MOST_LIFETIMES = 1170.0, 180.0, 330.0
# Of the bugs that are read off the code; `make prove-bugs` has them all.
SAMPLE = 24


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is 1 where a goal or a lifetime fails."""
    match arguments:
        case ["prove"]:
            return show(list(_prove()))
        case ["prove", seconds]:
            return show([simulate(float(seconds))])
        case ["goal", name]:
            return show([goal() for goal in GOALS if name in (goal.__doc__ or "")])
        case ["bugs"]:
            return show([hunt_all()])
        case ["seed", seed]:
            return _seed(seed)
        case ["schedule", path]:
            return _told(from_text(Path(path).read_text(encoding="utf-8")).live().violations)
    print(__doc__)
    return 2


def _prove() -> Iterator[Result]:
    """Every goal: two at a time those that use one core, then those that use both."""
    begun = time.monotonic()
    yield from in_parallel(_run, range(len(ALONE)), what="goals on one core each")
    for goal in TOGETHER:
        print(
            f"  {goal.__doc__} after {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True
        )
        yield goal()
    left = WHOLE - (time.monotonic() - begun)
    yield simulate(min(MOST_LIFETIMES, max(LEAST_LIFETIMES, left)))


def _run(number: int) -> Result:
    return ALONE[number]()


def _lifetimes() -> Result:
    """Q1."""
    return simulate(LEAST_LIFETIMES)


def _placements() -> Result:
    """Q2."""
    return enumerate_placements()


def _bugs() -> Result:
    """Q3."""
    return hunt_all(sample=SAMPLE)


def _races() -> Result:
    """Q4."""
    return race()


def _wires() -> Result:
    """Q5."""
    return break_wires()


def _kills() -> Result:
    """Q6."""
    return kill_workers()


def _storm() -> Result:
    """Q7."""
    return storm()


def _ends() -> Result:
    """Q10."""
    return end_at_every_change()


def _fan_out() -> Result:
    """Q11."""
    return fan_out()


def _divergences() -> Result:
    """Q13."""
    return find_divergences()


def _restores() -> Result:
    """Q15."""
    return restore_many()


ALONE = (_fan_out, _storm, _divergences, _ends)
TOGETHER = (_restores, _races, _kills, _wires, _bugs, _placements)
GOALS = (*ALONE, *TOGETHER, _lifetimes)


def _seed(seed: str) -> int:
    schedule, lifetime = schedule_of(seed)
    violations = lifetime.live().violations
    if violations:
        print(shrink(schedule, violations[0][0]).as_text())
    return _told(violations)


def _told(violations: list[tuple[str, str]]) -> int:
    for invariant, detail in violations:
        print(f"{invariant} {detail}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
