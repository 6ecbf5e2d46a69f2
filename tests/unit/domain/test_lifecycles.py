"""Which state may follow which, and what access follows from them."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.cancellation import Cancellation, CancellationState, ItemEnd, Timing
from shared.domain.errors import BrokenInvariantError
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.domain.subscription import (
    Subscription,
    SubscriptionItem,
    SubscriptionStatus,
    is_entitled,
    latest_end,
)

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def cancellation(state: CancellationState) -> Cancellation:
    return Cancellation(
        id="c",
        customer="cus_1",
        subscription="sub_1",
        quote="q",
        timing=Timing.AT_PERIOD_END,
        state=state,
        requested_at=START,
        effective_at=END,
        items=(ItemEnd("si_1", END),),
    )


def refund(status: RefundStatus) -> RefundOperation:
    return RefundOperation("r", "cus_1", "c", "in_1", "pi_1", 100, "usd", status, START)


@pytest.mark.parametrize(
    ("state", "following"),
    [
        (CancellationState.WITHDRAWN, CancellationState.EXECUTED),
        (CancellationState.EXECUTED, CancellationState.WITHDRAWN),
        (CancellationState.EXECUTING, CancellationState.WITHDRAWN),
        (CancellationState.EXECUTING, CancellationState.SCHEDULED),
    ],
)
def test_a_cancellation_never_steps_back(
    state: CancellationState, following: CancellationState
) -> None:
    with pytest.raises(BrokenInvariantError):
        cancellation(state).step(following)


@pytest.mark.parametrize(
    ("status", "following"),
    [
        (RefundStatus.SUCCEEDED, RefundStatus.PENDING),
        (RefundStatus.SUCCEEDED, RefundStatus.REJECTED),
        (RefundStatus.FAILED, RefundStatus.SUCCEEDED),
    ],
)
def test_a_refund_never_steps_back(status: RefundStatus, following: RefundStatus) -> None:
    with pytest.raises(BrokenInvariantError):
        refund(status).step(following)


def test_a_refund_may_fail_after_it_has_succeeded() -> None:
    assert refund(RefundStatus.SUCCEEDED).step(RefundStatus.FAILED).status is RefundStatus.FAILED


def item(access_until: datetime | None = None) -> SubscriptionItem:
    return SubscriptionItem("si_1", "p", "pr", 1, 100, "usd", "month", START, END, access_until)


def subscription(status: SubscriptionStatus, *items: SubscriptionItem) -> Subscription:
    return Subscription("sub_1", "cus_1", status, items or (item(),))


def test_a_stored_end_decides_access_to_the_second_whatever_the_status() -> None:
    for status in SubscriptionStatus:
        known = subscription(status, item(END))
        assert is_entitled(known.items[0], known, END - timedelta(seconds=1))
        assert not is_entitled(known.items[0], known, END)


@pytest.mark.parametrize(
    ("status", "entitled"),
    [
        (SubscriptionStatus.ACTIVE, True),
        (SubscriptionStatus.TRIALING, True),
        (SubscriptionStatus.PAST_DUE, True),
        (SubscriptionStatus.UNPAID, False),
        (SubscriptionStatus.INCOMPLETE, False),
        (SubscriptionStatus.PAUSED, False),
        (SubscriptionStatus.ENDED, False),
        (SubscriptionStatus.UNRECOGNIZED, False),
    ],
)
def test_without_a_stored_end_the_status_decides(
    status: SubscriptionStatus, *, entitled: bool
) -> None:
    known = subscription(status)
    assert is_entitled(known.items[0], known, END + timedelta(days=3)) is entitled


def test_an_earlier_end_of_an_item_stays_when_the_whole_ends() -> None:
    earlier = START + timedelta(days=3)
    ended = subscription(SubscriptionStatus.ACTIVE, item(earlier), item()).ended(END)
    assert [one.access_until for one in ended.items] == [earlier, END]
    assert ended.due_at is None


def test_no_end_set_on_any_item_means_no_end() -> None:
    assert latest_end([END, None]) is None
    assert latest_end([START, END]) == END
    assert latest_end([]) is None
