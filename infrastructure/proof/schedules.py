"""A lifetime as a text that can be kept: its seed, its script, its faults. And the least of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from infrastructure.proof.simulated.faults import Fault, Placed
from infrastructure.proof.simulated.lifetime import Lifetime, Lived
from infrastructure.proof.simulated.script import Plan, Script, Step

T = TypeVar("T")
MOST_RUNS = 800


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that one lifetime depends on, apart from our code."""

    seed: str
    script: Script
    faults: Mapping[int, Fault]

    def live(self) -> Lived:
        """Live it again."""
        return Lifetime(self.seed, self.script, Placed(self.faults)).live()

    def as_text(self) -> str:
        """As JSON."""
        plain = asdict(self.script)
        return json.dumps(
            {
                "seed": self.seed,
                "script": plain,
                "faults": {str(n): f for n, f in self.faults.items()},
            },
            indent=1,
        )


def from_text(text: str) -> Schedule:
    """A schedule that was kept."""
    plain: dict[str, Any] = json.loads(text)
    script = plain["script"]
    plans = tuple(Plan(**plan | {"parts": tuple(plan["parts"])}) for plan in script["plans"])
    steps = tuple(Step(**step) for step in script["steps"])
    faults = {int(number): Fault(fault) for number, fault in plain["faults"].items()}
    return Schedule(plain["seed"], Script(script["policy"], plans, steps), faults)


def shrink(schedule: Schedule, invariant: str) -> Schedule:
    """The least of a schedule that still breaks the invariant, as far as leaving out can go."""
    runs = 0

    def fails(candidate: Schedule) -> bool:
        nonlocal runs
        runs += 1
        if runs > MOST_RUNS:
            return False
        return any(broken == invariant for broken, _ in candidate.live().violations)

    def with_faults(kept: Sequence[tuple[int, Fault]]) -> Schedule:
        return replace(schedule, faults=dict(kept))

    def with_steps(kept: Sequence[Step]) -> Schedule:
        return replace(schedule, script=replace(schedule.script, steps=tuple(kept)))

    for _ in range(2):
        steps = _least(list(schedule.script.steps), lambda kept: fails(with_steps(kept)))
        schedule = with_steps(steps)
        # The last ones first: without a fault, those after it meet other calls.
        late_first = sorted(schedule.faults.items(), reverse=True)
        faults = _least(late_first, lambda kept: fails(with_faults(kept)))
        schedule = with_faults(faults)
    return schedule


def _least(things: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """Leave out ever smaller parts, as long as it still fails."""
    size = len(things)
    while size:
        begin = 0
        while begin < len(things):
            fewer = things[:begin] + things[begin + size :]
            if fails(fewer):
                things = fewer
            else:
                begin += size
        size //= 2
    return things
