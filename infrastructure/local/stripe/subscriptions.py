"""The endpoints of subscriptions."""

from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe import billing, cycles, discounts, subscription_items
from infrastructure.local.stripe.catalogue import tax_rates
from infrastructure.local.stripe.endings import schedule_end, what_was_said
from infrastructure.local.stripe.errors import Refusal, invalid, unmodelled
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Json, Store, merge_metadata
from infrastructure.local.stripe.subscription_items import new_item, price_of
from infrastructure.local.stripe.views import page

URL = "/v1/subscriptions"
TRIAL_NOTICE_SECONDS = 3 * billing.DAY
PLAIN = (
    *("description", "default_payment_method", "collection_method", "days_until_due"),
    *("metadata", "default_tax_rates", "pause_collection"),
)
ALWAYS = ("metadata", "cancellation_details")  # what a canceled subscription still takes (recorded)


@endpoint(
    "POST",
    URL,
    "customer items default_payment_method default_tax_rates metadata description collection_method"
    " days_until_due payment_behavior off_session billing_mode currency proration_behavior"
    " cancel_at cancel_at_period_end discounts trial_end trial_period_days trial_settings",
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
    prices = [price_of(store, item, index) for index, item in enumerate(params["items"])]
    _must_be_payable(customer, params)
    currency = _one_currency(prices, params)
    whole = discounts.redeem(store, params.get("discounts"), currency)
    parts = [discounts.redeem(store, item.get("discounts"), currency) for item in params["items"]]
    subscription = store.add("subscription", **_values(store, customer, params, currency))
    subscription["discounts"] = whole
    for discount in whole:
        store.get("discount", discount)["subscription"] = subscription["id"]
    items = [
        new_item(store, subscription, price, given, part)
        for price, given, part in zip(prices, params["items"], parts, strict=True)
    ]
    subscription["items"] = page(items, f"/v1/subscription_items?subscription={subscription['id']}")
    invoice = cycles.bill(store, subscription, items, "subscription_create")
    billing.opened(store, invoice)
    if invoice["collection_method"] == "charge_automatically":  # the other stays a draft (probe)
        billing.finalize(store, invoice)
        if params.get("payment_behavior") != "default_incomplete":
            billing.advance(store, invoice)
        if invoice["status"] != "paid":
            subscription["status"] = "incomplete"
    _refuse_incomplete(store, subscription, invoice, params)
    for item in items:
        cycles.plan_renewal(store, subscription, item)
    if subscription["trial_end"]:
        soon = max(store.now(), subscription["trial_end"] - TRIAL_NOTICE_SECONDS)
        store.schedule(soon, "trial_ends_soon", subscription["id"])
    store.emit("customer.subscription.created", subscription)
    scheduled = {k: params[k] for k in ("cancel_at", "cancel_at_period_end") if k in params}
    return update_subscription(store, scheduled, subscription["id"]) if scheduled else subscription


def _one_currency(prices: list[Json], params: Json) -> str:
    """Texts unverified; classic mode wants one interval too (documentation)."""
    currencies = {price["currency"] for price in prices}
    if len(currencies) > 1:
        raise invalid("All prices on a subscription must have the same currency.", param="items")
    intervals = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    if len(intervals) > 1 and params.get("billing_mode", {}).get("type") == "classic":
        raise invalid(
            "All prices on a subscription must have the same recurring interval.", param="items"
        )
    return str(currencies.pop())


def _must_be_payable(customer: Json, params: Json) -> None:
    """Without anything to charge there is no subscription (probe), unless it begins as a trial."""
    by_hand = params.get("collection_method") == "send_invoice"
    default = customer["invoice_settings"]["default_payment_method"]
    later = params.get("payment_behavior") == "default_incomplete"
    trial = "trial_end" in params or "trial_period_days" in params
    if trial or by_hand or later or params.get("default_payment_method") or default:
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


def _values(store: Store, customer: Json, params: Json, currency: str) -> Json:
    mode = params.get("billing_mode", {"type": "flexible"})
    now = store.now()
    if mode.get("flexible", {}).get("proration_discounts", "included") != "included":
        raise unmodelled("proration_discounts=itemized")
    flexible = {"proration_discounts": "included"} if mode["type"] == "flexible" else None
    trial_end = params.get("trial_end")
    if "trial_period_days" in params:
        trial_end = now + params["trial_period_days"] * billing.DAY
    trial_end = trial_end if isinstance(trial_end, int) and trial_end > now else None
    behaviour = params.get("trial_settings", {}).get("end_behavior", {})
    missing = behaviour.get("missing_payment_method", "create_invoice")
    return {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        # Flexible unless asked otherwise (documentation, recorded).
        "billing_mode": {"flexible": flexible, "type": mode["type"], "updated_at": now},
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
        "metadata": params.get("metadata"),
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "trialing" if trial_end else "active",
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": missing}},
        "trial_start": now if trial_end else None,
    }


@endpoint(
    "POST",
    URL + "/{id}",
    "cancel_at cancel_at_period_end cancellation_details pause_collection metadata description"
    " default_payment_method default_tax_rates proration_behavior collection_method days_until_due"
    " discounts items payment_behavior proration_date trial_end billing_cycle_anchor",
)
def update_subscription(store: Store, params: Json, identifier: str) -> Json:
    """Schedules or withdraws a cancellation, pauses collection, and changes plain fields."""
    subscription = store.get("subscription", identifier)
    others = [name for name in params if name not in ALWAYS]
    if subscription["status"] == "canceled" and others:  # recorded
        raise invalid(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    if "items" in params or "billing_cycle_anchor" in params:
        subscription_items.change_items(store, subscription, params)
    if "trial_end" in params:
        _end_trial_at(store, subscription, params["trial_end"])
    changes: dict[str, Any] = {
        name: None if value == "" else value for name, value in params.items() if name in PLAIN
    }
    if "discounts" in params:
        given, currency = params["discounts"], subscription["currency"]
        changes["discounts"] = discounts.redeem(store, given, currency, subscription=identifier)
    if "metadata" in params:
        changes["metadata"] = merge_metadata(subscription["metadata"], params["metadata"])
    if "default_tax_rates" in params:
        changes["default_tax_rates"] = tax_rates(store, params["default_tax_rates"])
    if params.get("pause_collection"):
        changes["pause_collection"] = {"resumes_at": None, **params["pause_collection"]}
        if changes["pause_collection"]["resumes_at"]:
            store.schedule(changes["pause_collection"]["resumes_at"], "resume", identifier)
    details = what_was_said(subscription, params)
    if "cancel_at" in params or "cancel_at_period_end" in params:
        changes |= schedule_end(store, subscription, params, details)
    changes["cancellation_details"] = details
    return store.change(subscription, "customer.subscription.updated", **changes)


def _end_trial_at(store: Store, subscription: Json, at: int | str) -> None:
    """Only `now` is modelled: the first period begins at once (SDK docstring)."""
    if at != "now" or subscription["status"] != "trialing":
        raise unmodelled("another end of a trial than now")
    now = store.now()
    subscription |= {"billing_cycle_anchor": now, "trial_end": now}
    for item in subscription["items"]["data"]:
        item["current_period_end"] = now
    cycles.renew(store, subscription["id"])
