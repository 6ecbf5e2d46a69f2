"""The unused part of a period, by instants and by calendar days."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from shared.domain.periods import Period
from shared.domain.proration import Basis, Unused, midnight, unused_time

PARIS = ZoneInfo("Europe/Paris")


def paris(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=PARIS).astimezone(UTC)


def unused(
    at: datetime, period: Period, basis: Basis = Basis.DAY, until: datetime | None = None
) -> Unused:
    return unused_time(period, until or period.end, at, basis=basis, zone=PARIS)


# Thirty days of Paris, the last night an hour shorter.
MARCH = Period(paris(3, 1), paris(3, 31))


@pytest.mark.parametrize(
    ("basis", "at", "days", "refunded_from"),
    [
        pytest.param("day", paris(3, 10, 12), 21, paris(3, 10), id="the day goes back"),
        pytest.param("day_inclusive", paris(3, 10, 12), 20, paris(3, 11), id="the day is used"),
        pytest.param("day", paris(2, 20), 30, paris(3, 1), id="before it begins: all of it"),
        pytest.param("day_inclusive", paris(2, 20), 30, paris(3, 1), id="likewise"),
        pytest.param("day_inclusive", paris(3, 1), 29, paris(3, 2), id="in its first second"),
        pytest.param("day", paris(3, 30, 23), 1, paris(3, 30), id="on the last day"),
        pytest.param("day_inclusive", paris(3, 30, 23), 0, paris(3, 31), id="which is used"),
    ],
)
def test_days_are_those_of_the_zone(
    basis: str, at: datetime, days: int, refunded_from: datetime
) -> None:
    assert unused(at, MARCH, Basis(basis)) == Unused(
        Fraction(days, 30), timedelta(days=days), refunded_from
    )


def test_seconds_are_seconds_whatever_the_clocks_on_the_wall_do() -> None:
    found = unused(paris(3, 29), MARCH, Basis.SECOND)

    assert found == Unused(Fraction(47, 30 * 24 - 1), timedelta(hours=47), paris(3, 29))


def test_what_was_taken_back_from_some_day_on_is_not_given_back_again() -> None:
    until = paris(3, 16)

    days = unused(paris(3, 10, 12), MARCH, until=until)
    hour = unused(paris(3, 15, 23), MARCH, Basis.SECOND, until)

    assert days.fraction == Fraction(6, 30)
    assert hour.length == timedelta(hours=1)
    assert unused(until, MARCH, until=until) == Unused(Fraction(0), timedelta(0), until)


def test_before_it_begins_all_seconds_are_unused() -> None:
    found = unused(paris(2, 1), MARCH, Basis.SECOND)

    assert (found.fraction, found.refunded_from) == (Fraction(1), paris(3, 1))


NOON_TO_NOON = Period(paris(3, 1, 12), paris(3, 11, 12))


def test_no_instant_before_the_period_or_after_it_is_given_back() -> None:
    first = unused(paris(3, 1, 18), NOON_TO_NOON)
    last = unused(paris(3, 11, 6), NOON_TO_NOON, Basis.DAY_INCLUSIVE)
    over = unused(paris(3, 11, 12), NOON_TO_NOON)

    assert (first.fraction, first.refunded_from) == (Fraction(1), paris(3, 1, 12))
    assert (last.fraction, last.refunded_from) == (Fraction(0), paris(3, 11, 12))
    assert last.length == timedelta(0)
    assert over == Unused(Fraction(0), timedelta(0), paris(3, 11, 12))


def test_a_period_within_one_day_counts_as_that_day() -> None:
    hours = Period(paris(3, 1, 8), paris(3, 1, 20))

    assert unused(paris(3, 1, 10), hours).fraction == 1
    assert unused(paris(3, 1, 10), hours, Basis.DAY_INCLUSIVE).fraction == 0


def test_midnight_is_that_of_the_zone_and_told_in_utc() -> None:
    begins = midnight(paris(3, 10, 12).date(), PARIS)

    assert begins == datetime(2026, 3, 9, 23, tzinfo=UTC)
    assert begins.tzinfo is UTC
