"""Coupons, the discounts that they give, and what these take off an invoice's lines.

A line keeps its gross `amount`; what is taken off stands in its `discount_amounts` and its tax is
on the rest (SDK docstrings). How an amount off is spread over lines: unverified, here in proportion
to what each has left, the remainder by the largest fraction.
"""

from fractions import Fraction
from typing import Any

from infrastructure.local.stripe.errors import invalid, unmodelled
from infrastructure.local.stripe.money import half_up, spread
from infrastructure.local.stripe.periods import advance
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/coupons"


@endpoint(
    "POST", URL, "id name percent_off amount_off currency duration duration_in_months metadata"
)
def create_coupon(store: Store, params: Json) -> Json:
    """A percentage, or an amount in one currency; `once` unless told otherwise (SDK)."""
    if ("percent_off" in params) == ("amount_off" in params):  # text unverified
        raise invalid("You must pass either `percent_off` or `amount_off`.", param="percent_off")
    if "amount_off" in params and "currency" not in params:  # text unverified
        raise invalid("You must pass currency when passing amount_off.", param="currency")
    given = {name: value for name, value in params.items() if name not in ("id", "metadata")}
    values = {
        "duration": "once",
        "metadata": params.get("metadata"),
        "times_redeemed": 0,
        "valid": True,
        **given,
    }
    thing = store.add("coupon", params.get("id") or store.identifier("co")[-8:], **values)
    store.emit("coupon.created", thing)
    return thing


@endpoint("DELETE", URL + "/{id}")
def delete_coupon(store: Store, _params: Json, identifier: str) -> Json:
    """Discounts that were given stay (SDK docstring)."""
    thing = store.get("coupon", identifier, "coupon")
    store.emit("coupon.deleted", thing)
    store.private[identifier] = thing
    return store.drop(thing)


def redeem(store: Store, given: Any, currency: str, **owner: str) -> list[str]:
    """The discounts of a `discounts` parameter; an empty string clears them."""
    coupons = [
        _usable(store, entry, currency, f"discounts[{index}]")
        for index, entry in enumerate(given or [])
    ]
    found = []
    for entry, coupon in zip(given or [], coupons, strict=True):
        if "discount" in entry:
            found.append(entry["discount"])
            continue
        months = coupon["duration_in_months"]
        values = {
            "customer": None,
            "end": advance(store.now(), "month", months) if months else None,
            "source": {"coupon": coupon["id"], "type": "coupon"},
            "start": store.now(),
            **owner,
        }
        found.append(store.add("discount", **values)["id"])
        coupon["times_redeemed"] += 1
        store.emit("coupon.updated", coupon)
    return found


def _usable(store: Store, entry: Json, currency: str, param: str) -> Json:
    """The coupon that an entry of `discounts` means, or a refusal before anything changes."""
    if "discount" in entry:
        return coupon_of(store, entry["discount"])
    if "coupon" not in entry:
        raise unmodelled("promotion codes")
    coupon = store.get("coupon", entry["coupon"], f"{param}[coupon]")
    if coupon["currency"] not in (None, currency):  # text unverified
        raise invalid(
            f"The coupon {coupon['id']} is for {coupon['currency']}, not {currency}.",
            param=f"{param}[coupon]",
        )
    return coupon


def coupon_of(store: Store, identifier: str) -> Json:
    """The coupon of a discount, also once it is deleted."""
    coupon = store.get("discount", identifier, "discounts")["source"]["coupon"]
    kept: Json = store.tables["coupon"].get(coupon) or store.private[coupon]
    return kept


def active(store: Store, owner: Json) -> list[str]:
    """A subscription's discounts that its next invoice gets; one for once goes with it."""
    current = [
        one
        for one in owner["discounts"]
        if (store.get("discount", one)["end"] or store.now() + 1) > store.now()
    ]
    owner["discounts"] = [one for one in current if coupon_of(store, one)["duration"] != "once"]
    return current


def apply(store: Store, invoice: Json) -> None:
    """Takes the discounts off the lines: each line's own first, then the invoice's, in order."""
    lines = invoice["lines"]["data"]
    for line in lines:
        line["discount_amounts"] = []
    open_to_all = [line for line in lines if line["discountable"]]
    for line in open_to_all:
        for discount in line["discounts"]:
            _take(coupon_of(store, discount), discount, [line])
    for discount in invoice["discounts"]:
        _take(coupon_of(store, discount), discount, open_to_all)
    for line in lines:
        line["pretax_credit_amounts"] = [
            {**taken, "type": "discount"} for taken in line["discount_amounts"]
        ]


def net(line: Json) -> int:
    """What a line costs once its discounts are taken off, in minor units."""
    amount: int = line["amount"] - sum(taken["amount"] for taken in line["discount_amounts"])
    return amount


def _take(coupon: Json, discount: str, lines: list[Json]) -> None:
    left = [max(0, net(line)) for line in lines]
    if coupon["percent_off"] is not None:
        rate = Fraction(str(coupon["percent_off"])) / 100
        parts = [half_up(amount * rate) for amount in left]
    else:
        parts = spread(min(coupon["amount_off"], sum(left)), left)
    for line, part in zip(lines, parts, strict=True):
        line["discount_amounts"].append({"amount": part, "discount": discount})


def totals(lines: list[Json]) -> list[Json]:
    """The lines' discount amounts added up by discount."""
    added: dict[str, int] = {}
    for line in lines:
        for taken in line["discount_amounts"]:
            added[taken["discount"]] = added.get(taken["discount"], 0) + taken["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in added.items()]
