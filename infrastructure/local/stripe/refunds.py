"""Refunds, with the refusals as Stripe words them."""

from http import HTTPStatus

from infrastructure.local.stripe import balance
from infrastructure.local.stripe.catalogue import updated
from infrastructure.local.stripe.errors import Refusal, invalid, money
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import listing

URL = "/v1/refunds"


@endpoint("POST", URL, "amount charge payment_intent reason metadata")
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
    if any(
        dispute["charge"] == charge["id"] and not dispute["is_charge_refundable"]
        for dispute in store.rows("dispute")
    ):
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
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


def issue(
    store: Store,
    charge: Json,
    amount: int,
    *,
    reason: str | None = None,
    metadata: Json | str | None = None,
) -> Json:
    """Refunds an amount that the charge still has: succeeded at once, as for cards (recorded)."""
    refund = store.add(
        "refund",
        "re",
        {
            "amount": amount,
            "charge": charge["id"],
            "currency": charge["currency"],
            "customer": charge["customer"],
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": merge_metadata({}, metadata),
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": reason,
            "status": "succeeded",
        },
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
    return refund


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


@endpoint("GET", URL, "charge payment_intent created")
def list_refunds(store: Store, params: Json) -> Json:
    """Of a charge, of a payment intent, or all, the newest first."""
    filters = {name: params.get(name) for name in ("charge", "payment_intent")}
    return listing(store, "refund", params, URL, **filters)


@endpoint("GET", URL + "/{id}")
def retrieve_refund(store: Store, _params: Json, identifier: str) -> Json:
    """One refund."""
    return store.get("refund", identifier)


@endpoint("POST", URL + "/{id}", "metadata")
def update_refund(store: Store, params: Json, identifier: str) -> Json:
    """Only metadata can change (SDK)."""
    return updated(store, store.get("refund", identifier), "refund.updated", params)


@endpoint("POST", URL + "/{id}/cancel")
def cancel_refund(store: Store, _params: Json, identifier: str) -> Json:
    """A succeeded refund cannot be canceled (recorded), and here all succeed at once."""
    store.get("refund", identifier)
    message = "Canceling this refund is unsupported."
    raise invalid(message)
