"""Whole lists through the port, page by page, on both accounts that our code is proven on."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from shared.adapters import stripe_lists
from shared.domain.dispute import DisputeFacts
from shared.domain.errors import RefusedError
from shared.domain.invoice import CreditNoteLine
from shared.domain.network_month import ChargeFacts
from shared.domain.reconciliation import ChangeFacts, CreditNoteFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus
from tests.contract.stripe.accounts import DAY, Account, Bought

F = TypeVar("F")


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def created(row: Any) -> datetime:
    at: datetime = row.opened_at if isinstance(row, DisputeFacts) else row.created_at
    return at


def whole(account: Account, kind: type[F], since: datetime | None = None) -> list[F]:
    rows: list[F] = []
    after = None
    while True:
        page = account.billing.page(kind, since=since, after=after)
        rows += page.rows
        after = page.after
        if after is None:
            return rows


def busy(account: Account, number: int, apart: timedelta) -> list[Bought]:
    """So many of everything, one after the other."""
    made = []
    for index in range(number):
        bought = account.buy(12000)
        billing, operation = account.billing, f"01OP{index}"
        refund = billing.refund_payment(
            payment=bought.payment,
            amount=5000,
            operation=operation,
            customer=bought.customer,
            key=f"r:{operation}",
        )
        billing.issue_credit_note(
            invoice=bought.invoice,
            lines=[CreditNoteLine(bought.line, 5000, ())],
            refunds=[(refund.id, 5000)],
            credit=0,
            operation=operation,
            key=f"n:{operation}",
        )
        account.dispute(bought.payment)
        made.append(bought)
        account.until(account.now() + apart)
    return made


def test_pages_cover_everything_once_the_newest_first(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_lists, "PER_PAGE", 10)
    made = busy(account, 11, timedelta(hours=1))[::-1]
    customers = [one.customer for one in made]
    for kind in (RefundFacts, CreditNoteFacts, DisputeFacts):
        rows: list[Any] = whole(account, kind)
        assert [row.customer for row in rows] == customers
    assert [row.id for row in whole(account, SubscriptionFacts)] == [s.subscription for s in made]
    notes = whole(account, CreditNoteFacts)
    assert [(n.invoice, n.status) for n in notes] == [(one.invoice, "issued") for one in made]
    assert [n.operation for n in notes] == [f"01OP{n}" for n in range(10, -1, -1)]
    refunds = whole(account, RefundFacts)
    assert refunds == [r for one in made for r in account.billing.refunds_of(one.payment)]
    moved = [(m.source, m.net) for m in whole(account, MovementFacts) if m.category == "refund"]
    assert moved == [(refund.id, -5000) for refund in refunds]
    charges = whole(account, ChargeFacts)
    assert [(charge.network, charge.paid) for charge in charges] == [("visa", True)] * 11
    changed = [change.object for change in whole(account, ChangeFacts)]
    assert [name for name in dict.fromkeys(changed) if name.startswith("re_")] == [
        refund.id for refund in refunds
    ]


@pytest.mark.parametrize(
    "kind",
    [
        *(RefundFacts, DisputeFacts, CreditNoteFacts),
        *(SubscriptionFacts, MovementFacts, ChangeFacts),
    ],
)
def test_a_list_begins_where_it_is_asked_to(account: Account, kind: type[Any]) -> None:
    """From the second on in which something was created, whatever its fraction."""
    busy(account, 3, DAY)
    rows = whole(account, kind)
    assert len(rows) >= 3
    second = sorted({created(row) for row in rows})[1]
    since = whole(account, kind, second + timedelta(milliseconds=900))
    assert since == [row for row in rows if created(row) >= second]
    assert whole(account, kind, account.now() + DAY) == []
    page = account.billing.page(kind, since=None, after=None)
    assert page.after is None or page.rows
    with pytest.raises(RefusedError):
        account.billing.page(kind, since=None, after="absent_1")


def test_ended_subscriptions_are_listed(account: Account, bought: Bought) -> None:
    account.billing.cancel_now(bought.subscription)
    (seen,) = whole(account, SubscriptionFacts)
    assert (seen.id, seen.status) == (bought.subscription, SubscriptionStatus.ENDED)


def test_what_moves_money_is_a_movement(account: Account, bought: Bought) -> None:
    pends = account.buy(9000)
    refund = account.refund_by_hand(pends.payment, 4000)
    account.settle(refund, "failed")
    dispute = account.dispute(bought.payment)
    account.decide(dispute, "won")
    moved = {
        (one.category, one.source, one.net)
        for one in whole(account, MovementFacts)
        if one.category != "charge"
    }
    assert moved == {
        ("refund", refund, -4000),
        ("refund_failure", refund, 4000),
        ("dispute", dispute, -13500),
        ("dispute_reversal", dispute, 12000),
    }
    seen = account.billing.dispute(dispute)
    assert seen is not None
    listed = [m.id for m in whole(account, MovementFacts) if m.source == dispute]
    assert sorted(seen.movements) == sorted(listed)


def test_what_changes_is_told_of(account: Account, bought: Bought) -> None:
    billing, told = account.billing, len(whole(account, ChangeFacts))

    def tells() -> set[str]:
        nonlocal told
        rows = whole(account, ChangeFacts)
        fresh, told = rows[: len(rows) - told], len(rows)
        return {row.object for row in fresh}

    billing.set_cancel_at_period_end(bought.subscription, cancel=True, key="on")
    assert tells() == {bought.subscription}
    billing.pause_collection(bought.subscription, key="p")
    assert tells() == {bought.subscription}
    refund = account.refund_by_hand(bought.payment, 4000)
    assert tells() == {refund}
    account.settle(refund, "failed")
    assert tells() == {refund}
    dispute = account.dispute(bought.payment)
    assert tells() == {dispute}
    account.decide(dispute, "lost")
    assert tells() == {dispute}
    billing.cancel_now(bought.subscription)
    assert tells() == {bought.subscription}
