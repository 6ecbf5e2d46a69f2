"""How a subscription stops: scheduled, withdrawn, at once; paused and resumed."""

from infrastructure.local.stripe import cycles
from infrastructure.local.stripe.errors import invalid, missing, unmodelled
from infrastructure.local.stripe.proration import credit_unused
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store

URL = "/v1/subscriptions"


def what_was_said(subscription: Json, params: Json) -> Json:
    """The customer's words on leaving; an empty value clears one."""
    given = params.get("cancellation_details") or {}
    given = {name: value if value != "" else None for name, value in given.items()}
    return {**subscription["cancellation_details"], **given}


def schedule_end(store: Store, subscription: Json, params: Json, details: Json) -> Json:
    """When it will end; `canceled_at` is the instant of the request (recorded).

    Taking it back clears `canceled_at` and the reason (recorded). An end within a period brings
    prorations unless they are declined (SDK docstring); that the credit comes with the end itself
    is unverified.
    """
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    at = params.get("cancel_at")
    match at:
        case "min_period_end":
            at = min(ends)
        case "max_period_end" | "max_billed_until":  # nothing is billed beyond a period here
            at = max(ends)
    at_period_end = bool(params.get("cancel_at_period_end", False))
    if at_period_end:
        at = max(ends)  # with several intervals: unverified
    if not at:
        details["reason"] = None
        return {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
    if at <= store.now():  # text unverified
        raise invalid("The cancel_at date must be in the future.", param="cancel_at")
    details["reason"] = "cancellation_requested"
    prorate = at not in ends and params.get("proration_behavior") != "none"
    store.private["prorate", subscription["id"]] = prorate
    store.schedule(at, "cancel", subscription["id"], rank=0)
    return {
        "cancel_at": at,
        "cancel_at_period_end": at_period_end,
        "canceled_at": store.now(),
    }


@endpoint("DELETE", URL + "/{id}", "invoice_now prorate cancellation_details")
def cancel_subscription(store: Store, params: Json, identifier: str) -> Json:
    """Ends now; nothing is refunded, and the items keep their periods (recorded).

    Pending items stay pending unless `invoice_now` (SDK docstring). A second cancel is a 404
    (probe).
    """
    subscription = store.get("subscription", identifier)
    if subscription["status"] == "canceled":
        raise missing("subscription", identifier)
    details = {**what_was_said(subscription, params), "reason": "cancellation_requested"}
    subscription |= {"cancellation_details": details, "canceled_at": store.now()}
    prorate, now = params.get("prorate", False), params.get("invoice_now", False)
    return cycles.stop(store, subscription, prorate=prorate, invoice_now=now)


@endpoint("POST", URL + "/{id}/pause", "bill_for invoicing_behavior type")
def pause_subscription(store: Store, params: Json, identifier: str) -> Json:
    """No service, no renewals; unused time is credited unless `bill_for` says none (SDK)."""
    subscription = store.get("subscription", identifier)
    if subscription["status"] not in ("active", "past_due", "trialing"):  # text unverified
        raise invalid(f"You cannot pause a subscription that is {subscription['status']}.")
    if params.get("invoicing_behavior", "pending_invoice_item") != "pending_invoice_item":
        raise unmodelled("invoicing_behavior=invoice")
    unused = params.get("bill_for", {}).get("unused_time_from", {}).get("type", "now")
    for item in subscription["items"]["data"]:
        start = {"now": store.now(), "item_current_period_start": item["current_period_start"]}
        if unused in start:
            credit_unused(store, subscription, item, start[unused])
    subscription["status"] = "paused"
    store.emit("customer.subscription.paused", subscription)
    return subscription


@endpoint("POST", URL + "/{id}/resume", "billing_cycle_anchor payment_behavior proration_behavior")
def resume_subscription(store: Store, params: Json, identifier: str) -> Json:
    """A new cycle begins and is billed at once (SDK docstring); the anchor cannot stay here."""
    subscription = store.get("subscription", identifier)
    if subscription["status"] != "paused":  # text unverified
        raise invalid("This subscription is not paused.")
    anchor = params.get("billing_cycle_anchor", {"type": "now"})["type"]
    on_success = params.get("payment_behavior") == "resume_on_payment_success"
    if anchor != "now" or on_success:
        raise unmodelled("resuming with an unchanged anchor, or only once it is paid")
    subscription["status"] = "active"
    cycles.start_over(store, subscription, "customer.subscription.resumed")
    return subscription
