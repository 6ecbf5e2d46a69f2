"""Pending invoice items: charges that wait for the next invoice."""

from infrastructure.local.stripe import billing
from infrastructure.local.stripe.catalogue import tax_rates, updated
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import paged, within

URL = "/v1/invoiceitems"


@endpoint(
    "POST",
    URL,
    "customer amount currency description metadata period subscription invoice pricing quantity"
    " tax_rates discountable",
)
def create_invoice_item(store: Store, params: Json) -> Json:
    """By amount, or by price and quantity; on a draft when `invoice` names one."""
    customer = store.get("customer", params.get("customer", ""), "customer")
    if "subscription" in params:
        subscription = store.get("subscription", params["subscription"], "subscription")
        if subscription["status"] == "canceled":  # text unverified
            message = "You cannot add invoice items to a canceled subscription."
            raise invalid(message, param="subscription")
    amount, currency, pricing = _priced(store, params)
    now = store.now()
    item = store.add(
        "invoiceitem",
        "ii",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer["id"],
            "date": now,
            "description": params.get("description"),
            "discountable": params.get("discountable", amount >= 0),
            "discounts": [],
            "metadata": merge_metadata({}, params.get("metadata")),
            "net_amount": amount,
            "parent": _parent(params.get("subscription")),
            "period": params.get("period", {"end": now, "start": now}),
            "pricing": pricing,
            "proration": False,
            "quantity": params.get("quantity", 1),
            "quantity_decimal": str(params.get("quantity", 1)),
            "tax_rates": tax_rates(store, params.get("tax_rates")),
        },
    )
    store.emit("invoiceitem.created", item)
    if "invoice" in params:
        invoice = store.get("invoice", params["invoice"], "invoice")
        if invoice["status"] != "draft":  # text unverified
            message = "You can only add invoice items to draft invoices."
            raise invalid(message, param="invoice")
        put_on(store, invoice, [item])
    return item


def _priced(store: Store, params: Json) -> tuple[int, str, Json | None]:
    if "amount" in params:
        if "currency" not in params:  # recorded for other endpoints
            message = "Missing required param: currency."
            raise invalid(message, param="currency", code="parameter_missing")
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
            "proration_details": {"credited_items": None},
            "subscription": subscription_id(item),
        }
        billing.add_line(
            store,
            invoice,
            rates=item["tax_rates"],
            amount=item["amount"],
            description=item["description"],
            discountable=item["discountable"],
            metadata=item["metadata"],
            parent={
                "invoice_item_details": details,
                "subscription_item_details": None,
                "type": "invoice_item_details",
            },
            period=item["period"],
            pricing=item["pricing"],
            quantity=item["quantity"],
            subscription=subscription_id(item),
        )


@endpoint("GET", URL, "customer invoice pending created")
def list_invoice_items(store: Store, params: Json) -> Json:
    """Of a customer or an invoice; `pending` means on no invoice (SDK docstring)."""
    rows = [
        item
        for item in store.rows("invoiceitem")
        if params.get("customer") in (None, item["customer"])
        and params.get("invoice") in (None, item["invoice"])
        and params.get("pending") in (None, item["invoice"] is None)
        and within(item["date"], params.get("created"))
    ]
    return paged(rows, params, URL)


@endpoint("GET", URL + "/{id}")
def retrieve_invoice_item(store: Store, _params: Json, identifier: str) -> Json:
    """One invoice item."""
    return store.get("invoiceitem", identifier)


@endpoint("POST", URL + "/{id}", "description metadata period")
def update_invoice_item(store: Store, params: Json, identifier: str) -> Json:
    """Changes the given fields; there is no event for it (SDK: only created and deleted)."""
    return updated(store, store.get("invoiceitem", identifier), "", params)


@endpoint("DELETE", URL + "/{id}")
def delete_invoice_item(store: Store, _params: Json, identifier: str) -> Json:
    """Only while it is on no invoice, or on a draft (SDK docstring)."""
    item = store.get("invoiceitem", identifier)
    if item["invoice"]:
        invoice = store.tables["invoice"].get(item["invoice"])
        if invoice is None or invoice["status"] != "draft":  # text unverified
            message = "This invoice item is attached to an invoice that can no longer be edited."
            raise invalid(message)
        lines = invoice["lines"]["data"]
        lines[:] = [line for line in lines if _origin(line) != identifier]
        billing.compute_totals(invoice)
    store.emit("invoiceitem.deleted", item)
    return store.drop(item)


def _origin(line: Json) -> str | None:
    details = line["parent"]["invoice_item_details"]
    return details["invoice_item"] if details else None
