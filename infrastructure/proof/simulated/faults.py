"""What can go wrong, where, and who decides that it does now.

Every decision has a number within its lifetime, so that a lifetime can be told again with some of
its faults left out, or with faults put at places that nobody would draw.
"""

import random
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """Every kind of fault; the values appear in saved schedules."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    STALL = "stall"
    TABLE_THROTTLED = "table_throttled"
    COMMIT_CUT = "commit_cut"
    COMMIT_ANSWER_LOST = "commit_answer_lost"
    COMMIT_OWN_WRITE_CONFLICTS = "commit_own_write_conflicts"
    COMMIT_CONFLICTS = "commit_conflicts"
    INDEX_STALE = "index_stale"
    STRIPE_BUSY = "stripe_busy"
    STRIPE_READ_CUT = "stripe_read_cut"
    STRIPE_CUT_BEFORE = "stripe_cut_before"
    STRIPE_CUT_AFTER = "stripe_cut_after"
    STRIPE_LATE = "stripe_late"
    STRIPE_500_IDLE = "stripe_500_idle"
    STRIPE_500_DONE = "stripe_500_done"
    REFUND_PENDS = "refund_pends"
    REFUND_ASKS = "refund_asks"
    REFUND_FAILS = "refund_fails"
    REFUND_FAILS_LATE = "refund_fails_late"
    EVENT_LOST = "event_lost"
    EVENT_NEVER_MADE = "event_never_made"
    EVENT_TWICE = "event_twice"
    EVENT_LATE = "event_late"
    MESSAGE_TWICE = "message_twice"
    MESSAGE_LATE = "message_late"
    MESSAGE_LOST = "message_lost"
    WAKE_FAILS = "wake_fails"
    QUEUE_FAILS = "queue_fails"
    SEND_FAILS = "send_fails"
    SEND_ANSWER_LOST = "send_answer_lost"
    CLOCK_SKEWED = "clock_skewed"
    ANSWER_LOST = "answer_lost"
    SCHEDULE_MISSED = "schedule_missed"


CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)

# What can go wrong at each kind of place.
PLACES: Mapping[str, tuple[Fault, ...]] = {
    "read": (*CRASHES, Fault.STALL, Fault.TABLE_THROTTLED),
    "due": (*CRASHES, Fault.TABLE_THROTTLED, Fault.INDEX_STALE),
    "commit": (
        *CRASHES,
        Fault.STALL,
        Fault.TABLE_THROTTLED,
        Fault.COMMIT_CUT,
        Fault.COMMIT_ANSWER_LOST,
        Fault.COMMIT_OWN_WRITE_CONFLICTS,
        Fault.COMMIT_CONFLICTS,
    ),
    "ask": (*CRASHES, Fault.STALL, Fault.STRIPE_BUSY, Fault.STRIPE_READ_CUT),
    "mutate": (
        *CRASHES,
        Fault.STALL,
        Fault.STRIPE_BUSY,
        Fault.STRIPE_CUT_BEFORE,
        Fault.STRIPE_CUT_AFTER,
        Fault.STRIPE_LATE,
        Fault.STRIPE_500_IDLE,
        Fault.STRIPE_500_DONE,
    ),
    "send": (*CRASHES, Fault.SEND_FAILS, Fault.SEND_ANSWER_LOST),
    "wake": (*CRASHES, Fault.WAKE_FAILS, Fault.MESSAGE_LOST),
    "message": (Fault.MESSAGE_TWICE, Fault.MESSAGE_LATE),
    "queue": (*CRASHES, Fault.QUEUE_FAILS),
    "event": (Fault.EVENT_LOST, Fault.EVENT_NEVER_MADE, Fault.EVENT_TWICE, Fault.EVENT_LATE),
    "refund": (Fault.REFUND_PENDS, Fault.REFUND_ASKS, Fault.REFUND_FAILS, Fault.REFUND_FAILS_LATE),
    "worker": (Fault.CLOCK_SKEWED,),
    "answer": (Fault.ANSWER_LOST,),
    "schedule": (Fault.SCHEDULE_MISSED,),
}


class Oracle(Protocol):
    """Decides what goes wrong; `number` is how often it was asked."""

    fired: dict[int, Fault]
    number: int

    def draw(self, place: str) -> Fault | None:
        """What goes wrong here and now, if anything does."""
        ...

    def stop(self) -> None:
        """From now on nothing does."""
        ...


class Drawn:
    """Draws faults at rates that the seed has drawn first: each lifetime has its own weather."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seed is the point
        self._stopped = False
        self.fired: dict[int, Fault] = {}
        self.number = 0
        storm = self._random.choice((0.0, 0.01, 0.03, 0.08, 0.15))
        shares = {fault: self._random.choice((0, 0, 1, 3)) for fault in Fault}
        self._chances = {
            place: (_scale(place, storm), faults, [shares[fault] for fault in faults])
            for place, faults in PLACES.items()
        }

    def draw(self, place: str) -> Fault | None:
        """See `Oracle`."""
        self.number += 1
        if self._stopped:
            return None
        chance, faults, weights = self._chances[place]
        if self._random.random() >= chance or not any(weights):
            return None
        (fault,) = self._random.choices(faults, weights)
        self.fired[self.number] = fault
        return fault

    def stop(self) -> None:
        """See `Oracle`."""
        self._stopped = True


def _scale(place: str, storm: float) -> float:
    """Rare decisions take a larger share, so that each kind is drawn often enough."""
    rare = {
        "event": 6,
        "message": 3,
        "queue": 3,
        "refund": 8,
        "mutate": 2,
        "worker": 3,
        "answer": 4,
        "schedule": 3,
    }
    return min(0.6, storm * rare.get(place, 1))


class Placed:
    """Puts faults at given numbers, and nowhere else; remembers every place it was asked at."""

    def __init__(self, plan: Mapping[int, Fault]) -> None:
        self._plan = plan
        self._stopped = False
        self.places: list[str] = []
        self.number = 0
        self.fired: dict[int, Fault] = {}

    def draw(self, place: str) -> Fault | None:
        """See `Oracle`; a fault that cannot happen at this kind of place does not."""
        if self._stopped:
            return None
        self.places.append(place)
        self.number += 1
        fault = self._plan.get(self.number)
        if fault is None or fault not in PLACES[place]:
            return None
        self.fired[self.number] = fault
        return fault

    def stop(self) -> None:
        """See `Oracle`."""
        self._stopped = True


def count(fired: Mapping[int, Fault]) -> Counter[str]:
    """How often each kind was fired."""
    return Counter(fault.value for fault in fired.values())
