"""Refunds: the refusals as Stripe words them, and their life after the answer.

pending → succeeded | failed | canceled | requires_action, and succeeded → failed later, when the
bank sends the money back (documentation).
"""

from http import HTTPStatus

from infrastructure.local.stripe import balance, fraud_warnings
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.errors import Refusal, invalid
from infrastructure.local.stripe.money import money
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/refunds"
NEXT = {
    "pending": ("succeeded", "failed", "canceled", "requires_action"),
    "requires_action": ("pending", "succeeded", "failed", "canceled"),
    "succeeded": ("failed",),
}
SETTLE_SECONDS = 5  # until a test card's refund fails or succeeds (unverified)
REFERENCE_SECONDS = 24 * 3600  # until the bank's reference is known (unverified)
# What a test card's refund is at first, and what it becomes (documentation, recorded reason).
FATES = {"refund_fails": ("succeeded", "failed"), "refund_pends": ("pending", "succeeded")}
FAILS_WITH = "expired_or_canceled_card"


@endpoint("POST", URL, "amount charge payment_intent reason metadata instructions_email")
def create_refund(store: Store, params: Json) -> Json:
    """Gives back part or all of a charge; refusals recorded, except where noted."""
    amount = params.get("amount")
    if amount is not None and amount <= 0:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "This value must be greater than or equal to 1.",
            param="amount",
            code="parameter_invalid_integer",
            executed=False,
        )
    charge = _charge(store, params)
    remaining = charge["amount_captured"] - charge["amount_refunded"]
    must_be_refundable(store, charge)
    if remaining == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = remaining if amount is None else amount
    if amount > remaining:  # the recorded body has no code
        asked, left = money(amount, charge["currency"]), money(remaining, charge["currency"])
        raise invalid(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return issue(
        store, charge, amount, reason=params.get("reason"), metadata=params.get("metadata")
    )


def must_be_refundable(store: Store, charge: Json) -> None:
    """A chargeback that was not won forbids refunds (recorded)."""
    for dispute in store.rows("dispute"):
        if dispute["charge"] == charge["id"] and not dispute["is_charge_refundable"]:
            raise invalid(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
            )


def issue(
    store: Store,
    charge: Json,
    amount: int,
    *,
    reason: str | None = None,
    metadata: Json | str | None = None,
) -> Json:
    """Refunds an amount that the charge still has: succeeded at once, as for cards (recorded)."""
    first, later = FATES.get(store.private.get(charge["payment_method"], ""), ("succeeded", ""))
    refund = store.add(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=_destination("pending"),
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        pending_reason="processing" if first == "pending" else None,
        reason=reason,
        status=first,
    )
    refund["balance_transaction"] = balance.record(
        store,
        "refund",
        refund,
        -amount,
        category="refund",
        text=f"REFUND FOR CHARGE ({charge['description']})",
    )["id"]
    store.emit("refund.created", refund)
    refunded = charge["amount_refunded"] + amount
    whole = refunded == charge["amount_captured"]
    store.change(charge, "charge.refunded", amount_refunded=refunded, refunded=whole)
    if whole:
        fraud_warnings.answered(store, charge)
    if later:
        store.private[refund["id"]] = later
        store.schedule(store.now() + SETTLE_SECONDS, "settle_refund", refund["id"])
    store.schedule(store.now() + REFERENCE_SECONDS, "refund_reference", refund["id"])
    return refund


def _destination(status: str) -> Json:
    card = {
        "reference_status": status,
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    if status == "available":
        card["reference"] = "74510001123456789012345"
    return {"card": card, "type": "card"}


def become(store: Store, identifier: str, *, status: str, failure_reason: str = "unknown") -> Json:
    """Moves a refund on, with its events and money; ValueError for what cannot be.

    The real order for a failure: refund.failed, refund.updated, charge.refund.updated, the latter
    two with the earlier status (samples of real webhooks).
    """
    refund = store.get("refund", identifier)
    if status not in NEXT.get(refund["status"], ()):
        raise ValueError(f"a refund that is {refund['status']} cannot become {status}")
    changes: Json = {"status": status}
    changes["pending_reason"] = "processing" if status == "pending" else None
    if status in ("failed", "canceled"):
        changes |= _return(store, refund)
    if status == "failed":
        changes["failure_reason"] = failure_reason
    changes = {name: value for name, value in changes.items() if refund.get(name) != value}
    previous = {name: refund.get(name) for name in changes}
    refund |= changes
    if status == "failed":
        store.emit("refund.failed", refund)
    _tell(store, refund, previous)
    return refund


def _tell(store: Store, refund: Json, previous: Json) -> None:
    """The same fact twice, under the old name and the new one (recorded)."""
    store.emit("refund.updated", refund, previous)
    store.emit("charge.refund.updated", refund, previous)


def _return(store: Store, refund: Json) -> Json:
    """The money is back on our balance, and the charge counts as less refunded (unverified)."""
    charge = store.get("charge", refund["charge"])
    refunded = charge["amount_refunded"] - refund["amount"]
    charge |= {"amount_refunded": refunded, "refunded": False}
    transaction = balance.record(
        store,
        "refund_failure",
        refund,
        refund["amount"],
        category="refund_failure",
        text=f"REFUND FAILURE FOR CHARGE ({charge['description']})",
    )
    return {"failure_balance_transaction": transaction["id"]}


@task("settle_refund")
def settle_refund(store: Store, identifier: str) -> None:
    """The fate of a test card's refund, unless it has met another."""
    refund = store.get("refund", identifier)
    fate = store.private[identifier]
    if fate in NEXT.get(refund["status"], ()):
        become(store, identifier, status=fate, failure_reason=FAILS_WITH)


@task("refund_reference")
def refund_reference(store: Store, identifier: str) -> None:
    """The bank's reference arrives and is told of (recorded)."""
    refund = store.get("refund", identifier)
    if refund["status"] == "succeeded":
        before = {"destination_details": {"card": {"reference": None}}}
        before["destination_details"]["card"]["reference_status"] = "pending"  # type: ignore[assignment]
        refund["destination_details"] = _destination("available")
        _tell(store, refund, before)


def _charge(store: Store, params: Json) -> Json:
    """The charge that the parameters mean."""
    if "charge" in params:
        return store.get("charge", params["charge"])
    if "payment_intent" not in params:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            executed=False,
        )
    intent = store.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        )
    return store.get("charge", intent["latest_charge"])


@endpoint("POST", URL + "/{id}/cancel")
def cancel_refund(store: Store, _params: Json, identifier: str) -> Json:
    """Only one that waits for the customer (SDK docstring); text of the refusal recorded."""
    if store.get("refund", identifier)["status"] != "requires_action":
        raise invalid("Canceling this refund is unsupported.")
    return become(store, identifier, status="canceled")


@endpoint("POST", "/v1/test_helpers/refunds/{id}/expire")
def expire_refund(store: Store, _params: Json, identifier: str) -> Json:
    """One that waits for the customer (SDK docstring); that it fails is unverified."""
    if store.get("refund", identifier)["status"] != "requires_action":
        raise invalid("You can only expire a refund that is in status requires_action.")
    return become(store, identifier, status="failed")
