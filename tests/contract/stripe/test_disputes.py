"""Disputes: an inquiry, a chargeback, their ends, and the money that moves."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe


def kinds_since(shop, count) -> Any:
    return [kind for kind in shop.kinds()[count:] if kind.startswith("charge.")]


@pytest.fixture
def charge(shop):
    return shop.paid(6000).latest_charge.id


def open_dispute(shop, charge, kind, **more) -> Any:
    return shop.local("POST", "disputes", charge=charge, kind=kind, **more)


def movements(shop, dispute) -> Any:
    rows = shop.client.v1.disputes.retrieve(dispute).balance_transactions
    return [(row.reporting_category, row.amount, row.fee, row.net) for row in rows]


def test_a_chargeback_takes_amount_and_fee(shop, charge):
    before = len(shop.kinds())
    dispute = open_dispute(shop, charge, "chargeback", reason="product_not_received")
    assert dispute["id"].startswith("du_")
    assert (dispute["status"], dispute["is_charge_refundable"]) == ("needs_response", False)
    assert dispute["payment_method_details"]["card"]["case_type"] == "chargeback"
    assert dispute["reason"] == "product_not_received"
    assert movements(shop, dispute["id"]) == [("dispute", -6000, 1500, -7500)]
    row = dispute["balance_transactions"][0]
    assert (row["type"], row["description"]) == (
        "adjustment",
        f"Chargeback withdrawal for {charge}",
    )
    assert row["fee_details"][0]["description"] == "Dispute fee"
    assert shop.client.v1.charges.retrieve(charge).disputed
    assert kinds_since(shop, before) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]


def test_an_inquiry_takes_nothing(shop, charge):
    dispute = open_dispute(shop, charge, "inquiry")
    assert (dispute["status"], dispute["is_charge_refundable"]) == ("warning_needs_response", True)
    assert dispute["payment_method_details"]["card"]["case_type"] == "inquiry"
    assert (dispute["balance_transactions"], movements(shop, dispute["id"])) == ([], [])


def test_an_inquiry_comes_to_nothing_or_escalates(shop, charge):
    first = open_dispute(shop, charge, "inquiry")
    closed = shop.local("POST", f"disputes/{first['id']}", outcome="closed")
    assert closed["status"] == "warning_closed"
    second = open_dispute(shop, charge, "inquiry")
    before = len(shop.kinds())
    risen = shop.local("POST", f"disputes/{second['id']}", outcome="escalated")
    assert (risen["status"], risen["is_charge_refundable"]) == ("needs_response", False)
    assert movements(shop, second["id"]) == [("dispute", -6000, 1500, -7500)]
    assert kinds_since(shop, before) == [
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]
    previous = shop.events("charge.dispute.updated")[0].data.previous_attributes
    assert previous.status == "warning_needs_response"


def test_won_brings_the_amount_back_but_not_the_fee(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")["id"]
    before = len(shop.kinds())
    won = shop.local("POST", f"disputes/{dispute}", outcome="won")
    assert (won["status"], won["is_charge_refundable"]) == ("won", True)
    assert movements(shop, dispute) == [
        ("dispute", -6000, 1500, -7500),
        ("dispute_reversal", 6000, 0, 6000),
    ]
    assert kinds_since(shop, before) == [
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert shop.client.v1.refunds.create({"charge": charge, "amount": 1}).status == "succeeded"


def test_lost_keeps_the_money_away_and_may_still_be_won_late(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")["id"]
    assert shop.local("POST", f"disputes/{dispute}", outcome="lost")["status"] == "lost"
    assert len(movements(shop, dispute)) == 1
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.refunds.create({"charge": charge})
    assert shop.local("POST", f"disputes/{dispute}", outcome="won")["status"] == "won"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("inquiry", "won"), ("inquiry", "lost"), ("chargeback", "escalated"), ("chargeback", "x")],
)
def test_an_impossible_outcome_is_refused_with_a_reason(shop, charge, kind, outcome):
    dispute = open_dispute(shop, charge, kind)
    message = shop.refused("POST", f"disputes/{dispute['id']}", outcome=outcome)
    assert message == f"a dispute in {dispute['status']} cannot become {outcome}"


def test_a_dispute_can_be_about_a_part(shop, charge):
    assert open_dispute(shop, charge, "chargeback", amount=2500)["amount"] == 2500


def test_disputes_are_found_by_charge_and_by_payment(shop, charge):
    dispute = open_dispute(shop, charge, "inquiry")
    for query in ({"charge": charge}, {"payment_intent": dispute["payment_intent"]}):
        found = shop.client.v1.disputes.list({**query, "expand": ["data.charge"]}).data
        assert [(row.id, row.charge.id) for row in found] == [(dispute["id"], charge)]


@pytest.mark.parametrize(
    ("kind", "text", "status"),
    [
        ("chargeback", "winning_evidence", "won"),
        ("chargeback", "losing_evidence", "lost"),
        ("inquiry", "escalate_inquiry_evidence", "needs_response"),
    ],
)
def test_test_evidence_decides_a_few_seconds_later(shop, charge, kind, text, status):
    dispute = open_dispute(shop, charge, kind)["id"]
    sent = shop.client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": text}})
    assert sent.status.endswith("under_review")
    assert sent.evidence_details.submission_count == 1
    shop.wait(6)
    assert shop.client.v1.disputes.retrieve(dispute).status == status


def test_evidence_can_be_staged(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")["id"]
    staged = shop.client.v1.disputes.update(
        dispute, {"evidence": {"customer_name": "Ann"}, "submit": False}
    )
    assert (staged.status, staged.evidence.customer_name) == ("needs_response", "Ann")
    assert (staged.evidence_details.has_evidence, staged.evidence_details.submission_count) == (
        True,
        0,
    )


def test_giving_in_is_lost_and_final(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")["id"]
    assert shop.client.v1.disputes.close(dispute).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="This dispute is already closed"):
        shop.client.v1.disputes.close(dispute)


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("pm_card_createDispute", "needs_response"),
        ("pm_card_createDisputeInquiry", "warning_needs_response"),
    ],
)
def test_some_test_cards_are_disputed_at_once(shop, card, status):
    subscription = shop.subscribe(1000, customer=shop.customer(card).id)
    payment = shop.payment(subscription.latest_invoice)
    found = shop.client.v1.disputes.list({"payment_intent": payment.id}).data
    assert [row.status for row in found] == [status]
    kinds = shop.kinds()
    opened = kinds.index("charge.dispute.created")
    assert kinds.index("charge.succeeded") < opened < kinds.index("payment_intent.succeeded")


def test_an_unknown_kind_is_refused(shop, charge):
    message = shop.refused("POST", "disputes", charge=charge, kind="grudge")
    assert message.endswith(", not 'grudge'")


def test_the_answer_is_due_at_the_end_of_a_day(shop, charge):
    due = datetime.fromtimestamp(
        open_dispute(shop, charge, "inquiry")["evidence_details"]["due_by"], UTC
    )
    assert due.isoformat() == "2026-01-09T23:59:59+00:00"


def test_balance_transactions_are_not_found_by_their_dispute(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")
    row = shop.client.v1.balance_transactions.retrieve(dispute["balance_transactions"][0]["id"])
    assert row.source == dispute["id"]
    assert shop.client.v1.balance_transactions.list({"source": dispute["id"]}).data == []
    assert len(shop.client.v1.balance_transactions.list({"source": charge}).data) == 1


def test_evidence_and_giving_in_are_told_of_the_charge_too(shop, charge):
    dispute = open_dispute(shop, charge, "chargeback")["id"]
    before = len(shop.kinds())
    shop.client.v1.disputes.update(dispute, {"evidence": {"customer_name": "Ann"}})
    shop.client.v1.disputes.close(dispute)
    assert kinds_since(shop, before) == [
        "charge.dispute.updated",
        "charge.updated",
        "charge.dispute.closed",
        "charge.updated",
    ]
