"""Disputes, evidence and unpaid invoices through the billing adapter, at the local Stripe."""

from typing import Any

import pytest

from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.domain.dispute import DisputePhase


@pytest.fixture
def billing(shop: Any) -> StripeBilling:
    return StripeBilling(stripe_client("sk_test_local", shop.server.url))


def disputed(shop: Any) -> str:
    charge = shop.paid().latest_charge.id
    opened = shop.local("POST", "disputes", charge=charge, kind="chargeback")
    return str(opened["id"])


def test_evidence_is_uploaded_staged_and_submitted_once(shop: Any, billing: StripeBilling) -> None:
    dispute = disputed(shop)
    file = billing.upload_evidence(b"%PDF-1.4 a document", name="du.pdf", key="up")
    fields = {"uncategorized_text": "Used it.", "uncategorized_file": file}
    billing.send_evidence(dispute, fields, submit=False, key="stage")
    staged = shop.client.v1.disputes.retrieve(dispute)
    assert (staged.status, staged.evidence.uncategorized_file) == ("needs_response", file)
    for _ in range(2):
        billing.send_evidence(dispute, fields, submit=True, key="submit")
    seen = billing.dispute(dispute)
    assert seen is not None
    assert (seen.phase, seen.submissions) == (DisputePhase.UNDER_REVIEW, 1)
    assert seen.intended_method == "manual"


def test_a_dispute_that_is_given_up_is_lost(shop: Any, billing: StripeBilling) -> None:
    dispute = disputed(shop)
    billing.accept_dispute(dispute, key="accept")
    seen = billing.dispute(dispute)
    assert seen is not None
    assert seen.raw_status == "lost"


def test_what_countering_costs_is_read_beside_the_dispute(
    shop: Any, billing: StripeBilling
) -> None:
    shop.local("POST", "settings", counter_fee=True)
    dispute = disputed(shop)
    billing.send_evidence(dispute, {"uncategorized_text": "winning_evidence"}, submit=True, key="k")
    seen = billing.dispute(dispute)
    assert seen is not None
    assert (seen.fee, seen.countering, seen.countering_returned) == (1500, 1500, 0)


def test_a_payment_tells_of_whoever_made_it_and_of_earlier_ones(
    shop: Any, billing: StripeBilling
) -> None:
    charge = shop.paid().latest_charge.id
    story = billing.charge_story(charge)
    assert story is not None
    assert (story.charge, story.amount, story.earlier) == (charge, 1000, ())
    assert billing.charge_story("ch_absent") is None


def test_a_fraud_warning_says_whose_payment_it_suspects(shop: Any, billing: StripeBilling) -> None:
    charge = shop.paid().latest_charge
    warned = shop.local("POST", "early_fraud_warnings", charge=charge.id)
    seen = billing.fraud_warning(warned["id"])
    assert seen is not None
    assert (seen.charge, seen.customer, seen.left) == (charge.id, charge.customer, 1000)
    assert seen.actionable


def test_what_is_owed_becomes_an_invoice_that_nobody_is_charged_for(
    shop: Any, billing: StripeBilling
) -> None:
    customer = shop.paid().customer
    invoice = billing.draft_debt(customer, "usd", receivable="01OWED", key="d")
    assert billing.draft_debt(customer, "usd", receivable="01OWED", key="d") == invoice
    assert billing.debt_invoice(customer, "01OWED") == invoice
    billing.fill_debt(customer, invoice, amount=6400, currency="usd", operation="01ITEM", key="f")
    assert billing.charge_added(customer, "01ITEM")
    billing.send_debt(invoice, key="s")
    sent = shop.client.v1.invoices.retrieve(invoice)
    assert (sent.status, sent.amount_due, sent.auto_advance) == ("open", 6400, False)
    shop.wait(30 * 24 * 3600)
    seen = billing.dunning(invoice)
    assert seen is not None
    assert (seen.status, seen.receivable, seen.due) == ("open", "01OWED", 6400)


def test_a_payment_names_the_invoices_that_it_has_paid(shop: Any, billing: StripeBilling) -> None:
    invoice = shop.subscribe(1000).latest_invoice
    assert billing.invoices_paid_by(shop.payment(invoice).id) == [invoice]
    assert billing.invoices_paid_by("pi_absent") == []
