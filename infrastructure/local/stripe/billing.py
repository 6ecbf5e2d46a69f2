"""An invoice's life: draft with lines, totals, finalization, collection, and its other ends.

draft → open → paid | void | uncollectible. A subscription's renewal stays a draft for about an hour
(documentation); its first invoice is finalized at once.
"""

from infrastructure.local.stripe import discounts, invoice_payments, payments
from infrastructure.local.stripe.customers import adjust_balance
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.invoice_lines import compute_totals
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
    "status": "draft",
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
        "discounts": discounts.active(store, subscription) if subscription else [],
        "parent": _parent(subscription) if subscription else None,
        "period_end": store.now(),
        "period_start": store.now(),
        "starting_balance": customer["balance"],
    }
    invoice = store.add("invoice", **{**snapshot(NEW_INVOICE), **values})
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


def finalize(store: Store, invoice: Json, *, later: bool = False) -> None:
    """Numbers the invoice, settles the balance, and asks for the payment that is still due.

    With `later` it is charged in about an hour, not by the caller.
    """
    now = store.now()
    customer = store.get("customer", invoice["customer"])
    sequence = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = sequence + 1
    invoice["starting_balance"] = customer["balance"]
    compute_totals(store, invoice)
    ending, kind = min(0, invoice["total"] + customer["balance"]), "applied_to_invoice"
    if 0 < invoice["amount_due"] < MINIMUMS.get(invoice["currency"], MINIMUM_DEFAULT):
        # Too little to charge: it is owed on the customer's balance instead (recorded).
        ending, kind = invoice["amount_due"], "invoice_too_small"
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
        adjust_balance(store, customer, applied, invoice["currency"], kind, **links)
    if invoice["amount_due"]:
        invoice_payments.request_payment(store, invoice)
        if later:
            plan_attempt(store, invoice, now + DRAFT_SECONDS)
    store.emit("invoice.finalized", invoice)
    days = store.settings["overdue_days"]
    if invoice["due_date"] and days is not None:
        store.schedule(invoice["due_date"] + days * DAY, "overdue", invoice["id"])
    if not invoice["amount_due"]:
        paid(store, invoice)


def collect(store: Store, invoice: Json, method: Json | None) -> bool:
    """Tries to take what remains; on failure plans the next attempt unless told not to."""
    invoice["attempt_count"] += 1
    invoice["attempted"] = True
    _, intent = invoice_payments.own_payment(store, invoice)
    if method is not None and pay(store, intent, method)["status"] == "succeeded":
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
    if not retries and invoice["auto_advance"] and not first:
        _given_up(store, invoice, subscription)
    return False


def pay(store: Store, intent: Json, method: Json) -> Json:
    """Charges an intent, and credits what comes to the invoices that it pays; the charge."""
    charge = payments.pay_intent(store, intent, method)
    if charge["status"] == "succeeded":
        rows = [
            row
            for row in store.rows("invoice_payment")
            if row["payment"].get("payment_intent") == intent["id"] and row["status"] == "open"
        ]
        for row in reversed(rows):
            receive(store, store.get("invoice", row["invoice"]), row)
    return charge


def receive(store: Store, invoice: Json, row: Json) -> None:
    """The money of an invoice payment arrives, which may settle the invoice."""
    if invoice_payments.credit(store, invoice, row) and invoice["status"] != "paid":
        paid(store, invoice)
    elif invoice["amount_remaining"]:
        store.emit("invoice.updated", invoice, {})


def _given_up(store: Store, invoice: Json, subscription: Json | None) -> None:
    """After the last retry the account's settings decide (documentation)."""
    if store.settings["invoice_after_retries"] == "uncollectible":
        write_off(store, invoice, "max_payment_attempts")
    after = store.settings["after_retries"]
    if subscription is None or subscription["status"] != "past_due":
        return
    if after == "unpaid":
        store.change(subscription, "customer.subscription.updated", status="unpaid")
    elif after == "canceled":
        store.schedule(store.now(), "give_up", subscription["id"])


def plan_attempt(store: Store, invoice: Json, at: int) -> None:
    """Plans the next automatic attempt."""
    invoice["next_payment_attempt"] = at
    store.schedule(at, "collect", invoice["id"])


def paid(store: Store, invoice: Json) -> None:
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


def pay_outside(store: Store, invoice: Json) -> None:
    """Marked as paid outside Stripe: what remained counts as paid, nothing is charged (SDK)."""
    left = invoice["amount_remaining"]
    invoice |= {
        "amount_paid": invoice["amount_paid"] + left,
        "amount_paid_off_stripe": (invoice.get("amount_paid_off_stripe") or 0) + left,
        "amount_remaining": 0,
    }
    invoice_payments.cancel_open(store, invoice)
    paid(store, invoice)


def void(store: Store, invoice: Json) -> None:
    """Open or uncollectible → void: it asks for nothing any more (SDK docstring).

    The balance that it had taken goes back to the customer (documentation), if there still is one.
    """
    invoice_payments.cancel_open(store, invoice)
    _end(store, invoice, "void", "voided_at")
    applied = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = store.tables["customer"].get(invoice["customer"])
    if applied and customer is not None:
        kind, links = "unapplied_from_invoice", {"invoice": invoice["id"]}
        adjust_balance(store, customer, -applied, invoice["currency"], kind, **links)
    store.emit("invoice.voided", invoice)


def write_off(store: Store, invoice: Json, reason: str = "user_forgiven") -> None:
    """Open → uncollectible: kept as a bad debt, not collected (SDK docstring)."""
    invoice["status_details"] = {"uncollectible": {"reason": reason}}
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


@task("overdue")
def tell_overdue(store: Store, identifier: str) -> None:
    """Still open so many days after its due date."""
    invoice = store.tables["invoice"].get(identifier)
    if invoice is not None and invoice["status"] == "open":
        store.emit("invoice.overdue", invoice)


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
