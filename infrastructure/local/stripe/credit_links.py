"""The refunds that a credit note links: each of its invoice's payments, each claimed once."""

from infrastructure.local.stripe import billing
from infrastructure.local.stripe.errors import invalid, money
from infrastructure.local.stripe.state import Json, Store


def link_to(refund: str, amount: int) -> Json:
    """An entry of `refunds[]` (SDK)."""
    return {"amount_refunded": amount, "refund": refund, "type": "refund"}


def refunds_of(store: Store, invoice: Json) -> list[Json]:
    """All that was refunded, or is being refunded, of the invoice's payments."""
    intents = {row["payment"]["payment_intent"] for row in billing.payments_of(store, invoice)}
    return [
        refund
        for refund in store.rows("refund")
        if refund["payment_intent"] in intents and refund["status"] not in ("failed", "canceled")
    ]


def unlinked(store: Store, refund: Json) -> int:
    """What of a refund no credit note has claimed."""
    linked: int = sum(
        link["amount_refunded"]
        for note in store.rows("credit_note")
        for link in note["refunds"]
        if link["refund"] == refund["id"] and note["status"] == "issued"
    )
    amount: int = refund["amount"]
    return amount - linked


def links(store: Store, invoice: Json, params: Json) -> list[Json]:
    """The refunds to link: each of this invoice's payments, for no more than it has left."""
    found = []
    own = {refund["id"] for refund in refunds_of(store, invoice)}
    for index, given in enumerate(params.get("refunds", [])):
        param = f"refunds[{index}]"
        refund = store.get("refund", given.get("refund", ""), f"{param}[refund]")
        if refund["id"] not in own:  # text unverified
            message = f"The refund {refund['id']} does not belong to a payment of this invoice."
            raise invalid(message, param=f"{param}[refund]")
        left = unlinked(store, refund)
        amount = given.get("amount_refunded", left)
        if not 0 < amount <= left:  # text unverified
            currency = invoice["currency"]
            raise invalid(
                f"The refund {refund['id']} has {money(left, currency)} that no credit note has"
                f" claimed, not {money(amount, currency)}.",
                param=f"{param}[amount_refunded]",
            )
        found.append(link_to(refund["id"], amount))
    return found


def charge_of(store: Store, invoice: Json) -> Json:
    """The charge that paid the invoice."""
    paid = [row for row in billing.payments_of(store, invoice) if row["status"] == "paid"]
    if not paid:  # text unverified
        message = "This invoice has no payment to refund."
        raise invalid(message, param="refund_amount")
    intent = store.get("payment_intent", paid[0]["payment"]["payment_intent"])
    return store.get("charge", intent["latest_charge"])
