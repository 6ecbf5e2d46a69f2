"""Trials, pauses, mixed intervals, and how collection ends."""

import pytest
import stripe

DAY = 24 * 3600


def read(shop, subscription):
    return shop.client.v1.subscriptions.retrieve(subscription.id)


def test_a_trial_costs_nothing_and_then_the_first_period_is_billed(shop):
    subscription = shop.subscribe(1000, trial_period_days=14)
    assert (subscription.status, subscription.trial_end) == (
        "trialing",
        subscription.start_date + 14 * DAY,
    )
    (first,) = shop.invoices(subscription.id)
    assert (first.total, first.status) == (0, "paid")
    assert first.lines.data[0].description == "Trial period for Line"
    shop.wait(12 * DAY)
    assert len(shop.events("customer.subscription.trial_will_end")) == 1
    shop.wait(3 * DAY)
    assert read(shop, subscription).status == "active"
    assert [invoice.total for invoice in shop.invoices(subscription.id)] == [1000, 0]
    previous = shop.events("customer.subscription.updated")[0].data.previous_attributes
    assert previous.status == "trialing"


def test_a_trial_can_end_now(shop):
    subscription = shop.subscribe(1000, trial_period_days=14)
    ended = shop.client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert ended.status == "active"
    assert shop.invoices(subscription.id)[0].total == 1000


@pytest.mark.parametrize(
    ("missing", "status"),
    [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "active")],
)
def test_without_a_card_the_trial_settings_say_how_it_ends(shop, missing, status):
    customer = shop.client.v1.customers.create({"name": "Ben"}).id
    subscription = shop.subscribe(
        1000,
        customer=customer,
        trial_period_days=1,
        trial_settings={"end_behavior": {"missing_payment_method": missing}},
    )
    shop.wait(1.5 * DAY)
    found = read(shop, subscription).status
    # Its invoice is still within its hour as a draft, or failed: active or past due.
    assert found == status or (missing == "create_invoice" and found == "past_due")


def test_a_pause_credits_the_rest_and_a_resumption_begins_a_new_period(shop):
    subscription = shop.subscribe(3100)
    shop.wait(10 * DAY)
    assert shop.client.v1.subscriptions.pause(subscription.id).status == "paused"
    shop.wait(60 * DAY)
    assert len(shop.invoices(subscription.id)) == 1
    resumed = shop.client.v1.subscriptions.resume(subscription.id)
    assert resumed.status == "active"
    latest = shop.invoices(subscription.id)[0]
    assert latest.billing_reason == "subscription_update"
    assert latest.total == 3100 - 2100
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(shop.kinds())
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.resume(subscription.id)


def test_a_pause_without_credit_leaves_nothing_pending(shop):
    subscription = shop.subscribe(3100)
    none = {"bill_for": {"unused_time_from": {"type": "none"}}}
    shop.client.v1.subscriptions.pause(subscription.id, none)
    assert shop.client.v1.invoice_items.list({"pending": True}).data == []


def test_each_interval_renews_at_its_own_time(shop):
    customer = shop.customer().id
    items = [{"price": shop.price(1000)}, {"price": shop.price(9000, "year")}]
    subscription = shop.client.v1.subscriptions.create({"customer": customer, "items": items})
    assert shop.invoices(subscription.id)[0].total == 10000
    shop.until("2026-02-02T00:00:00Z")
    assert shop.invoices(subscription.id)[0].total == 1000
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.create(
            {"customer": customer, "items": items, "billing_mode": {"type": "classic"}}
        )


@pytest.mark.parametrize(
    ("after", "status"), [("past_due", "past_due"), ("unpaid", "unpaid"), ("canceled", "canceled")]
)
def test_after_the_last_retry_the_settings_say_what_becomes_of_it(shop, after, status):
    shop.local("POST", "settings", after_retries=after, invoice_after_retries="uncollectible")
    subscription = shop.subscribe(1000)
    failing = shop.client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": subscription.customer}
    )
    shop.client.v1.subscriptions.update(subscription.id, {"default_payment_method": failing.id})
    shop.until("2026-02-25T00:00:00Z")
    found = read(shop, subscription)
    assert found.status == status
    failed = shop.invoices(subscription.id)[0]
    assert (failed.attempt_count, failed.status) == (4, "uncollectible")
    assert failed.status_details.uncollectible.reason == "max_payment_attempts"
    reason = "payment_failed" if after == "canceled" else None
    assert found.cancellation_details.reason == reason
    shop.until("2026-03-05T00:00:00Z")
    latest = shop.invoices(subscription.id)[0]
    if after == "unpaid":
        assert (latest.status, latest.auto_advance) == ("draft", False)


def test_a_test_clock_advances_the_time_and_renews(shop):
    clock = shop.client.v1.test_helpers.test_clocks.create({"frozen_time": 1767225700})
    subscription = shop.subscribe(1000)
    advancing = shop.client.v1.test_helpers.test_clocks.advance(
        clock.id, {"frozen_time": 1767225700 + 40 * DAY}
    )
    assert advancing.status == "advancing"
    ready = shop.client.v1.test_helpers.test_clocks.retrieve(clock.id)
    assert (ready.status, ready.frozen_time) == ("ready", 1767225700 + 40 * DAY)
    assert len(shop.invoices(subscription.id)) == 2
    kinds = shop.kinds()
    advanced = kinds[kinds.index("test_helpers.test_clock.advancing") :]
    assert "invoice.created" in advanced
    assert advanced[-1] == "test_helpers.test_clock.ready"
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1767225700})
    assert shop.client.v1.test_helpers.test_clocks.delete(clock.id).deleted
