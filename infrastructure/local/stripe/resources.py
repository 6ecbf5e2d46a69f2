"""What every family has alike: lists by filters, retrieval by id, plain updates. Each is a row.

A family's own file holds what is its own: creation and transitions.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeAlias

from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import paged, within

Test: TypeAlias = Callable[[Json, Any], bool]


class Resource(NamedTuple):
    """A family's list and retrieval, and what a plain update takes and tells."""

    kind: str
    url: str
    filters: str = ""
    updates: str = ""
    event: str = ""
    param: str = "id"  # how its 404 names it


RESOURCES = (
    Resource(
        "product",
        "/v1/products",
        "active created",
        "name active description metadata",
        "product.updated",
    ),
    Resource(
        "price",
        "/v1/prices",
        "active currency product type lookup_keys created",
        "active nickname metadata tax_behavior lookup_key",
        "price.updated",
    ),
    Resource("tax_rate", "/v1/tax_rates", "active inclusive created"),
    Resource("coupon", "/v1/coupons", "created", "name metadata", "coupon.updated", "coupon"),
    Resource("customer", "/v1/customers", "email created"),  # the email is case-sensitive (SDK)
    Resource("payment_method", "/v1/payment_methods", "customer type"),
    Resource(
        "subscription",
        "/v1/subscriptions",
        "customer price status created collection_method",
    ),
    Resource(
        "subscription_item",
        "/v1/subscription_items",
        "subscription",
    ),
    Resource(
        "invoice",
        "/v1/invoices",
        "customer subscription status collection_method created due_date",
        param="invoice",
    ),
    Resource(
        "invoiceitem",
        "/v1/invoiceitems",
        "customer invoice pending created",
        "description metadata period",  # there is no event for it (SDK: only created, deleted)
    ),
    Resource("invoice_payment", "/v1/invoice_payments", "invoice payment status created"),
    Resource(
        "payment_intent",
        "/v1/payment_intents",
        "customer created",
        "description metadata receipt_email",
    ),
    Resource("payment_record", "/v1/payment_records"),
    Resource(
        "charge",
        "/v1/charges",
        "customer payment_intent created",
        "description metadata fraud_details receipt_email",
        "charge.updated",
    ),
    Resource(
        "refund",
        "/v1/refunds",
        "charge payment_intent created",
        "metadata",
        "refund.updated",
    ),
    Resource(
        "credit_note",
        "/v1/credit_notes",
        "customer invoice created",
        "memo metadata",
        "credit_note.updated",
    ),
    Resource("dispute", "/v1/disputes", "charge payment_intent created", param="dispute"),
    Resource(
        "radar.early_fraud_warning",
        "/v1/radar/early_fraud_warnings",
        "charge payment_intent created",
    ),
    Resource(
        "balance_transaction",
        "/v1/balance_transactions",
        "source type currency created",
    ),
    Resource("payment_link", "/v1/payment_links", "active"),
    Resource(
        "checkout.session",
        "/v1/checkout/sessions",
        "payment_intent payment_link status customer created",
    ),
    Resource("file", "/v1/files", "purpose created"),
    Resource("event", "/v1/events", "type types created delivery_success"),
    Resource("webhook_endpoint", "/v1/webhook_endpoints"),
    Resource("test_helpers.test_clock", "/v1/test_helpers/test_clocks"),
)


def _price_of(row: Json, wanted: Any) -> bool:
    return any(item["price"]["id"] == wanted for item in row["items"]["data"])


def _has_status(row: Json, wanted: Any) -> bool:
    """Canceled ones only with status `all`, `ended` or `canceled` (SDK docstring)."""
    ended = row["status"] in ("canceled", "incomplete_expired")
    special = {"all": True, "ended": ended, "": row["status"] != "canceled"}
    return bool(special.get(wanted, row["status"] == wanted))


def _subscription_of(row: Json, wanted: Any) -> bool:
    details = (row["parent"] or {}).get("subscription_details")
    return details is not None and details["subscription"] == wanted


def _paid_by(row: Json, wanted: Any) -> bool:
    payment = row["payment"]
    kind = wanted.get("type", payment["type"])
    return bool(kind == payment["type"] and wanted.get(kind) in (None, payment.get(kind)))


def _named(row: Json, patterns: Any) -> bool:
    return any(fnmatchcase(row["type"], pattern) for pattern in patterns)


# Filters that are more than a field of the same name.
TESTS: dict[tuple[str, str], Test] = {
    ("subscription", "price"): _price_of,
    ("subscription", "status"): _has_status,
    ("price", "lookup_keys"): lambda row, wanted: row["lookup_key"] in wanted,
    ("invoice", "subscription"): _subscription_of,
    ("invoice", "due_date"): lambda row, bounds: within(row["due_date"], bounds),
    ("invoiceitem", "pending"): lambda row, wanted: (row["invoice"] is None) == wanted,
    ("invoiceitem", "created"): lambda row, bounds: within(row["date"], bounds),
    ("invoice_payment", "payment"): _paid_by,
    # A dispute as source finds nothing, though its transactions name it (probe).
    ("balance_transaction", "source"): lambda row, wanted: (
        row["source"] == wanted and not wanted.startswith("du_")
    ),
    # By type, where `*` is a wildcard, and by whether all webhooks are delivered (SDK).
    ("event", "type"): lambda row, wanted: _named(row, [wanted]),
    ("event", "types"): _named,
    ("event", "delivery_success"): lambda row, wanted: (row["pending_webhooks"] == 0) == wanted,
}
# What a filter says when it is not given; no customer, no methods (documentation).
UNSAID: dict[tuple[str, str], Any] = {
    ("subscription", "status"): "",
    ("payment_method", "customer"): "nobody",
}
LIST_PARAMS = {"limit", "starting_after", "ending_before"}


def listing(store: Store, kind: str, params: Json, url: str, **fixed: Any) -> Json:
    """A page of a kind, the newest first, by the filters in `params` and the `fixed` fields."""
    wanted = {name: value for name, value in params.items() if name not in LIST_PARAMS} | fixed
    for (of, name), value in UNSAID.items():
        if of == kind:
            wanted.setdefault(name, value)
    return paged([row for row in store.rows(kind) if _fits(kind, row, wanted)], params, url)


def _fits(kind: str, row: Json, wanted: Json) -> bool:
    for name, value in wanted.items():
        test = TESTS.get((kind, name))
        if test is not None:
            fits = test(row, value)
        elif name == "created":
            fits = within(row["created"], value)
        else:
            fits = row.get(name) == value
        if not fits:
            return False
    return True


def updated(store: Store, thing: Json, event: str, params: Json) -> Json:
    """Sets the given fields, merges metadata, and emits `event` when something changed."""
    changes = dict(params)
    if "metadata" in params:
        changes["metadata"] = merge_metadata(thing["metadata"], params["metadata"])
    changes = {name: None if value == "" else value for name, value in changes.items()}
    return store.change(thing, event or None, **changes)


def _register(resource: Resource) -> None:
    kind, url, filters, updates, event, param = resource

    @endpoint("GET", url, filters)
    def list_all(store: Store, params: Json) -> Json:
        return listing(store, kind, params, url)

    @endpoint("GET", url + "/{id}")
    def retrieve(store: Store, _params: Json, identifier: str) -> Json:
        return store.deleted.get(identifier) or store.get(kind, identifier, param)

    if updates:

        @endpoint("POST", url + "/{id}", updates)
        def update(store: Store, params: Json, identifier: str) -> Json:
            return updated(store, store.get(kind, identifier, param), event, params)


for _resource in RESOURCES:
    _register(_resource)
