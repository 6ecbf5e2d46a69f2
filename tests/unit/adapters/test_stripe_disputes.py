"""Stripe's disputes as facts: one kind, phase and outcome each; what is new is parked."""

from typing import Any

import pytest
import stripe

from shared.adapters.stripe_disputes import classify, dispute_from_stripe
from shared.domain.dispute import DisputeKind as Kind
from shared.domain.dispute import DisputeOutcome as Outcome
from shared.domain.dispute import DisputePhase as Phase
from shared.domain.dispute import Stance


def dispute(**change: Any) -> dict[str, Any]:
    return {
        "id": "du_1",
        "charge": {"id": "ch_1"},
        "payment_intent": "pi_1",
        "status": "needs_response",
        "amount": 6000,
        "currency": "usd",
        "balance_transactions": [
            {
                "id": "txn_1",
                "amount": -8391,
                "fee": 1500,
                "currency": "cad",
                "exchange_rate": 1.3985,
            }
        ],
        "evidence_details": {"due_by": 0, "submission_count": 0},
        "payment_method_details": {
            "type": "card",
            "card": {"case_type": "chargeback", "network": "visa", "network_reason_code": "13.2"},
        },
        "is_charge_refundable": False,
        "reason": "subscription_canceled",
        "created": 1,
        "livemode": False,
    } | change


UNKNOWN = (Kind.UNRECOGNIZED, Phase.UNRECOGNIZED, Outcome.UNDECIDED)
WARNING_CLOSED = (Kind.INQUIRY, Phase.ENDED, Outcome.CLOSED)


@pytest.mark.parametrize(
    ("status", "case", "expected", "stance"),
    [
        ("warning_needs_response", "inquiry", (Kind.INQUIRY, Phase.OPEN), Stance.HARMLESS),
        ("warning_under_review", None, (Kind.INQUIRY, Phase.UNDER_REVIEW), Stance.HARMLESS),
        ("warning_closed", "inquiry", WARNING_CLOSED, Stance.HARMLESS),
        ("needs_response", "chargeback", (Kind.CHARGEBACK, Phase.OPEN), Stance.ARGUED),
        ("needs_response", "inquiry", (Kind.CHARGEBACK, Phase.OPEN), Stance.ARGUED),
        ("needs_response", None, (Kind.CHARGEBACK, Phase.OPEN), Stance.ARGUED),
        ("needs_response", "compliance", (Kind.COMPLIANCE, Phase.OPEN), Stance.ARGUED),
        ("under_review", "chargeback", (Kind.CHARGEBACK, Phase.UNDER_REVIEW), Stance.ARGUED),
        ("won", "chargeback", (Kind.CHARGEBACK, Phase.ENDED, Outcome.WON), Stance.WON),
        ("lost", "compliance", (Kind.COMPLIANCE, Phase.ENDED, Outcome.LOST), Stance.LOST),
        ("prevented", "block", (Kind.BLOCK, Phase.ENDED, Outcome.PREVENTED), Stance.HARMLESS),
        (
            "prevented",
            "resolution",
            (Kind.RESOLUTION, Phase.ENDED, Outcome.PREVENTED),
            Stance.HARMLESS,
        ),
        ("appeal_needs_response", "chargeback", (Kind.CHARGEBACK, Phase.APPEAL), Stance.ARGUED),
        (
            "appeal_under_review",
            "chargeback",
            (Kind.CHARGEBACK, Phase.APPEAL_UNDER_REVIEW),
            Stance.ARGUED,
        ),
        ("newly_invented", "chargeback", UNKNOWN, Stance.HARMLESS),
        ("needs_response", "newly_invented", UNKNOWN, Stance.HARMLESS),
        ("needs_response", "block", UNKNOWN, Stance.HARMLESS),
    ],
)
def test_each_status_and_case_has_one_meaning(
    status: str, case: str | None, expected: tuple[Any, ...], stance: Stance
) -> None:
    kind, phase, *outcome = expected
    card = {"case_type": case, "network": "visa"} if case else None
    raw = dispute(status=status, payment_method_details={"type": "card", "card": card})
    seen = dispute_from_stripe(raw)
    assert (seen.kind, seen.phase, seen.outcome) == (
        kind,
        phase,
        outcome[0] if outcome else Outcome.UNDECIDED,
    )
    assert (seen.stance, seen.raw_status) == (stance, status)
    assert seen.is_understood == (expected != UNKNOWN)


def test_every_status_that_the_pinned_sdk_declares_is_understood() -> None:
    """The SDK's annotation lists them; a new one shows here before it shows in production."""
    declared = stripe.Dispute.__annotations__["status"]
    names = [part for part in str(declared).replace('"', "'").split("'") if "_" in part or part]
    statuses = [name for name in names if name.replace("_", "").isalpha() and name.islower()]
    assert {"needs_response", "prevented", "appeal_under_review"} <= set(statuses)
    assert [name for name in statuses if classify(name, None) == UNKNOWN] == []


def test_what_was_withdrawn_is_counted_in_the_settlement_currency_with_its_rate() -> None:
    seen = dispute_from_stripe(dispute())
    assert (seen.withdrawn, seen.fee, seen.settlement_currency) == (8391, 1500, "cad")
    assert (seen.amount, seen.currency, seen.rate) == (6000, "usd", "1.3985")
    assert seen.movements == ("txn_1",)


def test_what_came_back_is_no_withdrawal_and_may_be_another_amount() -> None:
    rows = [
        {"id": "txn_1", "amount": -8391, "fee": 1500, "currency": "cad"},
        {"id": "txn_2", "amount": 8400, "fee": 0, "currency": "cad"},
    ]
    seen = dispute_from_stripe(dispute(balance_transactions=rows, status="won"))
    assert (seen.withdrawn, seen.returned, seen.fee) == (8391, 8400, 1500)


def test_what_countering_cost_stands_beside_the_disputes_own_movements() -> None:
    beside = [{"id": "txn_3", "net": -1500}, {"id": "txn_4", "net": 1500}]
    seen = dispute_from_stripe(dispute(), "cus_1", beside)
    assert (seen.countering, seen.countering_returned) == (1500, 1500)


@pytest.mark.parametrize("due_by", [0, None])
def test_a_dispute_that_cannot_be_answered_has_no_deadline(due_by: int | None) -> None:
    seen = dispute_from_stripe(dispute(evidence_details={"due_by": due_by}))
    assert seen.respond_by is None


@pytest.mark.parametrize(
    ("method", "network", "code"),
    [
        (
            {"type": "card", "card": {"network": "visa", "network_reason_code": "13.2"}},
            "visa",
            "13.2",
        ),
        (
            {"type": "klarna", "klarna": {"reason_code": "goods_not_received"}},
            "klarna",
            "goods_not_received",
        ),
        ({"type": "newly_invented"}, "newly_invented", ""),
        (None, "", ""),
    ],
    ids=["card", "klarna", "new", "none"],
)
def test_the_reason_code_is_the_networks_own(
    method: dict[str, Any] | None, network: str, code: str
) -> None:
    seen = dispute_from_stripe(dispute(payment_method_details=method))
    assert (seen.network, seen.reason_code) == (network, code)
