"""Whole lists through our `Billing` adapter, page by page, against the local Stripe."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from shared.adapters import stripe_lists
from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.domain.dispute import DisputeFacts, DisputePhase
from shared.domain.reconciliation import ChangeFacts, CreditNoteFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus

F = TypeVar("F")
LATER = "2026-01-05T00:00:00Z"
SINCE = datetime(2026, 1, 3, tzinfo=UTC)


@pytest.fixture
def billing(shop: Any) -> StripeBilling:
    return StripeBilling(stripe_client("sk_test_local", shop.server.url))


def whole(billing: StripeBilling, kind: type[F], since: datetime | None = None) -> list[F]:
    rows: list[F] = []
    after = None
    while True:
        page = billing.page(kind, since=since, after=after)
        rows += page.rows
        if page.after is None:
            return rows
        after = page.after


def test_every_page_follows_the_one_before(
    shop: Any, billing: StripeBilling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_lists, "PER_PAGE", 2)
    made = [shop.subscribe(1000).id for _ in range(5)]
    first = billing.page(SubscriptionFacts, since=None, after=None)
    assert [one.id for one in first.rows] == made[:2:-1]
    assert [one.id for one in whole(billing, SubscriptionFacts)] == made[::-1]


def test_ended_subscriptions_are_listed_too(shop: Any, billing: StripeBilling) -> None:
    made = shop.subscribe(1000)
    shop.client.v1.subscriptions.cancel(made.id)
    (seen,) = whole(billing, SubscriptionFacts)
    assert (seen.id, seen.status) == (made.id, SubscriptionStatus.ENDED)


def test_a_refund_says_whose_it_is_and_since_when(shop: Any, billing: StripeBilling) -> None:
    old, new = shop.paid(), shop.paid()
    shop.client.v1.refunds.create({"payment_intent": old.id, "amount": 100})
    shop.until(LATER)
    made = shop.client.v1.refunds.create({"payment_intent": new.id, "amount": 300})
    (seen,) = whole(billing, RefundFacts, SINCE)
    assert (seen.id, seen.payment, seen.amount) == (made.id, new.id, 300)
    assert seen.customer == new.customer
    assert seen.created_at == datetime.fromtimestamp(made.created, UTC)
    assert len(whole(billing, RefundFacts)) == 2


def test_a_dispute_says_whose_charge_it_is_about(shop: Any, billing: StripeBilling) -> None:
    paid = shop.paid()
    charge = paid.latest_charge
    shop.local("POST", "disputes", charge=charge.id, kind="chargeback")
    (seen,) = whole(billing, DisputeFacts)
    assert (seen.customer, seen.charge) == (paid.customer, charge.id)
    assert (seen.phase, seen.withdrawn, seen.fee) == (DisputePhase.OPEN, 1000, 1500)


def test_a_credit_note_names_its_operation(shop: Any, billing: StripeBilling) -> None:
    invoice = shop.client.v1.invoices.retrieve(shop.subscribe(1000).latest_invoice)
    line = invoice.lines.data[0].id
    shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 100}],
            "out_of_band_amount": 100,
            "metadata": {"fairexit_operation": "01OURS"},
        }
    )
    (seen,) = whole(billing, CreditNoteFacts)
    assert (seen.customer, seen.invoice) == (invoice.customer, invoice.id)
    assert (seen.status, seen.operation) == ("issued", "01OURS")


def test_movements_name_what_moved_them_and_what_it_cost(shop: Any, billing: StripeBilling) -> None:
    paid, disputed = shop.paid(), shop.paid()
    refund = shop.client.v1.refunds.create({"payment_intent": paid.id, "amount": 300})
    charge = disputed.latest_charge.id
    dispute = shop.local("POST", "disputes", charge=charge, kind="chargeback")["id"]
    shop.local("POST", f"disputes/{dispute}", outcome="won")
    moved = {(one.category, one.source): one.net for one in whole(billing, MovementFacts)}
    assert moved["refund", refund.id] == -300
    assert moved["dispute", dispute] == -2500
    assert moved["dispute_reversal", dispute] == 1000
    assert moved["charge", charge] == 1000 - 59


def test_changes_name_the_objects_whose_events_we_handle(shop: Any, billing: StripeBilling) -> None:
    paid = shop.paid()
    shop.until(LATER)
    refund = shop.client.v1.refunds.create({"payment_intent": paid.id, "amount": 300})
    assert {one.object for one in whole(billing, ChangeFacts, SINCE)} == {refund.id}
    assert len(whole(billing, ChangeFacts)) > 1
