"""Customers, their balance, and payment methods with the test cards' behaviour."""

import hashlib
from typing import Any

from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.resources import listing, updated
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.sdk import Reference
from infrastructure.local.stripe.state import Json, Store

CUSTOMERS = "/v1/customers"
METHODS = "/v1/payment_methods"
SETTINGS = Reference("_customer", "Customer.InvoiceSettings")

# Test cards by magic id: brand, last four digits, what becomes of a charge (documentation).
MAGIC = {
    "pm_card_visa": ("visa", "4242", "succeed"),
    "pm_card_mastercard": ("mastercard", "4444", "succeed"),
    "pm_card_amex": ("amex", "8431", "succeed"),
    "pm_card_chargeCustomerFail": ("visa", "0341", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("visa", "0002", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
    "pm_card_createDispute": ("visa", "0259", "chargeback"),
    "pm_card_createProductNotReceived": ("visa", "2685", "not_received"),
    "pm_card_createDisputeInquiry": ("visa", "1976", "inquiry"),
    "pm_card_createMultipleDisputes": ("visa", "7079", "two_chargebacks"),
    "pm_card_createIssuerFraudRecord": ("visa", "5423", "fraud_warning"),
    "pm_card_refundFail": ("visa", "5126", "refund_fails"),
    "pm_card_pendingRefund": ("visa", "7726", "refund_pends"),
}
ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
DECLINES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
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
        balance=params.get("balance", 0),
        delinquent=False,
        invoice_settings=store.sdk.blank(SETTINGS),
        metadata=params.get("metadata"),
        next_invoice_sequence=1,
        preferred_locales=params.get("preferred_locales", []),
        tax_exempt=params.get("tax_exempt", "none"),
    )
    digest = hashlib.sha256(thing["id"].encode()).hexdigest()[:8].upper()
    thing["invoice_prefix"] = params.get("invoice_prefix", digest)
    for name in ("name", "email", "phone", "description"):
        thing[name] = params.get(name) or None
    if params.get("address"):
        thing["address"] = ADDRESS | params["address"]
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


@endpoint(
    "POST",
    CUSTOMERS + "/{id}",
    "name email phone description metadata invoice_settings preferred_locales tax_exempt address",
)
def update_customer(store: Store, params: Json, identifier: str) -> Json:
    """Changes the given fields."""
    customer = store.get("customer", identifier)
    _use_payment_methods(store, customer, params)
    plain = {name: value for name, value in params.items() if name != "invoice_settings"}
    if plain.get("address"):
        plain["address"] = (customer["address"] or ADDRESS) | plain["address"]
    return updated(store, customer, "customer.updated", plain)


def adjust_balance(
    store: Store, customer: Json, amount: int, currency: str, kind: str, **links: Any
) -> Json:
    """Adds to the balance (negative is credit) and records why: a customer balance transaction."""
    ending = customer["balance"] + amount
    transaction = store.add(
        "customer_balance_transaction",
        amount=amount,
        currency=currency,
        customer=customer["id"],
        ending_balance=ending,
        type=kind,
        **links,
    )
    store.change(customer, "customer.updated", balance=ending, currency=currency)
    return transaction


@endpoint("GET", CUSTOMERS + "/{id}/balance_transactions", "created invoice")
def list_balance_changes(store: Store, params: Json, customer: str) -> Json:
    """The customer's balance transactions, the newest first."""
    url = f"{CUSTOMERS}/{customer}/balance_transactions"
    return listing(store, "customer_balance_transaction", params, url, customer=customer)


@endpoint("POST", CUSTOMERS + "/{id}/balance_transactions", "amount currency description metadata")
def create_balance_change(store: Store, params: Json, identifier: str) -> Json:
    """An adjustment by hand: positive is owed, negative is credit (SDK docstring)."""
    customer = store.get("customer", identifier)
    currency = params["currency"].lower()
    links = {
        "description": params.get("description"),
        "metadata": params.get("metadata"),
    }
    return adjust_balance(store, customer, params["amount"], currency, "adjustment", **links)


def attach(store: Store, identifier: str, customer: Json) -> Json:
    """Gives a payment method to a customer; a magic id makes a new one (documentation)."""
    method = method_of(store, identifier)
    if method["customer"] not in (None, customer["id"]):  # text as reported by users
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            param="payment_method",
        )
    if method["customer"] is None:
        method["customer"] = customer["id"]
        store.emit("payment_method.attached", method)
    return method


def method_of(store: Store, identifier: str) -> Json:
    """The payment method of that id; of a magic id a new one, on no customer yet."""
    if identifier not in MAGIC:
        return store.get("payment_method", identifier, "payment_method")
    brand, last4, behaviour = MAGIC[identifier]
    method = store.add("payment_method", type="card")
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
    return {"address": {**ADDRESS}, "email": None, "name": None, "phone": None, "tax_id": None}


@endpoint("POST", METHODS + "/{id}/attach", "customer")
def attach_payment_method(store: Store, params: Json, identifier: str) -> Json:
    """Attaches; the customer's default does not change."""
    customer = store.get("customer", params.get("customer", ""), "customer")
    return attach(store, identifier, customer)
