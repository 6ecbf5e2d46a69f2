"""Statutes: rights that stand over any pack, as dated data.

A statute never needs a pack's consent, and no pack can take it away; see ``shared/policies``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.domain.calendars import WEEKENDS, Calendar
from shared.domain.proration import DAY

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Statute:
    """A consumer's right to withdraw from a distance contract.

    ``countries`` grant it, each with the calendar that its last day heeds. The contract's day is
    not counted; ``uninformed_months`` are added where the consumer was not told of the right.
    """

    id: str
    title: str
    text: str
    in_force_from: datetime
    in_force_until: datetime | None
    countries: Mapping[str, Calendar]
    days: int
    uninformed_months: int
    payout_days: int

    def in_force(self, at: datetime) -> bool:
        """Whether a contract of that instant comes under it."""
        return self.in_force_from <= at and (
            self.in_force_until is None or at < self.in_force_until
        )

    def last_day(
        self, purchased_at: datetime, country: str, zone: ZoneInfo, *, informed: bool
    ) -> date:
        """The last local day on which the right can be used."""
        day = purchased_at.astimezone(zone).date() + self.days * DAY
        if not informed:
            day = months_later(day, self.uninformed_months)
        while not self.countries[country].is_business_day(day):
            day += DAY
        return day


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, MONTHS)
    year, month = day.year + years, month + 1
    for number in range(day.day, 0, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


@dataclass(frozen=True, slots=True)
class Library:
    """What packs lean on: calendars by id, and the statutes that stand over all of them."""

    calendars: Mapping[str, Calendar] = field(default_factory=lambda: {WEEKENDS.id: WEEKENDS})
    statutes: tuple[Statute, ...] = ()


NO_LIBRARY = Library()
