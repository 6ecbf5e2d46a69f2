"""Products, prices and tax rates."""

from fractions import Fraction
from typing import Any

from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.money import half_up
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

PRODUCTS = "/v1/products"
PRICES = "/v1/prices"
TAX_RATES = "/v1/tax_rates"


@endpoint("POST", PRODUCTS, "name active description metadata tax_code unit_label id")
def create_product(store: Store, params: Json) -> Json:
    """A product; its `id` may be chosen (SDK)."""
    given = {name: value for name, value in params.items() if name != "id"}
    values = {"active": True, "type": "service", "updated": store.now(), **given}
    thing = store.add("product", params.get("id"), **values)
    store.emit("product.created", thing)
    return thing


@endpoint(
    "POST",
    PRICES,
    "currency product product_data unit_amount recurring tax_behavior nickname lookup_key metadata"
    " active",
)
def create_price(store: Store, params: Json) -> Json:
    """A price per unit, one-off or recurring; its product may be made in place."""
    if "product_data" in params:
        product = create_product(store, params["product_data"])["id"]
    else:
        product = store.get("product", params.get("product", ""), "product")["id"]
    if "unit_amount" not in params:  # text unverified
        raise invalid("You must specify `unit_amount`.", param="unit_amount")
    recurring = params.get("recurring")
    thing = store.add(
        "price",
        active=params.get("active", True),
        billing_scheme="per_unit",
        currency=params["currency"].lower(),
        lookup_key=params.get("lookup_key"),
        metadata=params.get("metadata"),
        nickname=params.get("nickname"),
        product=product,
        recurring=_recurring(recurring) if recurring else None,
        tax_behavior=params.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        unit_amount=params["unit_amount"],
        unit_amount_decimal=str(params["unit_amount"]),
    )
    store.emit("price.created", thing)
    return thing


def _recurring(given: Json) -> Json:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": given.get("usage_type", "licensed"),
    }


def plan_of(price: Json) -> Json:
    """The deprecated plan that a subscription item still carries (SDK, recorded)."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


@endpoint(
    "POST",
    TAX_RATES,
    "display_name inclusive percentage active country description jurisdiction metadata state"
    " tax_type",
)
def create_tax_rate(store: Store, params: Json) -> Json:
    """A manual tax rate, added to the amounts or included in them."""
    thing = store.add("tax_rate", **{"active": True, "rate_type": "percentage", **params})
    store.emit("tax_rate.created", thing)
    return thing


def tax_rates(store: Store, identifiers: Any) -> list[Json]:
    """The rates of a parameter such as `default_tax_rates`; an empty string clears."""
    return [store.get("tax_rate", one, "tax_rates") for one in identifiers or []]


def taxes_on(amount: int, rates: list[Json]) -> list[Json]:
    """The tax entries of a line.

    Exclusive: amount x rate. Inclusive: the part of the amount that is tax, amount x rate / (100 +
    all inclusive rates). Each is rounded half away from zero on its own (unverified: Stripe has an
    account setting for rounding by line or by total).
    """
    included = sum((_percentage(rate) for rate in rates if rate["inclusive"]), Fraction(0))
    entries = []
    for rate in rates:
        base = 100 + included if rate["inclusive"] else Fraction(100)
        tax = half_up(amount * _percentage(rate) / base)
        net = half_up(amount * 100 / (100 + included))
        entries.append(tax_entry(rate, tax, net if rate["inclusive"] else amount))
    return entries


def tax_entry(rate: Json, amount: int, taxable: int) -> Json:
    """One entry of `taxes` or `total_taxes` (SDK; the reason as recorded for manual rates)."""
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "not_available",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }


def total_taxes(lines: list[Json]) -> list[Json]:
    """The lines' tax entries added up by rate."""
    totals: dict[str, Json] = {}
    for line in lines:
        for entry in line["taxes"] or []:
            rate = entry["tax_rate_details"]["tax_rate"]
            total = totals.setdefault(rate, {**entry, "amount": 0, "taxable_amount": 0})
            total["amount"] += entry["amount"]
            total["taxable_amount"] += entry["taxable_amount"]
    return list(totals.values())


def _percentage(rate: Json) -> Fraction:
    return Fraction(str(rate["percentage"]))
