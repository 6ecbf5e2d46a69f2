"""The billing cycle: what a period's end brings to a subscription.

At the same instant a cancellation comes before a renewal, so nothing is billed for the time after.
"""

from infrastructure.local.stripe import billing, invoice_items
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.errors import money
from infrastructure.local.stripe.periods import period_end
from infrastructure.local.stripe.state import Json, Store

ENDED = ("canceled", "incomplete_expired")
RENEWING = ("active", "past_due", "trialing", "unpaid")
INCOMPLETE_SECONDS = 23 * 3600  # an incomplete subscription expires after 23 hours (documentation)


def bill(store: Store, subscription: Json, items: list[Json], reason: str) -> Json:
    """A draft for these items' current periods and for what is pending."""
    customer = store.get("customer", subscription["customer"])
    invoice = billing.draft(store, customer, subscription["currency"], reason, subscription)
    for item in items:
        _add_line(store, invoice, subscription, item)
    waiting = [
        item
        for item in invoice_items.pending(store, customer["id"], subscription["currency"])
        if invoice_items.subscription_id(item) in (None, subscription["id"])
    ]
    invoice_items.put_on(store, invoice, waiting)
    invoice["default_payment_method"] = None
    if subscription["days_until_due"] is not None:
        invoice["due_date"] = store.now() + subscription["days_until_due"] * billing.DAY
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _add_line(store: Store, invoice: Json, subscription: Json, item: Json) -> None:
    price, quantity = item["price"], item["quantity"]
    product = store.get("product", price["product"])
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    billing.add_line(
        store,
        invoice,
        rates=item["tax_rates"],
        amount=price["unit_amount"] * quantity,
        description=f"{quantity} × {product['name']} (at {_rate(price)})",
        metadata=subscription["metadata"],
        parent={
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        period={"end": item["current_period_end"], "start": item["current_period_start"]},
        pricing=invoice_items.price_details(price),
        quantity=quantity,
        subscription=subscription["id"],
    )


def _rate(price: Json) -> str:
    """`$20.00 / month` (recorded); for several intervals `every 3 months` (documentation)."""
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    every = f"/ {interval}" if count == 1 else f"every {count} {interval}s"
    return f"{money(price['unit_amount'], price['currency'])} {every}"


def plan_renewal(store: Store, subscription: Json, item: Json) -> None:
    """Asks to be called at the end of the item's period."""
    if subscription["status"] == "incomplete":
        at = subscription["created"] + INCOMPLETE_SECONDS
        store.schedule(at, "expire", subscription["id"])
    store.schedule(item["current_period_end"], "renew", subscription["id"])


@task("renew")
def renew(store: Store, identifier: str) -> None:
    """Starts the next period of every item whose period ends now, and bills it in advance."""
    subscription = store.tables["subscription"].get(identifier)
    if subscription is None or subscription["status"] not in RENEWING:
        return
    now = store.now()
    due = [i for i in subscription["items"]["data"] if i["current_period_end"] == now]
    if not due:
        return
    previous = {
        "items": {"data": [{**item} for item in subscription["items"]["data"]]},
        "latest_invoice": subscription["latest_invoice"],
    }
    started = [item["current_period_start"] for item in due]
    for item in due:
        recurring = item["price"]["recurring"]
        item["current_period_start"] = now
        item["current_period_end"] = period_end(
            subscription["billing_cycle_anchor"],
            now,
            recurring["interval"],
            recurring["interval_count"],
        )
        plan_renewal(store, subscription, item)
    invoice = bill(store, subscription, due, "subscription_cycle")
    invoice["period_start"] = min(started)  # of the period that has passed (SDK docstring)
    store.emit("customer.subscription.updated", subscription, previous)
    _release(store, subscription, invoice)


def _release(store: Store, subscription: Json, invoice: Json) -> None:
    """Lets a renewal's invoice go its way, which a paused collection changes (documentation)."""
    paused = subscription["pause_collection"]
    if paused is None:
        billing.opened(store, invoice)
        return
    invoice["auto_advance"] = False
    billing.opened(store, invoice)
    if paused["behavior"] == "keep_as_draft":
        return
    billing.finalize(store, invoice)
    if invoice["status"] == "open":
        end = billing.void if paused["behavior"] == "void" else billing.write_off
        end(store, invoice)


@task("resume")
def resume(store: Store, identifier: str) -> None:
    """Collection resumes at `resumes_at` (SDK docstring)."""
    subscription = store.tables["subscription"].get(identifier)
    paused = subscription and subscription["pause_collection"]
    if subscription and paused and paused["resumes_at"] == store.now():
        store.change(subscription, "customer.subscription.updated", pause_collection=None)


@task("cancel")
def cancel_due(store: Store, identifier: str) -> None:
    """The scheduled end, when it still stands: what is pending becomes a last invoice."""
    subscription = store.tables["subscription"].get(identifier)
    if subscription is None or subscription["status"] in ENDED:
        return
    if subscription["cancel_at"] != store.now():
        return
    pending = invoice_items.pending(store, subscription["customer"], subscription["currency"])
    owed = [i for i in pending if invoice_items.subscription_id(i) == identifier]
    end(store, subscription)
    if owed:  # pending charges are collected at the end of the period (documentation)
        invoice = bill(store, subscription, [], "subscription_cycle")
        billing.opened(store, invoice)


@task("expire")
def expire(store: Store, identifier: str) -> None:
    """Never paid: incomplete → incomplete_expired, and its invoice is void (documentation)."""
    subscription = store.tables["subscription"].get(identifier)
    if subscription is None or subscription["status"] != "incomplete":
        return
    billing.void(store, store.get("invoice", subscription["latest_invoice"]))
    store.change(
        subscription,
        "customer.subscription.updated",
        status="incomplete_expired",
        ended_at=store.now(),
    )


def end(store: Store, subscription: Json) -> Json:
    """Canceled as of now; its invoices are left, but no longer collected automatically (SDK).

    The docstring says "all finalized invoices for the customer"; here those of the
    subscription, its drafts included (unverified).
    """
    for invoice in list(store.rows("invoice")):
        own = billing.subscription_of(store, invoice) is subscription
        if own and invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            store.change(
                invoice,
                "invoice.updated",
                auto_advance=False,
                automatically_finalizes_at=None,
                next_payment_attempt=None,
            )
    subscription |= {"ended_at": store.now(), "status": "canceled"}
    store.emit("customer.subscription.deleted", subscription)
    return subscription
