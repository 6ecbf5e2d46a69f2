"""Proration: which exact fraction of a paid period is unused from an instant on.

Unused time is a fraction of the line's own period, never days times a daily price.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from shared.domain.money import ZERO
from shared.domain.periods import NOTHING, Period, ratio

DAY = timedelta(days=1)


class Basis(StrEnum):
    """What is counted: instants, or calendar days; ``inclusive`` keeps the day of cancellation."""

    SECOND = "second"
    DAY = "day"
    DAY_INCLUSIVE = "day_inclusive"


@dataclass(frozen=True, slots=True)
class Unused:
    """The unused part of a period.

    ``refunded_from`` is the first instant that is given back: access must have ended by then.
    """

    fraction: Fraction
    length: timedelta
    refunded_from: datetime


def unused_time(
    period: Period, until: datetime, at: datetime, *, basis: Basis, zone: ZoneInfo
) -> Unused:
    """What is unused from ``at`` on, of a period of which only the part before ``until`` is ours.

    ``until`` is the period's end, or the instant from which a mid-cycle credit took the rest back.
    """
    if at >= until:
        return Unused(ZERO, NOTHING, at)
    if basis is Basis.SECOND:
        start = max(at, period.start)
        return Unused(ratio(until - start, period.length), until - start, start)
    return _unused_days(period, until, at, inclusive=basis is Basis.DAY_INCLUSIVE, zone=zone)


def _unused_days(
    period: Period, until: datetime, at: datetime, *, inclusive: bool, zone: ZoneInfo
) -> Unused:
    """Whole calendar days of the zone; a period within one day counts as that one day."""
    first = period.start.astimezone(zone).date()
    last = max(period.end.astimezone(zone).date(), first + DAY)
    end = last if until == period.end else until.astimezone(zone).date()
    day = first if at < period.start else at.astimezone(zone).date()
    if inclusive and at >= period.start:
        day += DAY
    days = max(0, (end - day).days)
    refunded_from = min(max(midnight(day, zone), period.start), until)
    return Unused(Fraction(days, (last - first).days), days * DAY, refunded_from)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a calendar day of the zone begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
