"""Billing periods by the calendar, counted from the anchor (documentation, "billing cycle").

A monthly subscription anchored on the 31st renews on the last day of shorter months and goes back
to the 31st: each end is counted from the anchor, never from the end before. Times are UTC.
"""

import calendar
from datetime import UTC, datetime, timedelta

MONTHS = {"month": 1, "year": 12}
DAYS = {"day": 1, "week": 7}
MONTHS_A_YEAR = 12


def period_end(anchor: int, start: int, interval: str, count: int) -> int:
    """The first instant after `start` that is a whole number of intervals from `anchor`."""
    step = 1 if start >= anchor else 0
    while (end := advance(anchor, interval, count * step)) <= start:
        step += 1
    return end


def advance(anchor: int, interval: str, count: int) -> int:
    """The instant that is `count` intervals after the anchor."""
    instant = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((instant + timedelta(days=DAYS[interval] * count)).timestamp())
    months = instant.month - 1 + MONTHS[interval] * count
    year, month = instant.year + months // MONTHS_A_YEAR, months % MONTHS_A_YEAR + 1
    day = min(instant.day, calendar.monthrange(year, month)[1])
    return int(instant.replace(year=year, month=month, day=day).timestamp())
