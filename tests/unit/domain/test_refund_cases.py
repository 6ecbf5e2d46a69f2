"""The life of a refund case and its clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.policy_files import load_policy
from shared.domain.calendars import after_business_days
from shared.domain.case_clocks import (
    CaseClock,
    Strike,
    callback_span,
    start_callback,
    start_evidence,
    start_payout,
    start_review,
)
from shared.domain.errors import BrokenInvariantError
from shared.domain.facts import Ground
from shared.domain.refund_case import IN_QUEUE, OPEN, CaseState, RefundCase

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
RTC = load_policy("rtc", NOW)
MONEYBACK = load_policy("moneyback", NOW)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def case(state: CaseState = CaseState.RECEIVED, **change: object) -> RefundCase:
    made = {
        "id": "c",
        "customer": "cus_1",
        "ground": Ground.BILLING_ERROR,
        "state": state,
        "invoices": ("in_1",),
        "channel": "portal",
        "opened_at": NOW,
        "opened_by": "customer:cus_1",
    }
    return RefundCase(**(made | change))  # type: ignore[arg-type]


ALLOWED = {
    "received": "needs_evidence under_review approved denied referred withdrawn",
    "needs_evidence": "under_review approved denied referred withdrawn",
    "under_review": "needs_evidence approved denied referred withdrawn",
    "approved": "paying paid needs_person",
    "paying": "paid needs_person",
    "paid": "needs_person",
    "needs_person": "paying paid",
    "denied": "under_review",
    "referred": "under_review denied",
    "withdrawn": "",
}


@pytest.mark.parametrize("before", CaseState)
@pytest.mark.parametrize("after", CaseState)
def test_a_case_takes_only_the_steps_of_its_table(before: CaseState, after: CaseState) -> None:
    if after in ALLOWED[before].split():
        assert case(before).step(after).state is after
        assert case(before).may_become(after)
    else:
        with pytest.raises(BrokenInvariantError):
            case(before).step(after)


def test_what_is_open_is_in_the_queue_and_what_is_over_is_not() -> None:
    assert OPEN < IN_QUEUE
    over = set(CaseState) - IN_QUEUE
    assert over == {CaseState.PAID, CaseState.DENIED, CaseState.WITHDRAWN}
    assert all(case(state).queued_until() is None for state in over)


def test_one_open_case_an_invoice_and_ground() -> None:
    opened = case(invoices=("in_1", "in_2"))
    assert opened.overlaps(Ground.BILLING_ERROR, ("in_2", "in_3"))
    assert not opened.overlaps(Ground.GOODWILL, ("in_1",))
    assert not opened.overlaps(Ground.BILLING_ERROR, ("in_3",))
    assert opened.overlaps(None, ("in_1",))
    unstated = case(ground_stated=False)
    assert unstated.overlaps(Ground.SERVICE_DISRUPTION, ("in_1",))
    assert not unstated.overlaps(Ground.SERVICE_DISRUPTION, ("in_3",))
    assert not case(CaseState.DENIED).overlaps(Ground.BILLING_ERROR, ("in_1",))


@pytest.mark.clause("rtc.review_sla")
def test_the_review_is_due_in_ten_business_days_of_india() -> None:
    clock = start_review(RTC, Ground.BILLING_ERROR, datetime(2026, 8, 10, 12, tzinfo=UTC))
    # From Monday the 10th; Saturday the 15th would be a holiday anyway. 24:00 in Kolkata.
    assert clock.due_at == datetime(2026, 8, 24, 18, 30, tzinfo=UTC)
    assert clock.warn_at < clock.due_at


def test_a_policy_without_a_promise_still_gets_a_due_time() -> None:
    assert start_review(MONEYBACK, Ground.DISSATISFACTION, NOW).days == 10
    assert start_payout(MONEYBACK, Ground.DISSATISFACTION, NOW, None).days == 10


@pytest.mark.clause("rtc.payout_sla")
def test_the_sooner_of_the_packs_payout_and_the_laws_holds() -> None:
    own = start_payout(RTC, Ground.BILLING_ERROR, NOW, None)
    law = NOW + timedelta(days=3)
    assert start_payout(RTC, Ground.BILLING_ERROR, NOW, law).due_at == law
    assert start_payout(RTC, Ground.BILLING_ERROR, NOW, own.due_at + timedelta(1)) == own


def struck(clock: CaseClock, *instants: datetime) -> list[Strike]:
    said: list[Strike] = []
    for instant in instants:
        clock, more = clock.struck(instant)
        said += more
    return said


def test_a_clock_warns_once_and_is_late_once() -> None:
    clock = start_review(RTC, Ground.BILLING_ERROR, NOW)
    second = timedelta(seconds=1)
    assert struck(clock, clock.warn_at - second) == []
    assert struck(clock, clock.warn_at, clock.warn_at) == [Strike.WARNED]
    assert struck(clock, clock.warn_at, clock.due_at - second) == [Strike.WARNED]
    assert struck(clock, clock.warn_at, clock.due_at, clock.due_at) == [Strike.WARNED, Strike.LATE]
    # A schedule that slept through both says both.
    assert struck(clock, clock.due_at + second) == [Strike.WARNED, Strike.LATE]
    assert struck(clock.stopped(NOW), clock.due_at) == []


def test_a_pause_adds_the_business_days_that_begin_in_it() -> None:
    friday = datetime(2026, 3, 13, 12, tzinfo=UTC)
    clock = start_review(RTC, Ground.BILLING_ERROR, NOW).paused(friday)
    assert clock.next_at() is None
    monday = clock.resumed(friday + timedelta(days=3), RTC)
    longer = after_business_days(NOW, 11, RTC.calendar, RTC.time_zone)
    assert (monday.due_at, monday.is_paused) == (longer, False)
    assert [(p.since, p.until) for p in monday.pauses] == [(friday, friday + timedelta(days=3))]
    assert clock.resumed(friday + timedelta(hours=2), RTC).due_at == (
        start_review(RTC, Ground.BILLING_ERROR, NOW).due_at
    )


@given(INSTANTS, st.lists(st.integers(0, 20 * 24), min_size=2, max_size=6))
def test_no_pause_takes_time_away_from_staff(since: datetime, hours: list[int]) -> None:
    """However a clock is paused, it is due no sooner, and by no more days than it stood still."""
    clock = start_review(RTC, Ground.BILLING_ERROR, since)
    at, still = since, timedelta(0)
    for number, gap in enumerate(hours):
        at += timedelta(hours=gap)
        if number % 2:
            still += timedelta(hours=gap)
            clock = clock.resumed(at, RTC)
        else:
            clock = clock.paused(at)
    plain = start_review(RTC, Ground.BILLING_ERROR, since)
    assert clock.due_at >= plain.due_at
    # Each hour of standing still adds at most the business days that it touches.
    most = 10 + still.days + len(hours)
    assert clock.due_at <= after_business_days(since, most, RTC.calendar, RTC.time_zone)


@pytest.mark.clause("moneyback.callback")
def test_a_call_back_comes_in_four_to_eight_business_hours() -> None:
    friday_evening = datetime(2026, 3, 13, 23, tzinfo=UTC)  # 19:00 in New York
    span = callback_span(MONEYBACK, Ground.DISSATISFACTION, friday_evening)
    assert span == (
        datetime(2026, 3, 16, 13, tzinfo=UTC),  # three hours on Friday, one on Monday: 09:00
        datetime(2026, 3, 16, 17, tzinfo=UTC),
    )
    clock = start_callback(friday_evening, span)
    assert (clock.warn_at, clock.due_at) == span
    assert callback_span(RTC, Ground.BILLING_ERROR, NOW) is None


def test_the_next_of_the_clocks_makes_a_case_due() -> None:
    review, asked = start_review(RTC, Ground.BILLING_ERROR, NOW), start_evidence(RTC, NOW)
    waiting = case(clocks=(review.paused(NOW), asked))
    assert waiting.due_at == asked.warn_at
    assert case(clocks=(review, asked)).due_at == min(review.warn_at, asked.warn_at)
    assert waiting.stopped(NOW).due_at is None
