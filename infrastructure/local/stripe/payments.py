"""Payment intents and charges, as invoices make them."""

from infrastructure.local.stripe import balance, disputes, fraud_warnings
from infrastructure.local.stripe.customers import DECLINES, billing_details
from infrastructure.local.stripe.state import Json, Store, snapshot
from infrastructure.local.stripe.views import includable, paged

CHARGES = "/v1/charges"
# The disputes of test cards, by what becomes of their charges (documentation).
DISPUTED: dict[str, tuple[Json, ...]] = {
    "chargeback": ({"kind": "chargeback"},),
    "inquiry": ({"kind": "inquiry"},),
    "not_received": ({"kind": "chargeback", "reason": "product_not_received"},),
    "two_chargebacks": ({"kind": "chargeback"}, {"kind": "chargeback"}),
}


def create_intent(
    store: Store,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    description: str | None,
    metadata: Json | None = None,
    method: str | None = None,
    receipt_email: str | None = None,
) -> Json:
    """A payment intent; nothing is charged yet."""
    intent = store.add(
        "payment_intent",
        amount=amount,
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic",
        confirmation_method="automatic",
        currency=currency,
        customer=customer,
        description=description,
        metadata=metadata,
        payment_method=method,
        payment_method_types=["card"],
        receipt_email=receipt_email,
        status="requires_confirmation" if method else "requires_payment_method",
    )
    intent["client_secret"] = store.identifier(f"{intent['id']}_secret")
    store.emit("payment_intent.created", intent)
    return intent


def pay_intent(store: Store, intent: Json, method: Json) -> Json:
    """Charges the method for the whole intent; the charge tells whether it succeeded."""
    behaviour = store.private.get(method["id"], "succeed")
    charge = _charge(store, intent, method, behaviour if behaviour in DECLINES else None)
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"]}
    if charge["status"] == "failed":
        intent["payment_method"] = None
        intent["last_payment_error"] = {
            "charge": charge["id"],
            "code": "card_declined",
            "decline_code": behaviour,
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": DECLINES[behaviour],
            "payment_method": snapshot(method),
            "type": "card_error",
        }
        intent["status"] = "requires_payment_method"
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
        text=intent["description"] or "Payment",
        fee=fee,
    )["id"]
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "status": "succeeded",
    }
    store.emit("charge.succeeded", charge)
    # The test cards are disputed inside the charge, before the intent has succeeded (recorded).
    for dispute in DISPUTED.get(behaviour, ()):
        disputes.open_dispute(store, charge=charge["id"], **dispute)
    if behaviour == "fraud_warning":
        fraud_warnings.warn(store, charge=charge["id"])
    store.emit("payment_intent.succeeded", intent)
    return charge


def _charge(store: Store, intent: Json, method: Json, decline: str | None) -> Json:
    succeeded = decline is None
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if succeeded else "declined_by_network",
        "reason": decline,
        "risk_level": "normal",
        "seller_message": "Payment complete."
        if succeeded
        else "The bank did not return any further details with this decline.",
        "type": "authorized" if succeeded else "issuer_declined",
    }
    charge = store.add(
        "charge",
        amount=intent["amount"],
        amount_captured=intent["amount"] if succeeded else 0,
        amount_refunded=0,
        billing_details=billing_details(),
        captured=succeeded,
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_code=None if succeeded else "card_declined",
        failure_message=DECLINES[decline] if decline else None,
        outcome=outcome,
        paid=succeeded,
        receipt_email=intent["receipt_email"],
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details={"card": _card_details(intent, method), "type": "card"},
        refunded=False,
        status="succeeded" if succeeded else "failed",
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


def cancel_intent(store: Store, intent: Json, reason: str | None) -> None:
    """Asks for nothing any more; that of a voided invoice ends with it (documentation)."""
    intent |= {
        "cancellation_reason": reason,
        "canceled_at": store.now(),
        "status": "canceled",
    }
    store.emit("payment_intent.canceled", intent)


def _refunds(store: Store, charge: Json) -> Json:
    rows = [refund for refund in store.rows("refund") if refund["charge"] == charge["id"]]
    return paged(rows, {}, f"{CHARGES}/{charge['id']}/refunds")


includable["charge", "refunds"] = _refunds
