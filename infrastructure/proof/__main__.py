"""`make prove`, and what else shows that the proof proves something.

prove [SECONDS]     every goal, in about twenty minutes
seed SEED           one lifetime again, with its least schedule if it fails
schedule FILE       a schedule that was kept
"""

from __future__ import annotations

import sys
from pathlib import Path

from infrastructure.proof.bugs.run import hunt_all
from infrastructure.proof.goals import show
from infrastructure.proof.lifetimes import schedule_of, simulate
from infrastructure.proof.schedules import from_text, shrink

LIFETIMES = 480.0


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is 1 where a goal or a lifetime fails."""
    match arguments:
        case ["prove"]:
            return show([simulate(LIFETIMES)])
        case ["prove", seconds]:
            return show([simulate(float(seconds))])
        case ["bugs"]:
            return show([hunt_all()])
        case ["seed", seed]:
            return _seed(seed)
        case ["schedule", path]:
            return _told(from_text(Path(path).read_text(encoding="utf-8")).live().violations)
    print(__doc__)
    return 2


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
