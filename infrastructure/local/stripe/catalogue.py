"""Products, prices and tax rates."""

from fractions import Fraction
from typing import Any

from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import listing

PRODUCTS = "/v1/products"
PRICES = "/v1/prices"
TAX_RATES = "/v1/tax_rates"


def updated(store: Store, thing: Json, event: str, params: Json) -> Json:
    """Sets the given fields, merges metadata, and emits `event` when something changed."""
    changes = dict(params)
    if "metadata" in params:
        changes["metadata"] = merge_metadata(thing["metadata"], params["metadata"])
    changes = {name: None if value == "" else value for name, value in changes.items()}
    return store.change(thing, event, **changes)


@endpoint("POST", PRODUCTS, "name active description metadata tax_code unit_label id")
def create_product(store: Store, params: Json) -> Json:
    """A product; its `id` may be chosen (SDK)."""
    given = {k: v for k, v in params.items() if k not in ("metadata", "id")}
    thing = store.add(
        "product",
        "prod",
        {
            "active": True,
            "images": [],
            "marketing_features": [],
            "metadata": merge_metadata({}, params.get("metadata")),
            "type": "service",
            "updated": store.now(),
            **given,
        },
    )
    if "id" in params:
        del store.tables["product"][thing["id"]]
        thing["id"] = params["id"]
        store.tables["product"][thing["id"]] = thing
    store.emit("product.created", thing)
    return thing


@endpoint("GET", PRODUCTS, "active created")
def list_products(store: Store, params: Json) -> Json:
    """All products, the newest first."""
    return listing(store, "product", params, PRODUCTS, active=params.get("active"))


@endpoint("GET", PRODUCTS + "/{id}")
def retrieve_product(store: Store, _params: Json, identifier: str) -> Json:
    """One product."""
    return store.get("product", identifier)


@endpoint("POST", PRODUCTS + "/{id}", "name active description metadata")
def update_product(store: Store, params: Json, identifier: str) -> Json:
    """Changes the given fields."""
    return updated(store, store.get("product", identifier), "product.updated", params)


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
        "price",
        {
            "active": params.get("active", True),
            "billing_scheme": "per_unit",
            "currency": params["currency"].lower(),
            "lookup_key": params.get("lookup_key"),
            "metadata": merge_metadata({}, params.get("metadata")),
            "nickname": params.get("nickname"),
            "product": product,
            "recurring": _recurring(recurring) if recurring else None,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "type": "recurring" if recurring else "one_time",
            "unit_amount": params["unit_amount"],
            "unit_amount_decimal": str(params["unit_amount"]),
        },
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


@endpoint("GET", PRICES, "active currency product type lookup_keys created")
def list_prices(store: Store, params: Json) -> Json:
    """All prices, the newest first."""
    filters = {name: params.get(name) for name in ("active", "currency", "product", "type")}
    return listing(store, "price", params, PRICES, **filters)


@endpoint("GET", PRICES + "/{id}")
def retrieve_price(store: Store, _params: Json, identifier: str) -> Json:
    """One price."""
    return store.get("price", identifier)


@endpoint("POST", PRICES + "/{id}", "active nickname metadata tax_behavior lookup_key")
def update_price(store: Store, params: Json, identifier: str) -> Json:
    """Amount, currency and interval never change (documentation)."""
    return updated(store, store.get("price", identifier), "price.updated", params)


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
    given = {name: value for name, value in params.items() if name != "metadata"}
    thing = store.add(
        "tax_rate",
        "txr",
        {
            "active": True,
            "metadata": merge_metadata({}, params.get("metadata")),
            "rate_type": "percentage",
            **given,
        },
    )
    store.emit("tax_rate.created", thing)
    return thing


@endpoint("GET", TAX_RATES, "active inclusive created")
def list_tax_rates(store: Store, params: Json) -> Json:
    """All tax rates, the newest first."""
    filters = {name: params.get(name) for name in ("active", "inclusive")}
    return listing(store, "tax_rate", params, TAX_RATES, **filters)


@endpoint("GET", TAX_RATES + "/{id}")
def retrieve_tax_rate(store: Store, _params: Json, identifier: str) -> Json:
    """One tax rate."""
    return store.get("tax_rate", identifier)


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


def half_up(exact: Fraction) -> int:
    """Rounded to a whole minor unit, halves away from zero."""
    whole = abs(exact) + Fraction(1, 2)
    return (1 if exact >= 0 else -1) * (whole.numerator // whole.denominator)
