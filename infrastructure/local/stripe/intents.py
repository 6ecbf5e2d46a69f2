"""The endpoints of payment intents and payment records: payments that no invoice asked for yet."""

from http import HTTPStatus

from infrastructure.local.stripe import billing, payments
from infrastructure.local.stripe.customers import DECLINES, method_of
from infrastructure.local.stripe.errors import Refusal, invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

INTENTS = "/v1/payment_intents"
RECORDS = "/v1/payment_records"
CONFIRMABLE = ("requires_payment_method", "requires_confirmation")


@endpoint(
    "POST",
    INTENTS,
    "amount currency customer description metadata payment_method confirm off_session"
    " automatic_payment_methods allowed_payment_method_types error_on_requires_action return_url"
    " receipt_email",
)
def create_intent(store: Store, params: Json) -> Json:
    """A payment by card; with `confirm` it is charged at once (SDK docstring)."""
    if "customer" in params:
        store.get("customer", params["customer"], "customer")
    method = method_of(store, params["payment_method"]) if "payment_method" in params else None
    intent = payments.create_intent(
        store,
        amount=params["amount"],
        currency=params["currency"].lower(),
        customer=params.get("customer"),
        description=params.get("description"),
        metadata=params.get("metadata"),
        method=method["id"] if method else None,
        receipt_email=params.get("receipt_email"),
    )
    return confirm_intent(store, {}, intent["id"]) if params.get("confirm") else intent


@endpoint("POST", INTENTS + "/{id}/confirm", "payment_method off_session return_url")
def confirm_intent(store: Store, params: Json, identifier: str) -> Json:
    """Charges the method; what it pays of invoices is credited to them."""
    intent = store.get("payment_intent", identifier, "intent")
    if intent["status"] not in CONFIRMABLE:  # text as reported by users
        raise invalid(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
            " Only a PaymentIntent with one of the following statuses may be confirmed:"
            f" {', '.join(CONFIRMABLE)}.",
            code="payment_intent_unexpected_state",
        )
    chosen = params.get("payment_method") or intent["payment_method"]
    if not chosen:  # text as reported by users
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    charge = billing.pay(store, intent, method_of(store, chosen))
    if charge["status"] == "failed":
        raise declined(store, charge)
    return intent


def declined(store: Store, charge: Json | None) -> Refusal:
    """The 402 of a declined card (recorded)."""
    reason = charge["outcome"]["reason"] if charge else "generic_decline"
    more = {"charge": charge["id"]} if charge else {}
    if charge:
        more["payment_intent"] = store.get("payment_intent", charge["payment_intent"])
    return Refusal(
        HTTPStatus.PAYMENT_REQUIRED,
        DECLINES[reason],
        kind="card_error",
        code="card_declined",
        decline_code=reason,
        **more,
    )


@endpoint("POST", INTENTS + "/{id}/cancel", "cancellation_reason")
def cancel_intent(store: Store, params: Json, identifier: str) -> Json:
    """Only before it has succeeded (documentation; text as reported by users)."""
    intent = store.get("payment_intent", identifier, "intent")
    if intent["status"] not in CONFIRMABLE:
        raise invalid(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    payments.cancel_intent(store, intent, params.get("cancellation_reason"))
    return intent


@endpoint(
    "POST",
    RECORDS + "/report_payment",
    "amount_requested initiated_at payment_method_details customer_details customer_presence"
    " description metadata outcome guaranteed processor_details",
)
def report_payment(store: Store, params: Json) -> Json:
    """A payment made outside Stripe; only one that has arrived is modelled (SDK docstrings)."""
    asked = params["amount_requested"]
    came = params.get("outcome", "guaranteed") == "guaranteed"
    nothing = {"currency": asked["currency"], "value": 0}
    customer = {"customer": None, "email": None, "name": None, "phone": None}
    return store.add(
        "payment_record",
        amount=asked,
        amount_authorized=asked if came else nothing,
        amount_canceled=nothing,
        amount_failed=nothing if came else asked,
        amount_guaranteed=asked if came else nothing,
        amount_refunded=nothing,
        amount_requested=asked,
        customer_details={**customer, **params.get("customer_details", {})},
        customer_presence=params.get("customer_presence"),
        description=params.get("description"),
        metadata=params.get("metadata"),
        processor_details={"custom": None, "type": "custom"},
        reported_by="self",
    )
