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
