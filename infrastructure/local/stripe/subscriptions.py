"""The endpoints of subscriptions."""

from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe import billing, cycles
from infrastructure.local.stripe.catalogue import create_price, plan_of, tax_rates
from infrastructure.local.stripe.errors import Refusal, invalid, missing, unmodelled
from infrastructure.local.stripe.periods import period_end
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.views import page, paged, within

URL = "/v1/subscriptions"
ALWAYS = ("metadata", "cancellation_details")  # what a canceled subscription still takes (recorded)


@endpoint(
    "POST",
    URL,
    "customer items default_payment_method default_tax_rates metadata description collection_method"
    " days_until_due payment_behavior off_session billing_mode currency proration_behavior"
    " cancel_at cancel_at_period_end",
)
def create_subscription(store: Store, params: Json) -> Json:
    """Active once its first invoice is paid, which is tried at once; incomplete until then."""
    customer = store.get("customer", params.get("customer", ""), "customer")
    if not params.get("items"):  # recorded
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "Missing required param: items.",
            param="items",
            code="parameter_missing",
            executed=False,
        )
    prices = [_price(store, item) for item in params["items"]]
    _must_be_payable(customer, params)
    currencies = {price["currency"] for price in prices}
    if len(currencies) > 1:  # text unverified
        message = "All prices on a subscription must have the same currency."
        raise invalid(message, param="items")
    subscription = store.add(
        "subscription", "sub", _values(store, customer, params, currencies.pop())
    )
    items = [
        _item(store, subscription, price, given)
        for price, given in zip(prices, params["items"], strict=True)
    ]
    subscription["items"] = page(items, f"/v1/subscription_items?subscription={subscription['id']}")
    invoice = cycles.bill(store, subscription, items, "subscription_create")
    billing.opened(store, invoice)
    if invoice["collection_method"] == "charge_automatically":  # the other stays a draft (probe)
        billing.finalize(store, invoice)
        if params.get("payment_behavior") != "default_incomplete":
            billing.advance(store, invoice)
        subscription["status"] = "active" if invoice["status"] == "paid" else "incomplete"
    _refuse_incomplete(store, subscription, invoice, params)
    for item in items:
        cycles.plan_renewal(store, subscription, item)
    store.emit("customer.subscription.created", subscription)
    scheduled = {k: params[k] for k in ("cancel_at", "cancel_at_period_end") if k in params}
    return update_subscription(store, scheduled, subscription["id"]) if scheduled else subscription


def _must_be_payable(customer: Json, params: Json) -> None:
    """Without anything to charge there is no subscription (probe)."""
    by_hand = params.get("collection_method") == "send_invoice"
    default = customer["invoice_settings"]["default_payment_method"]
    later = params.get("payment_behavior") == "default_incomplete"
    if by_hand or later or params.get("default_payment_method") or default:
        return
    raise invalid(
        "This customer has no attached payment source or default payment method. Please consider"
        " adding a default payment method. For more information, visit"
        " https://stripe.com/docs/billing/subscriptions/payment-methods-setting"
        "#payment-method-priority.",
        code="resource_missing",
    )


def _refuse_incomplete(store: Store, subscription: Json, invoice: Json, params: Json) -> None:
    """`error_if_incomplete` makes no subscription when the first payment fails (SDK docstring)."""
    failed = subscription["status"] == "incomplete"
    if failed and params.get("payment_behavior") == "error_if_incomplete":
        billing.void(store, invoice)
        store.drop(subscription)
        raise Refusal(
            HTTPStatus.PAYMENT_REQUIRED,
            "Your card was declined.",
            kind="card_error",
            code="card_declined",
            decline_code="generic_decline",
        )


def _price(store: Store, item: Json) -> Json:
    price = (
        create_price(store, item["price_data"])
        if "price_data" in item
        else store.get("price", item.get("price", ""), "items[0][price]")
    )
    if price["recurring"] is None:  # text as reported by users
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with"
            " `type=recurring`."
        )
        raise invalid(message, param="items[0][price]")
    return price


def _values(store: Store, customer: Json, params: Json, currency: str) -> Json:
    mode = params.get("billing_mode", {"type": "flexible"})
    now = store.now()
    flexible = {"proration_discounts": "included"} if mode["type"] == "flexible" else None
    return {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        # Flexible unless asked otherwise (documentation, recorded).
        "billing_mode": {"flexible": flexible, "type": mode["type"], "updated_at": now},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(("comment", "feedback", "feedback_option", "reason")),
        "collection_method": params.get("collection_method", "charge_automatically"),
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": params.get("days_until_due"),
        "default_payment_method": params.get("default_payment_method"),
        "default_tax_rates": tax_rates(store, params.get("default_tax_rates")),
        "description": params.get("description"),
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "metadata": merge_metadata({}, params.get("metadata")),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "active",
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


def _item(store: Store, subscription: Json, price: Json, given: Json) -> Json:
    recurring = price["recurring"]
    now = store.now()
    end = period_end(now, now, recurring["interval"], recurring["interval_count"])
    return store.add(
        "subscription_item",
        "si",
        {
            "current_period_end": end,
            "current_period_start": now,
            "discounts": [],
            "metadata": merge_metadata({}, given.get("metadata")),
            "plan": plan_of(price),
            "price": price,
            "quantity": given.get("quantity", 1),
            "subscription": subscription["id"],
            "tax_rates": tax_rates(store, given.get("tax_rates")),
        },
    )


@endpoint("GET", URL, "customer price status created collection_method current_period_end")
def list_subscriptions(store: Store, params: Json) -> Json:
    """Canceled ones only with status `all`, `ended` or `canceled` (SDK docstring)."""
    wanted = params.get("status")
    ended = ("canceled", "incomplete_expired")

    def fits(status: str) -> bool:
        match wanted:
            case "all":
                return True
            case "ended":
                return status in ended
            case None:
                return status != "canceled"
        return status == str(wanted)

    rows = [
        subscription
        for subscription in store.rows("subscription")
        if fits(subscription["status"])
        and params.get("customer") in (None, subscription["customer"])
        and params.get("collection_method") in (None, subscription["collection_method"])
        and _has(subscription, "price", params.get("price"))
        and within(subscription["created"], params.get("created"))
    ]
    return paged(rows, params, URL)


def _has(subscription: Json, name: str, wanted: str | None) -> bool:
    items = subscription["items"]["data"]
    return wanted is None or any(item[name]["id"] == wanted for item in items)


@endpoint("GET", URL + "/{id}")
def retrieve_subscription(store: Store, _params: Json, identifier: str) -> Json:
    """One subscription, canceled or not."""
    return store.get("subscription", identifier)


@endpoint("GET", "/v1/subscription_items", "subscription")
def list_items(store: Store, params: Json) -> Json:
    """The items of one subscription."""
    subscription = store.get("subscription", params["subscription"], "subscription")
    return paged(subscription["items"]["data"], params, "/v1/subscription_items")


@endpoint(
    "POST",
    URL + "/{id}",
    "cancel_at cancel_at_period_end cancellation_details pause_collection metadata description"
    " default_payment_method default_tax_rates proration_behavior collection_method days_until_due",
)
def update_subscription(store: Store, params: Json, identifier: str) -> Json:
    """Schedules or withdraws a cancellation, pauses collection, and changes plain fields."""
    subscription = store.get("subscription", identifier)
    others = [name for name in params if name not in ALWAYS]
    if subscription["status"] == "canceled" and others:  # recorded
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise invalid(message, code="invalid_canceled_subscription_fields")
    skipped = ("cancel_at", "cancel_at_period_end", "cancellation_details", "proration_behavior")
    changes: dict[str, Any] = {
        name: None if value == "" else value
        for name, value in params.items()
        if name not in skipped
    }
    if "metadata" in params:
        changes["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "default_tax_rates" in params:
        changes["default_tax_rates"] = tax_rates(store, params["default_tax_rates"])
    if params.get("pause_collection"):
        changes["pause_collection"] = {"resumes_at": None, **params["pause_collection"]}
        if changes["pause_collection"]["resumes_at"]:
            store.schedule(changes["pause_collection"]["resumes_at"], "resume", identifier)
    details = _said(subscription, params)
    if "cancel_at" in params or "cancel_at_period_end" in params:
        changes |= _schedule(store, subscription, params, details)
    changes["cancellation_details"] = details
    return store.change(subscription, "customer.subscription.updated", **changes)


def _said(subscription: Json, params: Json) -> Json:
    """The customer's words on leaving; an empty value clears one."""
    given = params.get("cancellation_details") or {}
    given = {name: value if value != "" else None for name, value in given.items()}
    return {**subscription["cancellation_details"], **given}


def _schedule(store: Store, subscription: Json, params: Json, details: Json) -> Json:
    """When it will end; `canceled_at` is the instant of the request (recorded).

    Taking it back clears `canceled_at` and the reason (recorded).
    """
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    at = params.get("cancel_at")
    match at:
        case "min_period_end":
            at = min(ends)
        case "max_period_end":
            at = max(ends)
        case "max_billed_until":
            what = "cancel_at=max_billed_until"
            raise unmodelled(what)
    at_period_end = bool(params.get("cancel_at_period_end", False))
    if at_period_end:
        at = max(ends)  # with several intervals: unverified
    if not at:
        details["reason"] = None
        return {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
    if at <= store.now():  # text unverified
        message = "The cancel_at date must be in the future."
        raise invalid(message, param="cancel_at")
    if at not in ends and params.get("proration_behavior") != "none":
        what = "the proration of a cancel_at within a period; pass proration_behavior=none"
        raise unmodelled(what)
    details["reason"] = "cancellation_requested"
    store.schedule(at, "cancel", subscription["id"], rank=0)
    return {
        "cancel_at": at,
        "cancel_at_period_end": at_period_end,
        "canceled_at": store.now(),
    }


@endpoint("DELETE", URL + "/{id}", "invoice_now prorate cancellation_details")
def cancel_subscription(store: Store, params: Json, identifier: str) -> Json:
    """Ends now; nothing is refunded, and the items keep their periods (recorded).

    Pending items stay pending (SDK docstring). A second cancel is a 404 (probe).
    """
    subscription = store.get("subscription", identifier)
    if subscription["status"] == "canceled":
        raise missing("subscription", identifier)
    for name in ("invoice_now", "prorate"):
        if params.get(name):
            what = f"{name}=true"
            raise unmodelled(what)
    subscription["cancellation_details"] = {
        **_said(subscription, params),
        "reason": "cancellation_requested",
    }
    subscription["canceled_at"] = store.now()
    return cycles.end(store, subscription)
