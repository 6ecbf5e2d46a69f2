"""The refunds that a credit note links: each of its invoice's payments, each claimed once."""

from infrastructure.local.stripe import refunds
from infrastructure.local.stripe.errors import invalid, unmodelled
from infrastructure.local.stripe.invoice_payments import payments_of
from infrastructure.local.stripe.money import money
from infrastructure.local.stripe.state import Json, Store


def link_to(refund: str, amount: int) -> Json:
    """An entry of `refunds[]` (SDK)."""
    return {"amount_refunded": amount, "refund": refund, "type": "refund"}


def refunds_of(store: Store, invoice: Json) -> list[Json]:
    """All that was refunded, or is being refunded, of the invoice's payments."""
    intents = {row["payment"].get("payment_intent") for row in payments_of(store, invoice)}
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
        if given.get("type", "refund") != "refund":
            raise unmodelled("refunds of payment records")
        param = f"refunds[{index}]"
        refund = store.get("refund", given.get("refund", ""), f"{param}[refund]")
        if refund["id"] not in own:  # text unverified
            raise invalid(
                f"The refund {refund['id']} does not belong to a payment of this invoice.",
                param=f"{param}[refund]",
            )
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


def charge_of(store: Store, invoice: Json, amount: int) -> Json:
    """The charge that paid the invoice, which must have `amount` left to refund.

    "The charge associated with the invoice" (SDK docstring) is one: an invoice with several
    payments needs refunds of its own, linked (documentation). Texts unverified.
    """
    intents = [
        row["payment"]["payment_intent"]
        for row in payments_of(store, invoice)
        if row["status"] == "paid" and "payment_intent" in row["payment"]
    ]
    if len(intents) != 1:
        which = "several payments" if intents else "no payment"
        raise invalid(
            f"This invoice has {which} to refund; pass refunds instead of refund_amount.",
            param="refund_amount",
        )
    intent = store.get("payment_intent", intents[0])
    charge = store.get("charge", intent["latest_charge"])
    refunds.must_be_refundable(store, charge)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if amount > left:
        asked, has = money(amount, charge["currency"]), money(left, charge["currency"])
        raise invalid(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({has})",
            param="refund_amount",
        )
    return charge
