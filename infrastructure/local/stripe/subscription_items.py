"""A subscription's items: made with it, and changed later, with the prorations of that."""

from typing import Any

from infrastructure.local.stripe import billing, cycles, discounts
from infrastructure.local.stripe.catalogue import create_price, plan_of, tax_rates
from infrastructure.local.stripe.errors import invalid, unmodelled
from infrastructure.local.stripe.proration import credit_unused, debit_rest
from infrastructure.local.stripe.state import Json, Store


def price_of(store: Store, given: Json, index: int = 0) -> Json:
    """The recurring price that an entry of `items` names, or makes in place."""
    param = f"items[{index}][price]"
    price = (
        create_price(store, given["price_data"])
        if "price_data" in given
        else store.get("price", given.get("price", ""), param)
    )
    if price["recurring"] is None:  # text as reported by users
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with"
            " `type=recurring`.",
            param=param,
        )
    return price


def new_item(store: Store, subscription: Json, price: Json, given: Json, taken: list[str]) -> Json:
    """An item whose period begins now, and in a trial lasts until the trial's end."""
    item = store.add(
        "subscription_item",
        current_period_end=0,
        current_period_start=0,
        discounts=taken,
        metadata=given.get("metadata"),
        plan=plan_of(price),
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=tax_rates(store, given.get("tax_rates")),
    )
    cycles.start_period(subscription, item, store.now())
    if subscription["status"] == "trialing":
        item["current_period_end"] = subscription["trial_end"]
    return item


def change_items(store: Store, subscription: Json, params: Json) -> None:
    """Adds, changes and removes items; prorates unless told not to (SDK docstring).

    `always_invoice` bills the prorations at once; otherwise they wait for the next invoice.
    """
    behaviour = params.get("proration_behavior", "create_prorations")
    at = params.get("proration_date", store.now())
    before = {"items": {"data": [{**item} for item in subscription["items"]["data"]]}}
    if _starts_over(store, subscription, params):
        _change_cycle(store, subscription, params, None if behaviour == "none" else at, before)
        return
    made: list[Json] = []
    for index, given in enumerate(params.get("items", [])):
        made += _change(store, subscription, given, index, None if behaviour == "none" else at)
    store.emit("customer.subscription.updated", subscription, before)
    if made and behaviour == "always_invoice":
        invoice = cycles.bill(store, subscription, [], "subscription_update")
        billing.opened(store, invoice)
        billing.finalize(store, invoice)
        billing.advance(store, invoice)


def _starts_over(store: Store, subscription: Json, params: Json) -> bool:
    """Whether a new cycle begins: on request, or by an only item's other interval (documentation).

    What another interval of one of several items does is not documented.
    """
    asked = params.get("billing_cycle_anchor", {}).get("type")
    items, moved = {item["id"]: item for item in subscription["items"]["data"]}, False
    for index, given in enumerate(params.get("items", [])):
        if given.get("id") in items and "price" in given:
            old, new = items[given["id"]]["price"], price_of(store, given, index)
            moved |= any(
                old["recurring"][name] != new["recurring"][name]
                for name in ("interval", "interval_count")
            )
    if moved and len(items) > 1:
        raise unmodelled("another interval of one of several items")
    if (moved or asked == "now") and subscription["status"] not in ("active", "past_due"):
        raise unmodelled(f"a new cycle of a subscription that is {subscription['status']}")
    return moved or asked == "now"


def _change_cycle(
    store: Store, subscription: Json, params: Json, at: int | None, before: Json
) -> None:
    """Unused time is credited, the items change, and a whole new period is billed at once."""
    if at is not None:
        for item in subscription["items"]["data"]:
            credit_unused(store, subscription, item, at)
    for index, given in enumerate(params.get("items", [])):
        _change(store, subscription, given, index, None)
    previous = before | {"billing_cycle_anchor": subscription["billing_cycle_anchor"]}
    cycles.start_over(store, subscription, "customer.subscription.updated", previous)


def _change(
    store: Store, subscription: Json, given: Json, index: int, at: int | None
) -> list[Json]:
    """One entry of `items`; the prorations that it makes from the instant `at`, if any."""
    items = subscription["items"]["data"]
    if "id" not in given:
        price = price_of(store, given, index)
        taken = discounts.redeem(store, given.get("discounts"), price["currency"])
        item = new_item(store, subscription, price, given, taken)
        items.append(item)
        cycles.plan_renewal(store, subscription, item)
        return [] if at is None else [debit_rest(store, subscription, item, at)]
    found = [item for item in items if item["id"] == given["id"]]
    if not found:
        raise invalid(f"No such subscription_item: '{given['id']}'", param=f"items[{index}][id]")
    item = found[0]
    if given.get("deleted"):
        items.remove(item)
        store.tables["subscription_item"].pop(item["id"])
        return [] if at is None else credit_unused(store, subscription, item, at)
    changes: dict[str, Any] = {}
    if "price" in given or "price_data" in given:
        price = price_of(store, given, index)
        changes |= {"price": price, "plan": plan_of(price)}
    if "quantity" in given:
        changes["quantity"] = given["quantity"]
    changes = {name: value for name, value in changes.items() if item[name] != value}
    made = credit_unused(store, subscription, item, at) if changes and at is not None else []
    item |= changes
    if made and at is not None:
        made.append(debit_rest(store, subscription, item, at))
    return made
