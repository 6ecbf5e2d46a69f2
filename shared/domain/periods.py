"""Periods: half-open spans of time between aware UTC instants."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from ``start`` on and before ``end``."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def clip(self, other: "Period") -> "Period | None":
        """What both have in common, if anything."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


def union(periods: Iterable[Period]) -> list[Period]:
    """The same instants as disjoint periods in order; overlaps count once."""
    merged: list[Period] = []
    for period in sorted(periods, key=lambda p: p.start):
        if merged and period.start <= merged[-1].end:
            last = merged.pop()
            merged.append(Period(last.start, max(last.end, period.end)))
        else:
            merged.append(period)
    return merged


def total_length(periods: Iterable[Period]) -> timedelta:
    """The summed length of disjoint periods."""
    return sum((period.length for period in periods), NOTHING)


def ratio(part: timedelta, whole: timedelta) -> Fraction:
    """An exact fraction of two durations."""
    return Fraction(part // MICROSECOND, whole // MICROSECOND)


def seconds(duration: timedelta) -> int | str:
    """A duration in seconds: whole where it is whole, else an exact fraction as text."""
    whole, rest = divmod(duration, SECOND)
    return str(ratio(duration, SECOND)) if rest else whole


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with ``Z``."""
    return instant.astimezone(UTC).isoformat()[: -len("+00:00")] + "Z"
