"""`make prove`, and what else shows that the proof proves something.

prove [SECONDS]     every goal, in about twenty minutes
seed SEED           one lifetime again, with its least schedule if it fails
schedule FILE       a schedule that was kept
"""

from __future__ import annotations

import sys
from pathlib import Path

from infrastructure.proof.bugs.run import hunt_all
from infrastructure.proof.crash_points import enumerate_placements
from infrastructure.proof.divergences import find_divergences
from infrastructure.proof.ends import end_at_every_change
from infrastructure.proof.goals import Result, show
from infrastructure.proof.lifetimes import schedule_of, simulate
from infrastructure.proof.restores import restore_many
from infrastructure.proof.schedules import from_text, shrink
from infrastructure.proof.storm import storm
from infrastructure.proof.wire.faults import break_wires
from infrastructure.proof.wire.kills import kill_workers
from infrastructure.proof.wire.races import race

# Seconds on both cores; with everything else the whole stays below twenty minutes.
LIFETIMES, PLACEMENTS, SAMPLE = 330.0, 240.0, 12


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is 1 where a goal or a lifetime fails."""
    match arguments:
        case ["prove"]:
            return show([goal() for goal in GOALS])
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


def _lifetimes() -> Result:
    """Q1."""
    return simulate(LIFETIMES)


def _placements() -> Result:
    """Q2."""
    return enumerate_placements(PLACEMENTS)


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


def _divergences() -> Result:
    """Q13."""
    return find_divergences()


def _restores() -> Result:
    """Q15."""
    return restore_many()


# The short ones first.
GOALS = (
    *(_ends, _storm, _divergences, _restores, _races, _kills, _wires),
    *(_bugs, _placements, _lifetimes),
)


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
