"""Stripe's objects as facts: what is new or unknown is data, never a crash or a guess."""

from typing import Any

import pytest

from shared.adapters import stripe_facts as facts
from shared.domain.dispute import DisputeKind, DisputePhase
from shared.domain.subscription import SubscriptionStatus


def dispute(**change: Any) -> dict[str, Any]:
    return {
        "id": "du_1",
        "charge": {"id": "ch_1"},
        "payment_intent": "pi_1",
        "status": "needs_response",
        "amount": 6000,
        "currency": "usd",
        "balance_transactions": [{"amount": -8391, "fee": 1500, "currency": "cad"}],
        "evidence_details": {"due_by": 0},
        "reason": "fraudulent",
        "created": 1,
        "livemode": False,
    } | change


def subscription(**change: Any) -> dict[str, Any]:
    item = {
        "id": "si_1",
        "quantity": 1,
        "current_period_start": 0,
        "current_period_end": 100,
        "price": {"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 5},
    }
    return {
        "id": "sub_1",
        "customer": "cus_1",
        "status": "active",
        "items": {"data": [item]},
        "cancel_at_period_end": False,
        "created": 0,
        "livemode": False,
    } | change


@pytest.mark.parametrize(
    ("status", "kind", "phase"),
    [
        ("warning_needs_response", DisputeKind.INQUIRY, DisputePhase.OPEN),
        ("warning_under_review", DisputeKind.INQUIRY, DisputePhase.OPEN),
        ("warning_closed", DisputeKind.INQUIRY, DisputePhase.CLOSED),
        ("needs_response", DisputeKind.CHARGEBACK, DisputePhase.OPEN),
        ("under_review", DisputeKind.CHARGEBACK, DisputePhase.OPEN),
        ("won", DisputeKind.CHARGEBACK, DisputePhase.WON),
        ("lost", DisputeKind.CHARGEBACK, DisputePhase.LOST),
        ("newly_invented", DisputeKind.UNRECOGNIZED, DisputePhase.UNRECOGNIZED),
    ],
)
def test_each_dispute_status_has_one_kind_and_phase(
    status: str, kind: DisputeKind, phase: DisputePhase
) -> None:
    seen = facts.dispute_from_stripe(dispute(status=status))
    assert (seen.kind, seen.phase, seen.raw_status) == (kind, phase, status)


def test_what_was_withdrawn_is_counted_in_the_settlement_currency() -> None:
    seen = facts.dispute_from_stripe(dispute())
    assert (seen.withdrawn, seen.fee, seen.settlement_currency) == (8391, 1500, "cad")


def test_a_reversal_is_no_withdrawal() -> None:
    rows = [
        {"amount": -8391, "fee": 1500, "currency": "cad"},
        {"amount": 8391, "fee": 0, "currency": "cad"},
    ]
    seen = facts.dispute_from_stripe(dispute(balance_transactions=rows, status="won"))
    assert (seen.withdrawn, seen.fee) == (8391, 1500)


@pytest.mark.parametrize("due_by", [0, None])
def test_a_dispute_that_cannot_be_answered_has_no_deadline(due_by: int | None) -> None:
    seen = facts.dispute_from_stripe(dispute(evidence_details={"due_by": due_by}))
    assert seen.respond_by is None


def test_an_unknown_subscription_status_is_kept_as_such() -> None:
    seen = facts.subscription_from_stripe(subscription(status="newly_invented"))
    assert seen.status is SubscriptionStatus.UNRECOGNIZED


@pytest.mark.parametrize(
    ("change", "ends_at"),
    [
        ({}, None),
        ({"cancel_at_period_end": True}, 100),
        ({"cancel_at": 60}, 60),
        ({"cancel_at": 60, "cancel_at_period_end": True}, 60),
    ],
    ids=["renews", "classic", "flexible", "both"],
)
def test_an_end_is_seen_however_it_was_set(change: dict[str, Any], ends_at: int | None) -> None:
    seen = facts.subscription_from_stripe(subscription(**change))
    assert (seen.cancels_at and seen.cancels_at.timestamp()) == ends_at


def test_members_that_are_new_are_ignored() -> None:
    assert facts.subscription_from_stripe(subscription(newly="invented")).id == "sub_1"


def test_a_discount_and_an_inside_tax_come_off_a_line() -> None:
    line = facts.line_from_stripe(
        {
            "id": "il_1",
            "amount": 11900,
            "discount_amounts": [{"amount": 1190, "discount": "di_1"}],
            "taxes": [{"amount": 1710, "tax_behavior": "inclusive", "tax_rate_details": None}],
            "period": {"start": 0, "end": 100},
            "parent": {"type": "subscription_item_details", "subscription_item_details": {}},
        }
    )
    assert (line.kind, line.amount, line.tax) == ("subscription", 9000, 1710)


def test_a_mid_cycle_credit_names_the_lines_it_takes_back() -> None:
    credited = {"credited_items": {"invoice": "in_1", "invoice_line_items": ["il_0"]}}
    line = facts.line_from_stripe(
        {
            "id": "il_1",
            "amount": -500,
            "period": {"start": 0, "end": 100},
            "parent": {
                "type": "invoice_item_details",
                "invoice_item_details": {"subscription": "sub_1", "proration_details": credited},
            },
        }
    )
    assert (line.kind, line.amount, line.credits) == ("subscription", -500, ("il_0",))
