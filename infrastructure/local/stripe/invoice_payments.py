"""The payments of an invoice: its own, attached ones, and what was paid outside Stripe.

An invoice may be paid in parts by several payments, and a payment may pay several invoices: each
invoice payment asks for its own part (SDK docstrings). What comes beyond what remains is overpaid
and becomes credit (SDK docstring of `amount_overpaid`).
"""

from infrastructure.local.stripe import payments
from infrastructure.local.stripe.customers import adjust_balance
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.state import Json, Store

WORDS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}


def payments_of(store: Store, invoice: Json) -> list[Json]:
    """The invoice's payments, the newest first."""
    return [row for row in store.rows("invoice_payment") if row["invoice"] == invoice["id"]]


def request_payment(store: Store, invoice: Json) -> None:
    """Asks for what remains with a payment intent of the invoice's own."""
    fallback = f"Payment for Invoice {invoice['number']}"
    intent = payments.create_intent(
        store,
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=WORDS.get(invoice["billing_reason"], fallback),
    )
    payment = {"payment_intent": intent["id"], "type": "payment_intent"}
    _row(store, invoice, payment, invoice["amount_remaining"], default=True)


def _row(store: Store, invoice: Json, payment: Json, amount: int, *, default: bool) -> Json:
    return store.add(
        "invoice_payment",
        amount_requested=amount,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=default,
        payment=payment,
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def own_payment(store: Store, invoice: Json) -> tuple[Json, Json]:
    """The payment by which the invoice itself is collected, and its intent; made when missing."""
    for row in payments_of(store, invoice):
        if row["is_default"] and row["status"] == "open":
            return row, store.get("payment_intent", row["payment"]["payment_intent"])
    request_payment(store, invoice)
    return own_payment(store, invoice)


def attach(store: Store, invoice: Json, kind: str, source: Json) -> Json:
    """Adds a payment intent or record as a payment of the invoice.

    What it asks for is what the source has left over, at most what remains here (unverified).
    """
    whole = source["amount"]["value"] if kind == "payment_record" else source["amount"]
    used = sum(
        row["amount_requested"]
        for row in store.rows("invoice_payment")
        if row["payment"].get(kind) == source["id"] and row["status"] != "canceled"
    )
    amount = min(whole - used, invoice["amount_remaining"])
    if amount <= 0:  # text unverified
        raise invalid(f"The payment {source['id']} has nothing left for this invoice.", param=kind)
    return _row(store, invoice, {kind: source["id"], "type": kind}, amount, default=False)


def credit(store: Store, invoice: Json, row: Json) -> bool:
    """The money of an invoice payment arrives; whether nothing remains then."""
    amount = row["amount_requested"]
    row |= {
        "amount_paid": amount,
        "status": "paid",
        "status_transitions": {**row["status_transitions"], "paid_at": store.now()},
    }
    over = max(0, amount - invoice["amount_remaining"])
    invoice["amount_paid"] += amount
    invoice["amount_remaining"] -= amount - over
    if row["payment"]["type"] == "payment_record":
        outside = invoice.get("amount_paid_off_stripe") or 0
        invoice["amount_paid_off_stripe"] = outside + amount
    store.emit("invoice_payment.paid", row)
    if over:
        _overpaid(store, invoice, over)
    ask_for_rest(store, invoice)
    return bool(invoice["amount_remaining"] == 0)


def _overpaid(store: Store, invoice: Json, over: int) -> None:
    """The kind of the balance transaction is unverified."""
    invoice["amount_overpaid"] += over
    customer = store.tables["customer"].get(invoice["customer"])
    if customer is not None:
        kind, links = "invoice_overpaid", {"invoice": invoice["id"]}
        adjust_balance(store, customer, -over, invoice["currency"], kind, **links)
    store.emit("invoice.overpaid", invoice)


def ask_for_rest(store: Store, invoice: Json) -> None:
    """The invoice's own payment asks for what remains now, or ends when nothing does."""
    left = invoice["amount_remaining"]
    for row in payments_of(store, invoice):
        if row["status"] != "open" or not row["is_default"]:
            continue
        intent = store.get("payment_intent", row["payment"]["payment_intent"])
        if left:
            row["amount_requested"] = intent["amount"] = left
        else:
            cancel(store, row)


def cancel(store: Store, row: Json) -> None:
    """An invoice payment that is not asked for any more; its own intent ends with it."""
    row["status"] = "canceled"
    row["status_transitions"] = {**row["status_transitions"], "canceled_at": store.now()}
    if row["is_default"]:
        intent = store.get("payment_intent", row["payment"]["payment_intent"])
        payments.cancel_intent(store, intent, "void_invoice")


def cancel_open(store: Store, invoice: Json) -> None:
    """Nothing of the invoice is asked for any more."""
    for row in payments_of(store, invoice):
        if row["status"] == "open":
            cancel(store, row)
