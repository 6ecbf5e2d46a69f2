"""A customer that is deleted, and payment methods that are taken away."""

from infrastructure.local.stripe import cycles
from infrastructure.local.stripe.customers import CUSTOMERS, METHODS
from infrastructure.local.stripe.resources import listing
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store


@endpoint("DELETE", CUSTOMERS + "/{id}")
def delete_customer(store: Store, _params: Json, identifier: str) -> Json:
    """For good; its subscriptions are canceled at once, its payments stay (SDK docstring).

    Asked for again, it is three members (documentation). That its drafts stop and its methods are
    detached is unverified. Stripe's copy of the payments' details goes by a redaction job, which is
    not part of the pinned API.
    """
    customer = store.get("customer", identifier)
    for subscription in list(store.rows("subscription")):
        if subscription["customer"] == identifier and subscription["status"] not in cycles.ENDED:
            subscription["canceled_at"] = store.now()
            cycles.end(store, subscription)
    for invoice in list(store.rows("invoice")):
        if invoice["customer"] == identifier:
            store.change(invoice, "invoice.updated", auto_advance=False)
    for method in list(store.rows("payment_method")):
        if method["customer"] == identifier:
            _detach(store, method)
    store.emit("customer.deleted", customer)
    store.deleted[identifier] = store.drop(customer)
    return store.deleted[identifier]


def _detach(store: Store, method: Json) -> None:
    previous, method["customer"] = {"customer": method["customer"]}, None
    store.emit("payment_method.detached", method, previous)


@endpoint("POST", METHODS + "/{id}/detach")
def detach_payment_method(store: Store, _params: Json, identifier: str) -> Json:
    """Not charged again; as a default it is none any more (SDK docstring)."""
    method = store.get("payment_method", identifier)
    customer = store.tables["customer"].get(method["customer"])
    _detach(store, method)
    if customer is not None:
        settings = {**customer["invoice_settings"]}
        if settings["default_payment_method"] == identifier:
            settings["default_payment_method"] = None
        store.change(customer, "customer.updated", invoice_settings=settings)
    return method


@endpoint("GET", CUSTOMERS + "/{id}/payment_methods", "type")
def list_customer_methods(store: Store, params: Json, customer: str) -> Json:
    """The methods that are attached to one customer."""
    store.get("customer", customer)
    url = f"{CUSTOMERS}/{customer}/payment_methods"
    return listing(store, "payment_method", params, url, customer=customer)
