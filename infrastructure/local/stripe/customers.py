"""Customers, their balance, and payment methods with the test cards' behaviour."""

import hashlib
from typing import Any

from infrastructure.local.stripe.catalogue import updated
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import listing, page, paged

CUSTOMERS = "/v1/customers"
METHODS = "/v1/payment_methods"

# Test cards by magic id: brand, last four digits, what happens when it is charged (documentation).
MAGIC = {
    "pm_card_visa": ("visa", "4242", "succeed"),
    "pm_card_mastercard": ("mastercard", "4444", "succeed"),
    "pm_card_amex": ("amex", "8431", "succeed"),
    "pm_card_chargeCustomerFail": ("visa", "0341", "decline"),
    "pm_card_createDispute": ("visa", "0259", "chargeback"),
    "pm_card_createDisputeInquiry": ("visa", "1976", "inquiry"),
}


@endpoint(
    "POST",
    CUSTOMERS,
    "name email phone description metadata payment_method invoice_settings address balance"
    " preferred_locales tax_exempt invoice_prefix",
)
def create_customer(store: Store, params: Json) -> Json:
    """A customer, with the payment method attached when one is given."""
    thing = store.add(
        "customer",
        "cus",
        {
            "balance": params.get("balance", 0),
            "delinquent": False,
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": merge_metadata({}, params.get("metadata")),
            "next_invoice_sequence": 1,
            "preferred_locales": params.get("preferred_locales", []),
            "tax_exempt": params.get("tax_exempt", "none"),
        },
    )
    digest = hashlib.sha256(thing["id"].encode()).hexdigest()[:8].upper()
    thing["invoice_prefix"] = params.get("invoice_prefix", digest)
    for name in ("name", "email", "phone", "description"):
        thing[name] = params.get(name) or None
    if params.get("address"):
        names = ("city", "country", "line1", "line2", "postal_code", "state")
        thing["address"] = {name: params["address"].get(name) for name in names}
    store.emit("customer.created", thing)
    _use_payment_methods(store, thing, params)
    return thing


def _use_payment_methods(store: Store, customer: Json, params: Json) -> None:
    """Attaches `payment_method`; the default must be attached, and may be the same magic id."""
    given = params.get("payment_method")
    attached: str = attach(store, given, customer)["id"] if given else ""
    default = (params.get("invoice_settings") or {}).get("default_payment_method")
    if not default:
        return
    if default == given:
        default = attached
    method = store.get("payment_method", default, "invoice_settings[default_payment_method]")
    if method["customer"] != customer["id"]:  # text as reported by users
        raise invalid(
            "The customer does not have a payment method with the ID"
            f" {default}. The payment method must be attached to the customer.",
            param="invoice_settings[default_payment_method]",
            code="resource_missing",
        )
    settings = {**customer["invoice_settings"], "default_payment_method": default}
    store.change(customer, "customer.updated", invoice_settings=settings)


@endpoint("GET", CUSTOMERS, "email created")
def list_customers(store: Store, params: Json) -> Json:
    """All customers, the newest first; `email` compares case-sensitively (SDK docstring)."""
    return listing(store, "customer", params, CUSTOMERS, email=params.get("email"))


@endpoint("GET", CUSTOMERS + "/{id}")
def retrieve_customer(store: Store, _params: Json, identifier: str) -> Json:
    """One customer."""
    return store.get("customer", identifier)


@endpoint(
    "POST",
    CUSTOMERS + "/{id}",
    "name email phone description metadata invoice_settings preferred_locales tax_exempt",
)
def update_customer(store: Store, params: Json, identifier: str) -> Json:
    """Changes the given fields."""
    customer = store.get("customer", identifier)
    _use_payment_methods(store, customer, params)
    plain = {name: value for name, value in params.items() if name != "invoice_settings"}
    return updated(store, customer, "customer.updated", plain)


def adjust_balance(
    store: Store, customer: Json, amount: int, currency: str, kind: str, **links: Any
) -> Json:
    """Adds to the balance (negative is credit) and records why: a customer balance transaction."""
    ending = customer["balance"] + amount
    transaction = store.add(
        "customer_balance_transaction",
        "cbtxn",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer["id"],
            "ending_balance": ending,
            "metadata": {},
            "type": kind,
            **links,
        },
    )
    store.change(customer, "customer.updated", balance=ending, currency=currency)
    return transaction


@endpoint("GET", CUSTOMERS + "/{id}/balance_transactions", "created invoice")
def list_balance_changes(store: Store, params: Json, customer: str) -> Json:
    """The customer's balance transactions, the newest first."""
    url = f"{CUSTOMERS}/{customer}/balance_transactions"
    return listing(store, "customer_balance_transaction", params, url, customer=customer)


def attach(store: Store, identifier: str, customer: Json) -> Json:
    """Gives a payment method to a customer; a magic id makes a new one (documentation)."""
    method = _from_magic(store, identifier)
    if method is None:
        method = store.get("payment_method", identifier, "payment_method")
    if method["customer"] not in (None, customer["id"]):  # text as reported by users
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            param="payment_method",
        )
    if method["customer"] is None:
        method["customer"] = customer["id"]
        store.emit("payment_method.attached", method)
    return method


def _from_magic(store: Store, identifier: str) -> Json | None:
    if identifier not in MAGIC:
        return None
    brand, last4, behaviour = MAGIC[identifier]
    method = store.add("payment_method", "pm", {"type": "card", "metadata": {}})
    silent = [name for name, value in method.items() if value is None and name != "customer"]
    for name in silent:  # only the type's own member is sent (recorded)
        del method[name]
    store.private[method["id"]] = behaviour
    method["billing_details"] = billing_details()
    method["allow_redisplay"] = "unspecified"
    method["card"] = {
        "brand": brand,
        "checks": None,
        "country": "US",
        "display_brand": brand,
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"local{last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return method


def billing_details() -> Json:
    """Nothing known: names and addresses play no part here."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}


@endpoint("POST", METHODS + "/{id}/attach", "customer")
def attach_payment_method(store: Store, params: Json, identifier: str) -> Json:
    """Attaches; the customer's default does not change."""
    customer = store.get("customer", params.get("customer", ""), "customer")
    return attach(store, identifier, customer)


@endpoint("GET", METHODS + "/{id}")
def retrieve_payment_method(store: Store, _params: Json, identifier: str) -> Json:
    """One payment method."""
    return store.get("payment_method", identifier)


@endpoint("GET", METHODS, "customer type")
def list_payment_methods(store: Store, params: Json) -> Json:
    """The methods of a customer; without one, none of any customer's (documentation)."""
    if "customer" not in params:
        return page([], METHODS)
    rows = [m for m in store.rows("payment_method") if m["customer"] == params["customer"]]
    return paged(rows, params, METHODS)
