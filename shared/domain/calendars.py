"""Calendars: business days and business hours of a place, counted from data.

Receipt is day 0, the next business day is day 1, and what is due on a day is due at 24:00 local.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.periods import Period
from shared.domain.proration import DAY, midnight

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days on which a place does no business, beside Saturdays and Sundays."""

    id: str
    holidays: frozenset[date]

    def is_business_day(self, day: date) -> bool:
        """Neither at a weekend nor on a holiday."""
        return day.weekday() < SATURDAY and day not in self.holidays


WEEKENDS = Calendar("weekends", frozenset())


@dataclass(frozen=True, slots=True)
class Hours:
    """The local hours in which business is done on a business day."""

    opens: time
    closes: time


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """24:00 local: the instant at which the next day begins."""
    return midnight(day + DAY, zone)


def days_between(event: datetime, instant: datetime, zone: ZoneInfo) -> int:
    """The number of the day on which the instant falls, the event's own local date being day 0."""
    return (instant.astimezone(zone).date() - event.astimezone(zone).date()).days


def after_business_days(
    received_at: datetime, days: int, calendar: Calendar, zone: ZoneInfo
) -> datetime:
    """When something is due that is promised within so many business days of its receipt."""
    day = received_at.astimezone(zone).date()
    while days:
        day += DAY
        days -= calendar.is_business_day(day)
    return end_of_day(day, zone)


@dataclass(frozen=True, slots=True)
class BusinessTime:
    """A calendar, its zone, and the hours of its business days."""

    calendar: Calendar
    zone: ZoneInfo
    hours: Hours

    def openings(self, at: datetime) -> Iterator[Period]:
        """The spans of business time from an instant on, in order."""
        day = at.astimezone(self.zone).date()
        while True:
            if self.calendar.is_business_day(day):
                closes = self._local(day, self.hours.closes)
                if closes > at:
                    yield Period(max(at, self._local(day, self.hours.opens)), closes)
            day += DAY

    def after(self, at: datetime, length: timedelta, *, lower: bool) -> datetime:
        """When so much business time has passed.

        Where it runs out with the day, an upper bound is that closing, a lower bound the next
        opening.
        """
        left = length
        for opening in self.openings(at):
            if left < opening.length or (left == opening.length and not lower):
                return opening.start + left
            left -= opening.length
        raise AssertionError("business days never end")

    def _local(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)
