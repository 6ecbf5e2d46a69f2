"""The billing cycle: what a period's end brings to a subscription.

At the same instant a cancellation comes before a renewal, so nothing is billed for the time after.
"""

from infrastructure.local.stripe import billing, invoice_items
from infrastructure.local.stripe.due import task
from infrastructure.local.stripe.invoice_lines import add_line
from infrastructure.local.stripe.money import floor, money
from infrastructure.local.stripe.periods import period_end
from infrastructure.local.stripe.proration import credit_unused, share
from infrastructure.local.stripe.state import Json, Store

ENDED = ("canceled", "incomplete_expired")
RENEWING = ("active", "past_due", "trialing", "unpaid")
FORGIVEN_SECONDS = 3  # "seconds later" (probe)
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
    if subscription["days_until_due"] is not None:
        invoice["due_date"] = store.now() + subscription["days_until_due"] * billing.DAY
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def _add_line(store: Store, invoice: Json, subscription: Json, item: Json) -> None:
    price, quantity = item["price"], item["quantity"]
    product = store.get("product", price["product"])
    amount = price["unit_amount"] * quantity
    text = f"{quantity} × {product['name']} (at {_rate(price)})"
    if subscription["status"] == "trialing":  # nothing for a trial (documentation)
        amount, text = 0, f"Trial period for {product['name']}"
    elif item["id"] in store.private:  # cut short by a cancellation within the period
        amount = floor(amount * store.private.pop(item["id"]))
    details = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    add_line(
        store,
        invoice,
        rates=item["tax_rates"],
        amount=amount,
        description=text,
        discounts=item["discounts"],
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
    end, notice = item["current_period_end"], store.settings["upcoming_days"]
    store.schedule(end, "renew", subscription["id"])
    if notice is not None and end - notice * billing.DAY > store.now():
        store.schedule(end - notice * billing.DAY, "upcoming", subscription["id"])


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
    if subscription["status"] == "trialing":
        previous["status"] = "trialing"
        if not _end_trial(store, subscription):
            return
    for item in due:
        start_period(subscription, item, now)
        cut_short(store, subscription, item)
        plan_renewal(store, subscription, item)
    invoice = bill(store, subscription, due, "subscription_cycle")
    invoice["period_start"] = min(started)  # of the period that has passed (SDK docstring)
    store.emit("customer.subscription.updated", subscription, previous)
    _release(store, subscription, invoice)


def start_period(subscription: Json, item: Json, now: int) -> None:
    """The item's next period, counted from the subscription's anchor."""
    recurring = item["price"]["recurring"]
    item["current_period_start"] = now
    item["current_period_end"] = period_end(
        subscription["billing_cycle_anchor"],
        now,
        recurring["interval"],
        recurring["interval_count"],
    )


def start_over(store: Store, subscription: Json, event: str, previous: Json | None = None) -> None:
    """All items begin a cycle now, which is billed at once (documentation)."""
    subscription["billing_cycle_anchor"] = store.now()
    items = subscription["items"]["data"]
    for item in items:
        start_period(subscription, item, store.now())
        cut_short(store, subscription, item)
        plan_renewal(store, subscription, item)
    invoice = bill(store, subscription, items, "subscription_update")
    billing.opened(store, invoice)
    billing.finalize(store, invoice)
    store.emit(event, subscription, previous)
    billing.advance(store, invoice)


def cut_short(store: Store, subscription: Json, item: Json) -> None:
    """A cancellation within a future period prorates that period (SDK docstring).

    That the item's period then ends with the subscription is unverified.
    """
    start, end = item["current_period_start"], item["current_period_end"]
    at = subscription["cancel_at"]
    if at is not None and start < at < end and store.private.get(("prorate", subscription["id"])):
        store.private[item["id"]] = 1 - share(start, end, at)
        item["current_period_end"] = at


def _end_trial(store: Store, subscription: Json) -> bool:
    """Active from now on, unless nothing can be charged and the trial's settings say otherwise."""
    subscription["status"] = "active"
    missing = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    customer = store.get("customer", subscription["customer"])
    default = customer["invoice_settings"]["default_payment_method"]
    if missing == "create_invoice" or subscription["default_payment_method"] or default:
        return True
    if missing == "cancel":
        end(store, subscription)
    else:
        subscription["status"] = "paused"
        store.emit("customer.subscription.paused", subscription)
    return False


@task("upcoming")
def announce_renewal(store: Store, identifier: str) -> None:
    """`invoice.upcoming`, as many days before a renewal as the settings say (documentation).

    Its invoice is of the next periods and of what is pending, and exists nowhere else (SDK: its
    identifier begins with `upcoming_in`).
    """
    subscription = store.tables["subscription"].get(identifier)
    if subscription is None or subscription["status"] not in RENEWING:
        return
    until = store.now() + store.settings["upcoming_days"] * billing.DAY
    due = [{**i} for i in subscription["items"]["data"] if i["current_period_end"] == until]
    if not due or subscription["cancel_at"] == until:
        return
    kept = {name: subscription[name] for name in ("latest_invoice", "discounts", "status")}
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    for item in due:
        start_period(subscription, item, until)
    invoice = bill(store, subscription, due, "upcoming")
    subscription |= kept
    for item in store.rows("invoiceitem"):
        if item["invoice"] == invoice["id"]:
            item["invoice"] = None
    store.drop(invoice)
    store.emit("invoice.upcoming", invoice | {"id": store.identifier("upcoming_in")})


@task("trial_ends_soon")
def trial_ends_soon(store: Store, identifier: str) -> None:
    """Three days before, or at once for a shorter trial (documentation)."""
    subscription = store.tables["subscription"].get(identifier)
    if subscription is not None and subscription["status"] == "trialing":
        store.emit("customer.subscription.trial_will_end", subscription)


def _release(store: Store, subscription: Json, invoice: Json) -> None:
    """Lets a renewal's invoice go its way, which a paused collection changes (documentation)."""
    paused = subscription["pause_collection"]
    unpaid = subscription["status"] == "unpaid"  # its invoices stay drafts (documentation)
    if paused is None and not unpaid:
        billing.opened(store, invoice)
        return
    invoice["auto_advance"] = False
    billing.opened(store, invoice)
    if paused is None or paused["behavior"] == "keep_as_draft":
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
    stop(
        store,
        subscription,
        prorate=bool(store.private.get(("prorate", identifier))),
        invoice_now=True,  # pending charges are collected at the end (documentation)
    )


def stop(store: Store, subscription: Json, *, prorate: bool, invoice_now: bool) -> Json:
    """Ends now; credits for unused time, and a last invoice of what is pending, when asked for.

    A last invoice that is a credit becomes uncollectible seconds later: un-numbered, never
    finalized, and its credit never reaches the customer's balance (probe).
    """
    if prorate:
        for item in subscription["items"]["data"]:
            credit_unused(store, subscription, item, store.now())
    end(store, subscription)
    pending = invoice_items.pending(store, subscription["customer"], subscription["currency"])
    owed = [i for i in pending if invoice_items.subscription_id(i) == subscription["id"]]
    if owed and invoice_now:
        invoice = bill(store, subscription, [], "subscription_cycle")
        if invoice["total"] < 0:
            invoice["auto_advance"] = False
            at = store.now() + FORGIVEN_SECONDS
            store.schedule(at, "forgive_credit", invoice["id"])
        billing.opened(store, invoice)
    return subscription


@task("forgive_credit")
def forgive_credit(store: Store, identifier: str) -> None:
    """What becomes of a canceled subscription's last credit (probe; reason by SDK)."""
    invoice = store.tables["invoice"].get(identifier)
    if invoice is not None and invoice["status"] == "draft":
        billing.write_off(store, invoice, "subscription_canceled")


@task("give_up")
def give_up(store: Store, identifier: str) -> None:
    """Canceled after the last failed retry, when the account's settings say so (documentation)."""
    subscription = store.get("subscription", identifier)
    if subscription["status"] == "past_due":
        details = {**subscription["cancellation_details"], "reason": "payment_failed"}
        subscription |= {"canceled_at": store.now(), "cancellation_details": details}
        end(store, subscription)


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
