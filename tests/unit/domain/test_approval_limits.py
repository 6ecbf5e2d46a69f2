"""Whose consent a discretionary amount needs, whole or in parts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approval_limits import (
    CUSTOMER_PERIOD,
    DEFAULT_LIMITS,
    PERSON_PERIOD,
    Grant,
    Grants,
    Need,
    needed,
    suffices,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CUSTOMER, PERSON = Grants("cus_ann"), Grants("person:agnes")
NOBODY, ONE, TWO, ADMIN = Need


def need(
    amount: int, to_customer: Grants = CUSTOMER, by: Grants | None = PERSON, currency: str = "usd"
) -> Need:
    return needed(DEFAULT_LIMITS, Grant(NOW, amount, currency), to_customer, by)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (1, NOBODY),
        (5_000, NOBODY),
        (5_001, ONE),
        (20_000, ONE),
        (20_001, TWO),
        (200_000, TWO),
        (200_001, ADMIN),
    ],
)
def test_each_limit_is_the_last_amount_below_it(amount: int, expected: Need) -> None:
    assert need(amount, by=None) is expected


def test_a_currency_without_limits_needs_an_admin() -> None:
    assert need(1, currency="xyz") is ADMIN


def test_a_second_grant_in_thirty_days_needs_a_person() -> None:
    before = CUSTOMER.plus(Grant(NOW - timedelta(days=29), 1, "eur"), CUSTOMER_PERIOD)
    assert need(1, before) is ONE
    long_ago = CUSTOMER.plus(Grant(NOW - CUSTOMER_PERIOD, 1, "eur"), CUSTOMER_PERIOD)
    assert need(1, long_ago) is NOBODY


def test_a_fourth_larger_grant_in_an_hour_needs_a_second_person() -> None:
    by = PERSON
    for minutes in (50, 40, 30):
        assert need(5_001, by=by) is ONE
        by = by.plus(Grant(NOW - timedelta(minutes=minutes), 5_001, "usd"), PERSON_PERIOD)
    assert need(5_001, by=by) is TWO
    assert need(5_000, by=by) is NOBODY  # it is not one of the larger ones


def test_what_one_person_grants_a_day_adds_up_over_customers() -> None:
    by = PERSON
    for hours in (3, 6, 9, 12, 15):
        by = by.plus(Grant(NOW - timedelta(hours=hours), 20_000, "usd"), PERSON_PERIOD)
    assert need(1, by=by) is TWO
    assert need(1, by=PERSON) is NOBODY


@given(
    st.lists(st.integers(1, 120_000), min_size=1, max_size=12),
    st.lists(st.integers(1, 60), min_size=12, max_size=12),
)
def test_an_amount_in_parts_needs_what_it_would_need_in_one(
    parts: list[int], minutes: list[int]
) -> None:
    """The last part does, whoever grants the others and whenever in the customer's period."""
    before, at = CUSTOMER, NOW - timedelta(days=29)
    for part, wait in zip(parts[:-1], minutes, strict=False):
        at += timedelta(minutes=wait)
        before = before.plus(Grant(at, part, "usd"), CUSTOMER_PERIOD)
    assert need(parts[-1], before) >= need(sum(parts))


@given(st.lists(st.integers(1, 30_000), min_size=2, max_size=40))
def test_nobody_grants_more_alone_in_a_day_than_the_limit(amounts: list[int]) -> None:
    """However it is spread over customers."""
    by, alone = PERSON, 0
    for number, amount in enumerate(amounts):
        at = NOW + timedelta(minutes=30 * number)
        asked = Grant(at, amount, "usd")
        if needed(DEFAULT_LIMITS, asked, Grants(f"cus_{number}"), by) <= ONE:
            by = by.plus(asked, PERSON_PERIOD)
        alone = sum(grant.amount for grant in by.since(at - PERSON_PERIOD))
        assert alone <= DEFAULT_LIMITS.of("usd").person_day


@pytest.mark.parametrize(
    ("agreed", "enough"),
    [
        ([], NOBODY),
        ([("agnes", "agent")], ONE),
        ([("agnes", "agent"), ("agnes", "approver")], ONE),
        ([("agnes", "agent"), ("abel", "agent")], ONE),
        ([("agnes", "agent"), ("paul", "approver")], TWO),
        ([("agnes", "admin"), ("agnes", "approver")], ONE),
        ([("agnes", "agent"), ("ada", "admin")], ADMIN),
    ],
)
def test_whom_those_who_agreed_stand_for(agreed: list[tuple[str, str]], enough: Need) -> None:
    assert [suffices(one, agreed) for one in Need] == [one <= enough for one in Need]
