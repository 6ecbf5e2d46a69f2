"""Prorations: credits for time that will not be used, debits for what is used instead.

Exact fractions over seconds; each line is rounded down, so a credit of 2.5 cents is −3 (recorded).
In flexible mode a credit takes back a part of what was debited, discounts taken off, one credit a
debit; in classic mode it goes by the current price (documentation).
"""

from fractions import Fraction
from typing import Any

from infrastructure.local.stripe import discounts
from infrastructure.local.stripe.money import floor
from infrastructure.local.stripe.state import Json, Store


def share(start: int, end: int, at: int) -> Fraction:
    """The part of a period that lies after an instant."""
    return Fraction(end - at, end - start)


def credit_unused(store: Store, subscription: Json, item: Json, at: int) -> list[Json]:
    """The pending credits for an item's time from `at` to the end of what was billed."""
    if subscription["billing_mode"]["type"] == "classic":
        start, end = item["current_period_start"], item["current_period_end"]
        whole = item["price"]["unit_amount"] * item["quantity"]
        amount = -whole * share(start, end, at)
        lines = [line for _, line in _debits(store, item, at)]
        credited = _credited(store, item, at, lines)
        return [_pending(store, subscription, item, floor(amount), (at, end), credited, "Unused")]
    made = []
    for _, line in _debits(store, item, at):
        start, end = line["period"]["start"], line["period"]["end"]
        amount = -discounts.net(line) * share(start, end, at)
        credited = _credited(store, item, at, [line])
        made.append(
            _pending(store, subscription, item, floor(amount), (at, end), credited, "Unused")
        )
        store.private["credited", line["id"]] = True
    return made


def debit_rest(store: Store, subscription: Json, item: Json, at: int) -> Json:
    """The pending charge for what an item costs from `at` to the end of its period."""
    start, end = item["current_period_start"], item["current_period_end"]
    whole = item["price"]["unit_amount"] * item["quantity"]
    amount = floor(whole * share(start, end, at))
    return _pending(store, subscription, item, amount, (at, end), None, "Remaining")


def _debits(store: Store, item: Json, at: int) -> list[tuple[Json, Json]]:
    """The billed lines of an item that reach beyond `at` and that no credit has taken back."""
    return [
        (invoice, line)
        for invoice in store.rows("invoice")
        if invoice["status"] in ("open", "paid", "uncollectible")
        for line in invoice["lines"]["data"]
        if line["amount"] > 0
        and line["period"]["end"] > at
        and _item_of(line) == item["id"]
        and not store.private.get(("credited", line["id"]))
    ]


def _item_of(line: Json) -> Any:
    return (line["parent"]["subscription_item_details"] or {}).get("subscription_item")


def _credited(store: Store, item: Json, at: int, lines: list[Json]) -> Json | None:
    """The `credited_items` of a credit: the original line, and its invoice (SDK)."""
    own = [(invoice, line) for invoice, line in _debits(store, item, at) if line in lines]
    if not own:
        return None
    return {"invoice": own[0][0]["id"], "invoice_line_items": [line["id"] for _, line in own]}


def _pending(
    store: Store,
    subscription: Json,
    item: Json,
    amount: int,
    period: tuple[int, int],
    credited: Json | None,
    word: str,
) -> Json:
    """A pending item; of a credit the unit amount is null and it takes no discount (recorded)."""
    product = store.get("product", item["price"]["product"])
    price = item["price"]
    pricing = {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": None if amount < 0 else price["unit_amount_decimal"],
    }
    details = {"subscription": subscription["id"], "subscription_item": item["id"]}
    times = f"{item['quantity']} × " if item["quantity"] != 1 else ""
    pending = store.add(
        "invoiceitem",
        amount=amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        date=store.now(),
        description=f"{word} time on {times}{product['name']}",
        discountable=False,
        discounts=[],
        net_amount=amount,
        parent={"subscription_details": details, "type": "subscription_details"},
        period={"end": period[1], "start": period[0]},
        pricing=pricing,
        proration=True,
        quantity=item["quantity"],
        quantity_decimal=str(item["quantity"]),
        tax_rates=item["tax_rates"],
    )
    store.private[pending["id"]] = credited
    store.emit("invoiceitem.created", pending)
    return pending
