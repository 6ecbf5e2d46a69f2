"""How often somebody did something in a span: exact, since it is written under a version."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# A day's tally answers for the day; a day more, and nobody asks.
_KEPT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted for an owner since the span began, each thing once.

    `customer` is the owner's partition, which need not be a customer's: a sender's key, say.
    """

    customer: str
    name: str
    since: datetime
    counted: tuple[str, ...] = ()

    @property
    def forget_at(self) -> datetime:
        """When nobody asks any more."""
        return self.since + _KEPT

    def plus(self, thing: str) -> "Tally":
        """With one more; the same when that thing was counted before."""
        if thing in self.counted:
            return self
        return replace(self, counted=(*self.counted, thing))


def day_of(now: datetime) -> datetime:
    """The UTC day that an instant is in."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def hour_of(now: datetime) -> datetime:
    """The UTC hour that an instant is in."""
    return now.replace(minute=0, second=0, microsecond=0)
