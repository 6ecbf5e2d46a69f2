"""Disputes: from the control plane or by a test card, through all that becomes of them.

Money moves when a chargeback opens, when an inquiry escalates, and when one is won; whoever won
late, after it was lost, gets it back all the same (documentation).
"""

from fractions import Fraction
from typing import NamedTuple

from infrastructure.local.stripe import balance, fraud_warnings, refunds
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.money import half_up
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/disputes"
DAY = 24 * 3600
RESPOND_DAYS = 8  # until the end of that day in UTC (probe); 7 to 21 by network (documentation)
INQUIRY_DAYS = 120  # an inquiry that nobody escalates closes by itself (documentation)
# Visa's reason codes: inquiry, fraud and not received by probe, the last from documentation.
REASON_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
REASON_CODE_INQUIRY, REASON_CODE_OTHER = "10", "13.7"


class Opening(NamedTuple):
    """How a kind of dispute begins."""

    status: str
    case_type: str
    withdraws: bool
    answerable: bool = True


# By what the network calls the case (SDK: case_type); those not of test cards: documentation.
KINDS = {
    "inquiry": Opening("warning_needs_response", "inquiry", withdraws=False),
    "chargeback": Opening("needs_response", "chargeback", withdraws=True),
    "compliance": Opening("needs_response", "compliance", withdraws=True),
    # Some cannot be challenged: they arrive lost (documentation).
    "lost": Opening("lost", "chargeback", withdraws=True, answerable=False),
    # Stopped before it became one, by a refund or a network's service; no funds move (SDK).
    "prevented": Opening("prevented", "resolution", withdraws=False, answerable=False),
    "block": Opening("prevented", "block", withdraws=False, answerable=False),
}
# What each status can become, and by which outcome of the control plane.
NEXT = {
    "warning_needs_response": {"escalated": "needs_response", "closed": "warning_closed"},
    "warning_under_review": {"escalated": "needs_response", "closed": "warning_closed"},
    "needs_response": {"won": "won", "lost": "lost", "closed": "lost"},
    "under_review": {"won": "won", "lost": "lost", "closed": "lost"},
    "lost": {"won": "won", "appealed": "appeal_needs_response"},
    "appeal_needs_response": {"won": "won", "lost": "lost"},
    "appeal_under_review": {"won": "won", "lost": "lost"},
}
CLOSED = ("won", "lost", "warning_closed", "prevented")


def open_dispute(
    store: Store,
    *,
    charge: str,
    kind: str,
    amount: int | None = None,
    reason: str = "fraudulent",
    settlement: Json | None = None,
) -> Json:
    """A dispute about a charge, also a further one, or about another amount than it had.

    `settlement` {"currency", "rate"} is the currency in which the balance is kept, when another.
    ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"a dispute is one of {', '.join(KINDS)}, not {kind!r}")
    opening, disputed = KINDS[kind], store.get("charge", charge)
    due = _deadline(store)
    dispute = store.add(
        "dispute",
        amount=disputed["amount"] if amount is None else amount,
        charge=charge,
        currency=disputed["currency"],
        evidence_details={
            "due_by": due if opening.answerable else 0,  # 0: not answerable (SDK)
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        intended_submission_method="prefer_manual" if store.settings["smart_disputes"] else None,
        is_charge_refundable=not opening.withdraws,
        payment_intent=disputed["payment_intent"],
        payment_method_details=_method_details(disputed, opening.case_type, reason),
        reason=reason,
        status=opening.status,
    )
    dispute["evidence"]["enhanced_evidence"] = {}  # recorded
    store.private[dispute["id"]] = {"settlement": settlement}
    _begin(store, dispute, disputed, opening)
    return dispute


def _deadline(store: Store) -> int:
    return (store.now() // DAY + RESPOND_DAYS + 1) * DAY - 1


def _begin(store: Store, dispute: Json, charge: Json, opening: Opening) -> None:
    if opening.withdraws:
        _withdraw(store, dispute)
    if opening.status != "prevented":
        charge["disputed"] = True  # and stays so (probe); no event of its own was recorded
        fraud_warnings.answered(store, charge)
    store.emit("charge.dispute.created", dispute)
    if opening.withdraws:
        store.emit("charge.dispute.funds_withdrawn", dispute)
    if opening.status == "lost":
        store.emit("charge.dispute.closed", dispute)
    if opening.answerable:
        due = dispute["evidence_details"]["due_by"]
        days = store.now() + INQUIRY_DAYS * DAY
        store.schedule(due + 1, "dispute_due", dispute["id"])
        store.schedule(days, "inquiry_ends", dispute["id"])


def _method_details(charge: Json, case_type: str, reason: str) -> Json:
    brand = charge["payment_method_details"]["card"]["brand"]
    code = REASON_CODES.get(reason, REASON_CODE_OTHER)
    if case_type == "inquiry":
        code = REASON_CODE_INQUIRY
    card = {
        "brand": brand,
        "case_type": case_type,
        "network": brand,
        "network_reason_code": code,
    }
    return {"card": card, "type": "card"}


# -- money


def _withdraw(store: Store, dispute: Json) -> None:
    """Amount and fee leave the balance (recorded)."""
    text = f"Chargeback withdrawal for {dispute['charge']}"
    transaction = _move(store, dispute, -dispute["amount"], "dispute", text, fee=True)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], transaction]


def _reinstate(store: Store, dispute: Json) -> None:
    """The amount comes back, the fee does not; refunds work again (recorded)."""
    text = f"Chargeback reversal for {dispute['charge']}"
    transaction = _move(store, dispute, dispute["amount"], "dispute_reversal", text)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], transaction]
    counter_fee(store, dispute, back=True)


def counter_fee(store: Store, dispute: Json, *, back: bool) -> None:
    """What countering costs, returned when it is won (documentation).

    It stands alone, not among the dispute's transactions (probe), and only when the account's
    setting `counter_fee` asks for it, since test mode has none (probe); category unverified.
    """
    kept = store.private[dispute["id"]]
    if not store.settings["counter_fee"] or back != bool(kept.get("countered")):
        return
    kept["countered"] = not back
    fee = balance.dispute_fee(_settled_in(store, dispute)[0])
    text = "Stripe card dispute countered fee"
    balance.record(
        store,
        "adjustment",
        dispute,
        fee if back else -fee,
        category="fee",
        text=text,
        settlement=(_settled_in(store, dispute)[0], None),
    )


def _settled_in(store: Store, dispute: Json) -> tuple[str, Fraction | None]:
    settlement = store.private[dispute["id"]]["settlement"]
    if settlement is None:
        return dispute["currency"], None
    return settlement["currency"], Fraction(settlement["rate"])


def _move(
    store: Store, dispute: Json, amount: int, category: str, text: str, *, fee: bool = False
) -> Json:
    """A movement in the settlement currency (recorded: USD 60.00 as -8391 CAD, fee 1500 CAD)."""
    currency, rate = _settled_in(store, dispute)
    return balance.record(
        store,
        "adjustment",
        dispute,
        amount if rate is None else half_up(amount * rate),
        category=category,
        text=text,
        fee=balance.dispute_fee(currency) if fee else 0,
        settlement=(currency, rate),
    )


# -- transitions


def settle(store: Store, identifier: str, *, outcome: str, refunds_fail: bool = False) -> Json:
    """What the bank decides; ValueError for what cannot follow.

    Outcomes: won, lost, escalated, closed, appealed. With `refunds_fail` an escalation makes the
    charge's refunds fail (probe: some do, `charge_for_pending_refund_disputed`, and some stay).
    """
    dispute = store.get("dispute", identifier)
    status = NEXT.get(dispute["status"], {}).get(outcome)
    match status:
        case None:
            raise ValueError(f"a dispute in {dispute['status']} cannot become {outcome}")
        case "won":
            _reinstate(store, dispute)
            dispute |= {"is_charge_refundable": True, "status": "won"}
            store.emit("charge.dispute.funds_reinstated", dispute)
            store.emit("charge.dispute.closed", dispute)
        case "needs_response":
            _escalate(store, dispute)
            if refunds_fail:
                _fail_refunds(store, dispute)
        case "appeal_needs_response":
            details = {**dispute["evidence_details"], "due_by": _deadline(store)}
            store.change(dispute, "charge.dispute.updated", status=status, evidence_details=details)
        case _:
            close(store, dispute, status)
    return dispute


def close(store: Store, dispute: Json, status: str) -> None:
    """Over, for now: a lost one may still be won late."""
    dispute["status"] = status
    store.emit("charge.dispute.closed", dispute)


def _escalate(store: Store, dispute: Json) -> None:
    """A chargeback now, with a deadline of its own; the money goes (documentation, probe)."""
    card = {**dispute["payment_method_details"]["card"], "case_type": "chargeback"}
    due = _deadline(store)
    _withdraw(store, dispute)
    store.change(
        dispute,
        "charge.dispute.updated",
        evidence_details={**dispute["evidence_details"], "due_by": due, "past_due": False},
        is_charge_refundable=False,
        payment_method_details={"card": card, "type": "card"},
        status="needs_response",
    )
    store.schedule(due + 1, "dispute_due", dispute["id"])
    store.emit("charge.dispute.funds_withdrawn", dispute)


def _fail_refunds(store: Store, dispute: Json) -> None:
    reason = "charge_for_pending_refund_disputed"
    for refund in list(store.rows("refund")):
        if refund["charge"] == dispute["charge"] and "failed" in refunds.NEXT.get(
            refund["status"], ()
        ):
            refunds.become(store, refund["id"], status="failed", failure_reason=reason)


@task("inquiry_ends")
def end_inquiry(store: Store, identifier: str) -> None:
    """Nobody escalated it."""
    dispute = store.get("dispute", identifier)
    if dispute["status"].startswith("warning_") and dispute["status"] not in CLOSED:
        close(store, dispute, "warning_closed")


# -- endpoints


@endpoint("POST", URL + "/{id}/close")
def close_dispute(store: Store, _params: Json, identifier: str) -> Json:
    """Gives in: lost, at once and for good (SDK docstring, recorded)."""
    dispute = store.get("dispute", identifier)
    must_be_open(dispute)
    warning = dispute["status"].startswith("warning_")
    close(store, dispute, "warning_closed" if warning else "lost")
    touch_charge(store, dispute)
    return dispute


def touch_charge(store: Store, dispute: Json) -> None:
    """Evidence and giving in are told of the charge too (recorded), though no field of it moves."""
    store.emit("charge.updated", store.get("charge", dispute["charge"]), {})


def must_be_open(dispute: Json) -> None:
    """Refuses what a closed dispute takes no more."""
    if dispute["status"] in CLOSED:  # recorded
        raise invalid("This dispute is already closed")
