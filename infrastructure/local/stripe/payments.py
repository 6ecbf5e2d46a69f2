"""Payment intents and charges, as invoices make them."""

from infrastructure.local.stripe import balance, disputes
from infrastructure.local.stripe.customers import billing_details
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import includable, listing, paged

INTENTS = "/v1/payment_intents"
CHARGES = "/v1/charges"
DECLINE = "Your card was declined."


def create_intent(
    store: Store, *, amount: int, currency: str, customer: str, description: str
) -> Json:
    """The payment intent of a finalized invoice; nothing is charged yet."""
    intent = store.add(
        "payment_intent",
        "pi",
        {
            "amount": amount,
            "amount_capturable": 0,
            "amount_received": 0,
            "capture_method": "automatic",
            "confirmation_method": "automatic",
            "currency": currency,
            "customer": customer,
            "description": description,
            "metadata": {},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
        },
    )
    intent["client_secret"] = store.identifier(f"{intent['id']}_secret")
    store.emit("payment_intent.created", intent)
    return intent


def pay_intent(store: Store, intent: Json, method: Json) -> Json:
    """Charges the method for the whole intent; the charge tells whether it succeeded."""
    behaviour = store.private.get(method["id"], "succeed")
    charge = _charge(store, intent, method, succeeded=behaviour != "decline")
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"]}
    if charge["status"] == "failed":
        intent["payment_method"] = None
        intent["last_payment_error"] = {
            "charge": charge["id"],
            "code": "card_declined",
            "decline_code": "generic_decline",
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": DECLINE,
            "payment_method": method,
            "type": "card_error",
        }
        store.emit("charge.failed", charge)
        store.emit("payment_intent.payment_failed", intent)
        return charge
    fee = balance.charge_fee(intent["amount"], intent["currency"])
    charge["balance_transaction"] = balance.record(
        store,
        "charge",
        charge,
        charge["amount"],
        category="charge",
        text=intent["description"],
        fee=fee,
    )["id"]
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "status": "succeeded",
    }
    store.emit("charge.succeeded", charge)
    # The test cards are disputed inside the charge, before the intent has succeeded (recorded).
    if behaviour in ("chargeback", "inquiry"):
        disputes.open_dispute(store, charge=charge["id"], kind=behaviour)
    store.emit("payment_intent.succeeded", intent)
    return charge


def _charge(store: Store, intent: Json, method: Json, *, succeeded: bool) -> Json:
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if succeeded else "declined_by_network",
        "reason": None if succeeded else "generic_decline",
        "risk_level": "normal",
        "seller_message": "Payment complete."
        if succeeded
        else "The bank did not return any further details with this decline.",
        "type": "authorized" if succeeded else "issuer_declined",
    }
    charge = store.add(
        "charge",
        "ch",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if succeeded else 0,
            "amount_refunded": 0,
            "billing_details": billing_details(),
            "captured": succeeded,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": None if succeeded else "card_declined",
            "failure_message": None if succeeded else DECLINE,
            "fraud_details": {},
            "metadata": {},
            "outcome": outcome,
            "paid": succeeded,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"card": _card_details(intent, method), "type": "card"},
            "refunded": False,
            "status": "succeeded" if succeeded else "failed",
        },
    )
    charge["receipt_url"] = f"https://pay.stripe.com/receipts/{charge['id']}"
    return charge


def _card_details(intent: Json, method: Json) -> Json:
    card = method["card"]
    kept = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    checks = ("address_line1_check", "address_postal_code_check", "cvc_check")
    return {
        **{name: card[name] for name in kept},
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "checks": dict.fromkeys(checks),
        "installments": None,
        "mandate": None,
        "network": card["brand"],
        "network_transaction_id": None,
        "three_d_secure": None,
        "wallet": None,
    }


def cancel_intent(store: Store, intent: Json) -> None:
    """The intent of a voided invoice ends with it (documentation)."""
    intent |= {
        "cancellation_reason": "void_invoice",
        "canceled_at": store.now(),
        "status": "canceled",
    }
    store.emit("payment_intent.canceled", intent)


@endpoint("GET", INTENTS, "customer created")
def list_intents(store: Store, params: Json) -> Json:
    """Of a customer or all, the newest first."""
    return listing(store, "payment_intent", params, INTENTS, customer=params.get("customer"))


@endpoint("GET", INTENTS + "/{id}")
def retrieve_intent(store: Store, _params: Json, identifier: str) -> Json:
    """One payment intent."""
    return store.get("payment_intent", identifier)


@endpoint("GET", CHARGES, "customer payment_intent created")
def list_charges(store: Store, params: Json) -> Json:
    """Of a customer, of a payment intent, or all, the newest first."""
    filters = {name: params.get(name) for name in ("customer", "payment_intent")}
    return listing(store, "charge", params, CHARGES, **filters)


@endpoint("GET", CHARGES + "/{id}")
def retrieve_charge(store: Store, _params: Json, identifier: str) -> Json:
    """One charge."""
    return store.get("charge", identifier)


@endpoint("POST", CHARGES + "/{id}", "description metadata")
def update_charge(store: Store, params: Json, identifier: str) -> Json:
    """Only what is for us to note."""
    charge = store.get("charge", identifier)
    changes = {k: v for k, v in params.items() if k != "metadata"}
    changes["metadata"] = merge_metadata(charge["metadata"], params.get("metadata"))
    return store.change(charge, "charge.updated", **changes)


def _refunds(store: Store, charge: Json) -> Json:
    rows = [refund for refund in store.rows("refund") if refund["charge"] == charge["id"]]
    return paged(rows, {}, f"{CHARGES}/{charge['id']}/refunds")


includable["charge", "refunds"] = _refunds
