"""Disputes: inquiries and chargebacks, from the control plane or by a test card.

Statuses: warning_needs_response → warning_under_review → warning_closed for an inquiry, or →
needs_response when it escalates; needs_response → under_review → won | lost; lost → won, late
(documentation). Money moves when a chargeback opens and when it is won.
"""

from typing import Any

from infrastructure.local.stripe import balance
from infrastructure.local.stripe.catalogue import updated
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.sdk import Reference
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import listing

URL = "/v1/disputes"
DAY = 24 * 3600
RESPOND_DAYS = 8  # until the end of that day in UTC (probe); 7 to 21 by network (documentation)
DECIDE_SECONDS = 5  # the test evidence decides after about five seconds (probe)
CLOSED = ("won", "lost", "warning_closed")
# Visa's reason codes: inquiry, fraud and not received by probe, the last from documentation.
REASON_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
REASON_CODE_INQUIRY, REASON_CODE_OTHER = "10", "13.7"
DECISIVE = {
    "winning_evidence": "won",
    "losing_evidence": "lost",
    "escalate_inquiry_evidence": "escalated",
}


def open_dispute(
    store: Store,
    *,
    charge: str,
    kind: str,
    amount: int | None = None,
    reason: str = "fraudulent",
) -> Json:
    """A dispute about a charge; `kind` is inquiry or chargeback. ValueError for another kind."""
    if kind not in ("inquiry", "chargeback"):
        message = f"a dispute is an inquiry or a chargeback, not {kind!r}"
        raise ValueError(message)
    disputed = store.get("charge", charge)
    dispute = store.add(
        "dispute",
        "du",  # recorded; older ones have dp_
        {
            "amount": disputed["amount"] if amount is None else amount,
            "balance_transactions": [],
            "charge": charge,
            "currency": disputed["currency"],
            "enhanced_eligibility_types": [],
            "evidence": _no_evidence(store),
            "evidence_details": {
                "due_by": (store.now() // DAY + RESPOND_DAYS + 1) * DAY - 1,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": kind == "inquiry",
            "metadata": {},
            "payment_intent": disputed["payment_intent"],
            "payment_method_details": _method_details(disputed, kind, reason),
            "reason": reason,
            "status": "warning_needs_response" if kind == "inquiry" else "needs_response",
        },
    )
    if kind == "chargeback":
        _withdraw(store, dispute)
    disputed["disputed"] = True  # and stays so (probe); no event of its own was recorded
    store.emit("charge.dispute.created", dispute)
    if kind == "chargeback":
        store.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _method_details(charge: Json, kind: str, reason: str) -> Json:
    brand = charge["payment_method_details"]["card"]["brand"]
    code = REASON_CODES.get(reason, REASON_CODE_OTHER)
    if kind == "inquiry":
        code = REASON_CODE_INQUIRY
    card = {
        "brand": brand,
        "case_type": kind,
        "network": brand,
        "network_reason_code": code,
    }
    return {"card": card, "type": "card"}


def _no_evidence(store: Store) -> Json:
    fields = store.sdk.record(Reference("_dispute", "Dispute.Evidence"))
    return {name: {} if field.required else None for name, field in fields.items()}


def _withdraw(store: Store, dispute: Json) -> None:
    """Amount and fee leave the balance (recorded)."""
    transaction = balance.record(
        store,
        "adjustment",
        dispute,
        -dispute["amount"],
        category="dispute",
        text=f"Chargeback withdrawal for {dispute['charge']}",
        fee=balance.dispute_fee(dispute["currency"]),
    )
    dispute["balance_transactions"].append(transaction)


def settle(store: Store, identifier: str, *, outcome: str) -> Json:
    """What the bank decides: won, lost, escalated, or closed (an inquiry that came to nothing)."""
    dispute = store.get("dispute", identifier)
    inquiry = dispute["status"].startswith("warning_")
    match outcome, inquiry:
        case "won", False if dispute["status"] != "won":
            return _win(store, dispute)
        case (("lost" | "closed"), False) if dispute["status"] not in CLOSED:
            return _close(store, dispute, "lost")
        case "closed", True if dispute["status"] != "warning_closed":
            return _close(store, dispute, "warning_closed")
        case "escalated", True if dispute["status"] != "warning_closed":
            return _escalate(store, dispute)
    message = f"a dispute in {dispute['status']} cannot become {outcome}"
    raise ValueError(message)


def _win(store: Store, dispute: Json) -> Json:
    """The amount comes back, the fee does not; refunds work again (recorded)."""
    transaction = balance.record(
        store,
        "adjustment",
        dispute,
        dispute["amount"],
        category="dispute_reversal",
        text=f"Chargeback reversal for {dispute['charge']}",
    )
    dispute |= {
        "balance_transactions": [*dispute["balance_transactions"], transaction],
        "is_charge_refundable": True,
        "status": "won",
    }
    store.emit("charge.dispute.funds_reinstated", dispute)
    store.emit("charge.dispute.closed", dispute)
    return dispute


def _close(store: Store, dispute: Json, status: str) -> Json:
    dispute["status"] = status
    store.emit("charge.dispute.closed", dispute)
    return dispute


def _escalate(store: Store, dispute: Json) -> Json:
    """An inquiry becomes a chargeback, and the money is withdrawn (documentation, probe)."""
    card = {**dispute["payment_method_details"]["card"], "case_type": "chargeback"}
    _withdraw(store, dispute)
    store.change(
        dispute,
        "charge.dispute.updated",
        is_charge_refundable=False,
        payment_method_details={"card": card, "type": "card"},
        status="needs_response",
    )
    store.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


@endpoint("GET", URL, "charge payment_intent created")
def list_disputes(store: Store, params: Json) -> Json:
    """Of a charge, of a payment intent, or all, the newest first."""
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return listing(store, "dispute", params, URL, **filters)


@endpoint("GET", URL + "/{id}")
def retrieve_dispute(store: Store, _params: Json, identifier: str) -> Json:
    """One dispute."""
    return store.get("dispute", identifier, "dispute")


@endpoint("POST", URL + "/{id}", "evidence submit metadata")
def update_dispute(store: Store, params: Json, identifier: str) -> Json:
    """Stages or submits evidence; test texts decide the outcome (documentation)."""
    dispute = store.get("dispute", identifier)
    if "evidence" not in params:
        return updated(store, dispute, "charge.dispute.updated", params)
    _must_be_open(dispute)
    given = {k: v if v != "" else None for k, v in (params["evidence"] or {}).items()}
    changes: dict[str, Any] = {
        "evidence": {**dispute["evidence"], **given},
        "evidence_details": {**dispute["evidence_details"], "has_evidence": True},
        "metadata": merge_metadata(dispute["metadata"], params.get("metadata")),
    }
    if params.get("submit", True):
        warning = dispute["status"].startswith("warning_")
        changes["status"] = "warning_under_review" if warning else "under_review"
        changes["evidence_details"] |= {
            "submission_count": dispute["evidence_details"]["submission_count"] + 1,
            "submission_method": "manual",
        }
        outcome = DECISIVE.get(given.get("uncategorized_text") or "")
        if outcome is not None:
            store.private[identifier] = outcome
            store.schedule(store.now() + DECIDE_SECONDS, "decide_dispute", identifier)
    store.change(dispute, "charge.dispute.updated", **changes)
    _touch_charge(store, dispute)
    return dispute


@task("decide_dispute")
def decide_by_test_evidence(store: Store, identifier: str) -> None:
    """The outcome that the test evidence asked for."""
    if store.get("dispute", identifier)["status"] not in CLOSED:
        settle(store, identifier, outcome=store.private[identifier])


@endpoint("POST", URL + "/{id}/close")
def close_dispute(store: Store, _params: Json, identifier: str) -> Json:
    """Gives in: lost, at once and for good (SDK docstring, recorded)."""
    dispute = store.get("dispute", identifier)
    _must_be_open(dispute)
    warning = dispute["status"].startswith("warning_")
    _close(store, dispute, "warning_closed" if warning else "lost")
    _touch_charge(store, dispute)
    return dispute


def _touch_charge(store: Store, dispute: Json) -> None:
    """Evidence and giving in are told of the charge too (recorded), though no field of it moves."""
    store.emit("charge.updated", store.get("charge", dispute["charge"]), {})


def _must_be_open(dispute: Json) -> None:
    if dispute["status"] in CLOSED:  # recorded
        message = "This dispute is already closed"
        raise invalid(message)
