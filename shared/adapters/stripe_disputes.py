"""Stripe's disputes as our facts: the only place that knows their statuses and case types."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.domain.dispute import DisputeFacts, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.evidence import ChargeStory, EarlierPayment

Raw = Mapping[str, Any]

# Status -> phase and outcome, and the kind where the status alone says it.
_STATUSES: dict[str, tuple[DisputeKind | None, DisputePhase, DisputeOutcome]] = {
    "warning_needs_response": (
        DisputeKind.INQUIRY,
        DisputePhase.OPEN,
        DisputeOutcome.UNDECIDED,
    ),
    "warning_under_review": (
        DisputeKind.INQUIRY,
        DisputePhase.UNDER_REVIEW,
        DisputeOutcome.UNDECIDED,
    ),
    "warning_closed": (DisputeKind.INQUIRY, DisputePhase.ENDED, DisputeOutcome.CLOSED),
    "needs_response": (None, DisputePhase.OPEN, DisputeOutcome.UNDECIDED),
    "under_review": (None, DisputePhase.UNDER_REVIEW, DisputeOutcome.UNDECIDED),
    "won": (None, DisputePhase.ENDED, DisputeOutcome.WON),
    "lost": (None, DisputePhase.ENDED, DisputeOutcome.LOST),
    "prevented": (None, DisputePhase.ENDED, DisputeOutcome.PREVENTED),
    "appeal_needs_response": (None, DisputePhase.APPEAL, DisputeOutcome.UNDECIDED),
    "appeal_under_review": (None, DisputePhase.APPEAL_UNDER_REVIEW, DisputeOutcome.UNDECIDED),
}
# What a card network calls the case. An inquiry that has escalated is a chargeback by its status,
# whatever its case type still says. A dispute of another method of payment has no case type.
_CASES = {
    None: DisputeKind.CHARGEBACK,
    "chargeback": DisputeKind.CHARGEBACK,
    "inquiry": DisputeKind.CHARGEBACK,
    "compliance": DisputeKind.COMPLIANCE,
    "resolution": DisputeKind.RESOLUTION,
    "block": DisputeKind.BLOCK,
}
# What a case type can be besides prevented: a block never takes money.
_NEVER_TAKES = DisputeKind.BLOCK
_UNKNOWN = (DisputeKind.UNRECOGNIZED, DisputePhase.UNRECOGNIZED, DisputeOutcome.UNDECIDED)


def classify(
    status: str, case_type: str | None
) -> tuple[DisputeKind, DisputePhase, DisputeOutcome]:
    """The kind, phase and outcome; all unrecognized when any of it is new to this version."""
    if status not in _STATUSES or case_type not in _CASES:
        return _UNKNOWN
    by_status, phase, outcome = _STATUSES[status]
    kind = by_status or _CASES[case_type]
    if kind is _NEVER_TAKES and outcome is not DisputeOutcome.PREVENTED:
        return _UNKNOWN
    return kind, phase, outcome


def dispute_from_stripe(
    raw: Raw, customer: str | None = None, beside: Sequence[Raw] = ()
) -> DisputeFacts:
    """A dispute: what the bank took is what its balance transactions say, not its amount.

    `beside` are movements that name the dispute without being among its own: what countering it
    cost, and its return.
    """
    method = raw.get("payment_method_details") or {}
    card = method.get("card") or {}
    kind, phase, outcome = classify(raw["status"], card.get("case_type"))
    rows = raw["balance_transactions"]
    gone = [row for row in rows if row["amount"] < 0]
    details = raw.get("evidence_details") or {}
    due_by = details.get("due_by")
    rates = [str(row["exchange_rate"]) for row in rows if row.get("exchange_rate")]
    return DisputeFacts(
        id=raw["id"],
        customer=customer,
        charge=_identifier(raw["charge"]) or "",
        payment=_identifier(raw.get("payment_intent")),
        kind=kind,
        phase=phase,
        outcome=outcome,
        raw_status=raw["status"],
        amount=raw["amount"],
        currency=raw["currency"],
        withdrawn=-sum(row["amount"] for row in gone),
        returned=sum(row["amount"] for row in rows if row["amount"] > 0),
        fee=sum(row["fee"] for row in rows),
        countering=-sum(row["net"] for row in beside if row["net"] < 0),
        countering_returned=sum(row["net"] for row in beside if row["net"] > 0),
        settlement_currency=rows[0]["currency"] if rows else raw["currency"],
        rate=rates[0] if rates else None,
        movements=tuple(row["id"] for row in (*rows, *beside) if row.get("id")),
        reason=raw["reason"],
        opened_at=datetime.fromtimestamp(raw["created"], UTC),
        # 0 and null both mean that there is nothing to answer (SDK, EvidenceDetails.due_by).
        respond_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        livemode=raw["livemode"],
        refundable=bool(raw.get("is_charge_refundable")),
        network=card.get("network") or method.get("type") or "",
        reason_code=_reason_code(method),
        submissions=details.get("submission_count") or 0,
        submission_method=details.get("submission_method") or "",
        intended_method=raw.get("intended_submission_method") or "",
    )


def story_from_stripe(raw: Raw, others: Sequence[Raw]) -> ChargeStory:
    """A charge with whoever paid it; of the others those that were paid and never disputed."""
    billing = raw.get("billing_details") or {}
    address = billing.get("address") or {}
    lines = [address.get(part) for part in ("line1", "line2", "postal_code", "city", "country")]
    return ChargeStory(
        charge=raw["id"],
        paid_at=datetime.fromtimestamp(raw["created"], UTC),
        amount=raw["amount"],
        currency=raw["currency"],
        description=raw.get("description") or "",
        name=billing.get("name"),
        email=billing.get("email") or raw.get("receipt_email"),
        address=", ".join(filter(None, lines)) or None,
        receipt=raw.get("receipt_url"),
        earlier=tuple(
            EarlierPayment(
                other["id"],
                other["amount"],
                other["currency"],
                datetime.fromtimestamp(other["created"], UTC),
            )
            for other in others
            if other["status"] == "succeeded" and not other["disputed"]
        ),
    )


def _reason_code(method: Raw) -> str:
    """The network's own code, or that of another method of payment."""
    named = method.get(str(method.get("type"))) or {}
    return str(named.get("network_reason_code") or named.get("reason_code") or "")


def _identifier(value: Any) -> str | None:
    found: str | None = value["id"] if isinstance(value, Mapping) else value
    return found
