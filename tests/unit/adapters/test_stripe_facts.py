"""Stripe's objects as facts: what is new or unknown is data, never a crash or a guess."""

from typing import Any

import pytest

from shared.adapters import stripe_facts as facts
from shared.domain.subscription import SubscriptionStatus


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


@pytest.mark.parametrize(
    ("details", "reference"),
    [
        (None, None),
        ({"type": "card", "card": {"reference": "4711", "reference_status": "available"}}, "4711"),
        ({"type": "card", "card": {"reference_status": "pending", "type": "pending"}}, None),
        ({"type": "eu_bank_transfer", "eu_bank_transfer": {"reference": "SEPA 1"}}, "SEPA 1"),
        ({"type": "klarna", "klarna": {}}, None),
        ({"type": "newly_invented"}, None),
    ],
)
def test_a_bank_finds_a_refund_by_the_reference_of_its_own_way(
    details: Any, reference: str | None
) -> None:
    raw = {"id": "re_1", "amount": 5, "currency": "usd", "status": "succeeded", "created": 0}
    seen = facts.refund_from_stripe(raw | {"destination_details": details})
    assert seen.bank_reference == reference
