"""Pending invoice items: charges that wait for the next invoice."""

from infrastructure.local.stripe.catalogue import tax_rates
from infrastructure.local.stripe.discounts import redeem
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.invoice_lines import add_line, compute_totals
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/invoiceitems"


@endpoint(
    "POST",
    URL,
    "customer amount currency description metadata period subscription invoice pricing quantity"
    " tax_rates discountable discounts",
)
def create_invoice_item(store: Store, params: Json) -> Json:
    """By amount, or by price and quantity; on a draft when `invoice` names one."""
    customer = store.get("customer", params.get("customer", ""), "customer")
    if "subscription" in params:
        subscription = store.get("subscription", params["subscription"], "subscription")
        if subscription["status"] == "canceled":  # text unverified
            raise invalid(
                "You cannot add invoice items to a canceled subscription.", param="subscription"
            )
    amount, currency, pricing = _priced(store, params)
    now = store.now()
    item = store.add(
        "invoiceitem",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        date=now,
        description=params.get("description"),
        discountable=params.get("discountable", amount >= 0),
        discounts=redeem(store, params.get("discounts"), currency),
        metadata=params.get("metadata"),
        net_amount=amount,
        parent=_parent(params.get("subscription")),
        period=params.get("period", {"end": now, "start": now}),
        pricing=pricing,
        proration=False,
        quantity=params.get("quantity", 1),
        quantity_decimal=str(params.get("quantity", 1)),
        tax_rates=tax_rates(store, params.get("tax_rates")),
    )
    store.emit("invoiceitem.created", item)
    if "invoice" in params:
        invoice = store.get("invoice", params["invoice"], "invoice")
        if invoice["status"] != "draft":  # text unverified
            raise invalid("You can only add invoice items to draft invoices.", param="invoice")
        put_on(store, invoice, [item])
        store.emit("invoice.updated", invoice)
    return item


def _priced(store: Store, params: Json) -> tuple[int, str, Json | None]:
    if "amount" in params:
        if "currency" not in params:  # recorded for other endpoints
            raise invalid(
                "Missing required param: currency.", param="currency", code="parameter_missing"
            )
        return params["amount"], params["currency"].lower(), None
    price = store.get("price", params.get("pricing", {}).get("price", ""), "pricing[price]")
    pricing = price_details(price)
    return price["unit_amount"] * params.get("quantity", 1), price["currency"], pricing


def price_details(price: Json) -> Json:
    """How a line or item names its price (SDK)."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _parent(subscription: str | None) -> Json | None:
    if subscription is None:
        return None
    details = {"subscription": subscription, "subscription_item": None}
    return {"subscription_details": details, "type": "subscription_details"}


def subscription_id(item: Json) -> str | None:
    """The subscription that an item accrued in."""
    return item["parent"]["subscription_details"]["subscription"] if item["parent"] else None


def pending(store: Store, customer: str, currency: str) -> list[Json]:
    """The customer's items on no invoice yet, the newest first, as they are swept (probe)."""
    return [
        item
        for item in store.rows("invoiceitem")
        if item["customer"] == customer and item["currency"] == currency and not item["invoice"]
    ]


def put_on(store: Store, invoice: Json, items: list[Json]) -> None:
    """Moves items onto a draft as lines."""
    for item in items:
        item["invoice"] = invoice["id"]
        details = {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "proration_details": {"credited_items": store.private.get(item["id"])},
            "subscription": subscription_id(item),
        }
        kind = "invoice_item_details"
        if item["proration"]:  # it belongs to a subscription's item (SDK)
            kind = "subscription_item_details"
            parent = item["parent"]["subscription_details"]
            details["subscription_item"] = parent["subscription_item"]
        details_of = dict.fromkeys(("invoice_item_details", "subscription_item_details"))
        add_line(
            store,
            invoice,
            rates=item["tax_rates"],
            amount=item["amount"],
            description=item["description"],
            discountable=item["discountable"],
            discounts=item["discounts"],
            metadata=item["metadata"],
            parent={**details_of, kind: details, "type": kind},
            period=item["period"],
            pricing=item["pricing"],
            quantity=item["quantity"],
            subscription=subscription_id(item),
        )


@endpoint("DELETE", URL + "/{id}")
def delete_invoice_item(store: Store, _params: Json, identifier: str) -> Json:
    """Only while it is on no invoice, or on a draft (SDK docstring)."""
    item = store.get("invoiceitem", identifier)
    if item["invoice"]:
        invoice = store.tables["invoice"].get(item["invoice"])
        if invoice is None or invoice["status"] != "draft":  # text unverified
            raise invalid(
                "This invoice item is attached to an invoice that can no longer be edited."
            )
        lines = invoice["lines"]["data"]
        lines[:] = [line for line in lines if _origin(line) != identifier]
        compute_totals(store, invoice)
        store.emit("invoice.updated", invoice, {})
    store.emit("invoiceitem.deleted", item)
    return store.drop(item)


def _origin(line: Json) -> str | None:
    parent = line["parent"]
    details = parent["invoice_item_details"] or parent["subscription_item_details"]
    item: str | None = details["invoice_item"]
    return item
