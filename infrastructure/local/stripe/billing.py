"""An invoice's life: draft with lines, totals, finalization, collection, and its other ends.

draft → open → paid | void | uncollectible. A subscription's renewal stays a draft for about an hour
(documentation); its first invoice is finalized at once.
"""

from typing import Any

from infrastructure.local.stripe import payments
from infrastructure.local.stripe.catalogue import taxes_on, total_taxes
from infrastructure.local.stripe.customers import adjust_balance
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.state import Json, Store, snapshot
from infrastructure.local.stripe.views import page

DAY = 24 * 3600
DRAFT_SECONDS = 3600  # "approximately one hour" (documentation)
# Days from a failed attempt to the next, then no more (a fixed schedule of the dashboard;
# Stripe's default picks the instants by learning, so these are unverified).
RETRY_DAYS = (3, 5, 7)
URL = "/v1/invoices"
# The smallest amounts that can be charged (documentation; USD recorded).
MINIMUMS = {"gbp": 30, "sek": 300, "nok": 300, "dkk": 250, "hkd": 400, "krw": 1000, "mxn": 1000}
MINIMUM_DEFAULT = 50


# What every new draft says, whoever it is for.
NEW_INVOICE: Json = {
    **dict.fromkeys(
        (
            *("amount_due", "amount_overpaid", "amount_paid", "amount_remaining"),
            *("amount_shipping", "attempt_count", "subtotal", "total"),
            *("post_payment_credit_notes_amount", "pre_payment_credit_notes_amount"),
        ),
        0,
    ),
    "account_country": "US",
    "account_name": "Local Stripe",
    "attempted": False,
    "auto_advance": True,
    "automatic_tax": {
        **dict.fromkeys(("disabled_reason", "liability", "provider", "status")),
        "enabled": False,
    },
    "customer_tax_ids": [],
    "discounts": [],
    "issuer": {"type": "self"},
    "metadata": {},
    "payment_settings": dict.fromkeys(
        ("default_mandate", "payment_method_options", "payment_method_types")
    ),
    "status": "draft",
    "status_transitions": dict.fromkeys(
        ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
    ),
}


def draft(
    store: Store, customer: Json, currency: str, reason: str, subscription: Json | None = None
) -> Json:
    """An empty draft; the caller adds lines, then calls `opened`."""
    of = subscription or {}
    values = {
        "billing_reason": reason,
        "collection_method": of.get("collection_method", "charge_automatically"),
        "currency": currency,
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "default_tax_rates": list(of.get("default_tax_rates") or []),
        "parent": _parent(subscription) if subscription else None,
        "period_end": store.now(),
        "period_start": store.now(),
        "starting_balance": customer["balance"],
    }
    invoice = store.add("invoice", "in", {**snapshot(NEW_INVOICE), **values})
    invoice["lines"] = page([], f"{URL}/{invoice['id']}/lines")
    return invoice


def _parent(subscription: Json) -> Json:
    """How an invoice names its subscription (SDK)."""
    return {
        "quote_details": None,
        "subscription_details": {
            "metadata": subscription["metadata"],
            "subscription": subscription["id"],
        },
        "type": "subscription_details",
    }


def add_line(store: Store, invoice: Json, *, rates: list[Json], **values: Any) -> Json:
    """Appends a line with its taxes; `rates` empty means the invoice's default rates."""
    line = {
        "id": store.identifier("il"),
        "object": "line_item",
        "currency": invoice["currency"],
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "pricing": None,
        "subscription": None,
        "taxes": taxes_on(values["amount"], rates or invoice["default_tax_rates"]),
        **values,
    }
    line["subtotal"] = line["amount"]
    line["quantity_decimal"] = None if line["quantity"] is None else str(line["quantity"])
    invoice["lines"]["data"].append(line)
    compute_totals(invoice)
    return line


def compute_totals(invoice: Json) -> None:
    """Subtotal, tax, total and what is due; the customer's balance counts from finalization on.

    A balance above zero is owed and raises what is due, one below pays (recorded: total 1000 with
    starting balance 4 is 1004 due).
    """
    lines = invoice["lines"]["data"]
    taxes = total_taxes(lines)
    included = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    subtotal = sum(line["amount"] for line in lines)
    due = max(0, subtotal + added + invoice["starting_balance"])
    invoice |= {
        "amount_due": due,
        "amount_remaining": due,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included,
        "total": subtotal + added,
        "total_discount_amounts": [],
        "total_excluding_tax": subtotal - included,
        "total_pretax_credit_amounts": [],
        "total_taxes": taxes,
    }


def opened(store: Store, invoice: Json) -> None:
    """Announces a draft, and plans its finalization when it advances by itself."""
    if invoice["auto_advance"]:
        invoice |= draft_window(store, invoice)
    store.emit("invoice.created", invoice)


def draft_window(store: Store, invoice: Json) -> Json:
    """When a draft will be finalized and paid: counted from its creation (probe)."""
    attempt = invoice["created"] + DRAFT_SECONDS
    store.schedule(max(store.now(), attempt + 1), "finalize", invoice["id"])
    charged = invoice["collection_method"] == "charge_automatically"
    return {
        "automatically_finalizes_at": attempt + 1,
        "next_payment_attempt": attempt if charged else None,
    }


def finalize(store: Store, invoice: Json) -> None:
    """Numbers the invoice, settles the balance, and asks for the payment that is still due."""
    now = store.now()
    customer = store.get("customer", invoice["customer"])
    sequence = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = sequence + 1
    invoice["starting_balance"] = customer["balance"]
    compute_totals(invoice)
    ending = min(0, invoice["total"] + customer["balance"])
    if 0 < invoice["amount_due"] < MINIMUMS.get(invoice["currency"], MINIMUM_DEFAULT):
        # Too little to charge: it is owed on the customer's balance instead (recorded).
        ending = invoice["amount_due"]
        invoice |= {"amount_due": 0, "amount_remaining": 0}
    page_url = f"https://invoice.stripe.com/i/local/{invoice['id']}"
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": now,
        "ending_balance": ending,
        "hosted_invoice_url": page_url,
        "invoice_pdf": f"{page_url}/pdf",
        "next_payment_attempt": None,
        "number": f"{customer['invoice_prefix']}-{sequence:04}",
        "status": "open",
        "status_transitions": {**invoice["status_transitions"], "finalized_at": now},
    }
    applied = ending - customer["balance"]
    if applied:
        links = {"invoice": invoice["id"]}
        kind = "applied_to_invoice"
        adjust_balance(store, customer, applied, invoice["currency"], kind, **links)
    if invoice["amount_due"]:
        _request_payment(store, invoice)
    store.emit("invoice.finalized", invoice)
    if not invoice["amount_due"]:
        _paid(store, invoice)


def _request_payment(store: Store, invoice: Json) -> None:
    words = {
        "subscription_create": "Subscription creation",
        "subscription_cycle": "Subscription update",
    }
    intent = payments.create_intent(
        store,
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        description=words.get(
            invoice["billing_reason"], f"Payment for Invoice {invoice['number']}"
        ),
    )
    store.add(
        "invoice_payment",
        "inpay",
        {
            "amount_requested": invoice["amount_remaining"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def payments_of(store: Store, invoice: Json) -> list[Json]:
    """The invoice's payments, the newest first."""
    return [row for row in store.rows("invoice_payment") if row["invoice"] == invoice["id"]]


def collect(store: Store, invoice: Json, method: Json | None) -> bool:
    """Tries to take what remains; on failure plans the next attempt unless told not to."""
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    payment = next(row for row in payments_of(store, invoice) if row["status"] == "open")
    intent = store.get("payment_intent", payment["payment"]["payment_intent"])
    if method is not None:
        charge = payments.pay_intent(store, intent, method)
        if charge["status"] == "succeeded":
            _settle_payment(store, invoice, payment)
            return True
    retries = RETRY_DAYS[invoice["attempt_count"] - 1 : invoice["attempt_count"]]
    if retries and invoice["auto_advance"]:
        plan_attempt(store, invoice, store.now() + retries[0] * DAY)
    else:
        invoice["next_payment_attempt"] = None
    store.emit("invoice.payment_failed", invoice)
    subscription = subscription_of(store, invoice)
    first = invoice["billing_reason"] == "subscription_create"  # incomplete, not past due
    if subscription and subscription["status"] == "active" and not first:
        store.change(subscription, "customer.subscription.updated", status="past_due")
    return False


def plan_attempt(store: Store, invoice: Json, at: int) -> None:
    """Plans the next automatic attempt."""
    invoice["next_payment_attempt"] = at
    store.schedule(at, "collect", invoice["id"])


def _settle_payment(store: Store, invoice: Json, payment: Json) -> None:
    payment |= {
        "amount_paid": payment["amount_requested"],
        "status": "paid",
        "status_transitions": {**payment["status_transitions"], "paid_at": store.now()},
    }
    invoice["amount_paid"] += payment["amount_paid"]
    invoice["amount_remaining"] -= payment["amount_paid"]
    store.emit("invoice_payment.paid", payment)
    _paid(store, invoice)


def _paid(store: Store, invoice: Json) -> None:
    """Paid, which also makes an incomplete or past due subscription active (documentation)."""
    invoice |= {
        "attempted": True,
        "auto_advance": False,
        "next_payment_attempt": None,
        "status": "paid",
        "status_transitions": {**invoice["status_transitions"], "paid_at": store.now()},
    }
    store.emit("invoice.paid", invoice)
    store.emit("invoice.payment_succeeded", invoice)
    subscription = subscription_of(store, invoice)
    revivable = ("incomplete", "past_due", "unpaid")
    latest = subscription and subscription["latest_invoice"] == invoice["id"]
    if subscription and latest and subscription["status"] in revivable:
        store.change(subscription, "customer.subscription.updated", status="active")


def credit_open(store: Store, invoice: Json, amount: int) -> None:
    """A credit note lowers what an open invoice still asks for; at nothing left it is paid."""
    invoice["amount_remaining"] -= amount
    payment = next(row for row in payments_of(store, invoice) if row["status"] == "open")
    intent = store.get("payment_intent", payment["payment"]["payment_intent"])
    if invoice["amount_remaining"]:
        payment["amount_requested"] = intent["amount"] = invoice["amount_remaining"]
        return
    _end_payments(store, invoice)
    _paid(store, invoice)


def _end_payments(store: Store, invoice: Json) -> None:
    for payment in payments_of(store, invoice):
        if payment["status"] == "open":
            payment["status"] = "canceled"
            transitions = {**payment["status_transitions"], "canceled_at": store.now()}
            payment["status_transitions"] = transitions
            intent = store.get("payment_intent", payment["payment"]["payment_intent"])
            payments.cancel_intent(store, intent)


def void(store: Store, invoice: Json) -> None:
    """Open or uncollectible → void: it asks for nothing any more (SDK docstring)."""
    _end_payments(store, invoice)
    _end(store, invoice, "void", "voided_at")
    store.emit("invoice.voided", invoice)


def write_off(store: Store, invoice: Json) -> None:
    """Open → uncollectible: kept as a bad debt, not collected (SDK docstring)."""
    _end(store, invoice, "uncollectible", "marked_uncollectible_at")
    store.emit("invoice.marked_uncollectible", invoice)


def _end(store: Store, invoice: Json, status: str, stamp: str) -> None:
    invoice |= {
        "next_payment_attempt": None,
        "status": status,
        "status_transitions": {**invoice["status_transitions"], stamp: store.now()},
    }


def method_for(store: Store, invoice: Json) -> Json | None:
    """The invoice's own method, else the subscription's, else the customer's default (SDK)."""
    customer = store.get("customer", invoice["customer"])
    subscription = subscription_of(store, invoice) or {}
    candidates = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        customer["invoice_settings"]["default_payment_method"],
    )
    identifier = next((one for one in candidates if one), None)
    return store.get("payment_method", identifier) if identifier else None


def subscription_of(store: Store, invoice: Json) -> Json | None:
    """The subscription that the invoice belongs to."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return store.get("subscription", details["subscription"]) if details else None


@task("finalize")
def finalize_due(store: Store, identifier: str) -> None:
    """A draft that still advances by itself is finalized and collected."""
    invoice = store.tables["invoice"].get(identifier)
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    if invoice["automatically_finalizes_at"] <= store.now():
        finalize(store, invoice)
        advance(store, invoice)


def advance(store: Store, invoice: Json) -> None:
    """Collects a freshly finalized invoice, unless its customer pays it by hand."""
    if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
        collect(store, invoice, method_for(store, invoice))


@task("collect")
def collect_due(store: Store, identifier: str) -> None:
    """The next attempt on an open invoice, when it still stands."""
    invoice = store.get("invoice", identifier)
    planned = invoice["next_payment_attempt"] == store.now()
    if planned and invoice["status"] == "open" and invoice["auto_advance"]:
        collect(store, invoice, method_for(store, invoice))
