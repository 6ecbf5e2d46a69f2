"""Subscriptions: the first invoice, renewals by the clock, and how they end."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe


def at(text) -> Any:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_new_subscription_is_billed_paid_and_active(shop):
    subscription = shop.subscribe(1000)
    item = subscription["items"].data[0]
    assert subscription.status == "active"
    assert (item.current_period_start, item.current_period_end) == (
        subscription.created,
        at("2026-02-01") + subscription.created - at("2026-01-01"),
    )
    assert subscription.billing_mode.type == "flexible"
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    line = invoice.lines.data[0]
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_create")
    assert (invoice.amount_paid, invoice.amount_remaining, line.amount) == (1000, 0, 1000)
    assert invoice.parent.subscription_details.subscription == subscription.id
    details = line.parent.subscription_item_details
    assert (details.subscription_item, details.proration) == (item.id, False)
    assert (line.period.start, line.period.end) == (
        item.current_period_start,
        item.current_period_end,
    )
    assert line.pricing.price_details.price == item.price.id


def test_what_creating_one_tells(shop):
    shop.subscribe(1000)
    assert shop.kinds() == [
        "customer.created",
        "payment_method.attached",
        "customer.updated",
        "product.created",
        "price.created",
        "invoice.created",
        "payment_intent.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.created",
    ]


def test_it_renews_by_the_calendar_and_each_renewal_is_paid_about_an_hour_later(shop):
    subscription = shop.subscribe(1000)
    shop.until("2026-02-01T00:30:00Z")
    drafted = shop.invoices(subscription.id)[0]
    assert (drafted.status, drafted.billing_reason) == ("draft", "subscription_cycle")
    assert drafted.created == subscription["items"].data[0].current_period_end
    shop.until("2026-04-10T00:00:00Z")
    assert [invoice.status for invoice in shop.invoices(subscription.id)] == ["paid"] * 4
    paid = shop.client.v1.invoices.retrieve(drafted.id)
    assert paid.status_transitions.paid_at == drafted.created + 3601
    item = shop.client.v1.subscriptions.retrieve(subscription.id)["items"].data[0]
    start = at("2026-01-01") - subscription.created
    assert item.current_period_start + start == at("2026-04-01")
    assert item.current_period_end + start == at("2026-05-01")
    previous = shop.events("customer.subscription.updated")[0].data.previous_attributes
    assert previous.latest_invoice == shop.invoices(subscription.id)[1].id


def test_items_of_different_intervals_have_their_own_periods(shop):
    monthly, yearly = shop.price(1000), shop.price(9000, "year")
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": [{"price": monthly}, {"price": yearly}]}
    )
    shop.until("2026-02-02T00:00:00Z")
    invoices = shop.invoices(subscription.id)
    assert [invoice.total for invoice in invoices] == [1000, 10000]
    assert [line.pricing.price_details.price for line in invoices[0].lines.data] == [monthly]


def test_a_scheduled_cancellation_keeps_it_active_until_exactly_the_end(shop):
    subscription = shop.subscribe(1000)
    end = subscription["items"].data[0].current_period_end
    shop.until("2026-01-20T00:00:00Z")
    scheduled = shop.client.v1.subscriptions.update(
        subscription.id,
        {"cancel_at_period_end": True, "cancellation_details": {"feedback": "unused"}},
    )
    assert (scheduled.status, scheduled.cancel_at, scheduled.cancel_at_period_end) == (
        "active",
        end,
        True,
    )
    assert scheduled.canceled_at == pytest.approx(at("2026-01-20"), abs=60)
    assert scheduled.cancellation_details.reason == "cancellation_requested"
    previous = shop.events("customer.subscription.updated")[0].data.previous_attributes.to_dict()
    assert previous["cancel_at"] is None
    assert previous["cancellation_details"] == {"feedback": None, "reason": None}
    shop.until("2026-02-15T00:00:00Z")
    ended = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", end)
    assert ended["items"].data[0].current_period_end == end
    deleted = shop.events("customer.subscription.deleted")
    assert [event.created for event in deleted] == [end]
    assert deleted[0].request.id is None
    assert len(shop.invoices(subscription.id)) == 1


def test_a_cancellation_can_be_taken_back_until_the_end(shop):
    subscription = shop.subscribe(1000)
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    back = shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancellation_details.reason) == (
        None,
        None,
        None,
    )
    shop.until("2026-02-15T00:00:00Z")
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert len(shop.invoices(subscription.id)) == 2


@pytest.mark.parametrize(("word", "ends"), [("min_period_end", "02"), ("max_period_end", "13")])
def test_the_end_can_be_named_by_the_items_periods(shop, word, ends):
    prices = [{"price": shop.price(1000)}, {"price": shop.price(9000, "year")}]
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": prices}
    )
    scheduled = shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": word})
    offset = subscription.created - at("2026-01-01")
    wanted = at("2027-01-01" if ends == "13" else "2026-02-01")
    assert scheduled.cancel_at - offset == wanted


def test_pending_items_become_a_last_invoice_at_the_end(shop):
    customer = shop.customer().id
    subscription = shop.subscribe(1000, customer=customer)
    shop.client.v1.invoice_items.create(
        {"customer": customer, "subscription": subscription.id, "amount": 77, "currency": "usd"}
    )
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.until("2026-02-15T00:00:00Z")
    last = shop.invoices(subscription.id)[0]
    assert (last.total, last.status) == (77, "paid")


def test_a_deleted_pending_item_is_billed_to_nobody(shop):
    customer = shop.customer().id
    subscription = shop.subscribe(1000, customer=customer)
    item = shop.client.v1.invoice_items.create(
        {"customer": customer, "subscription": subscription.id, "amount": 77, "currency": "usd"}
    )
    pending = shop.client.v1.invoice_items.list({"customer": customer, "pending": True}).data
    assert [row.id for row in pending] == [item.id]
    assert shop.client.v1.invoice_items.delete(item.id).deleted
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.until("2026-02-15T00:00:00Z")
    assert len(shop.invoices(subscription.id)) == 1


def test_canceling_now_ends_it_and_refunds_nothing(shop):
    subscription = shop.subscribe(120000, "year")
    shop.until("2026-03-10T12:00:00Z")
    ended = shop.client.v1.subscriptions.cancel(
        subscription.id,
        {
            "invoice_now": False,
            "prorate": False,
            "cancellation_details": {"comment": "moved away"},
        },
    )
    assert (ended.status, ended.ended_at) == ("canceled", ended.canceled_at)
    assert ended.cancellation_details.comment == "moved away"
    assert ended["items"].data[0].current_period_end > ended.ended_at
    charge = shop.payment(subscription.latest_invoice).latest_charge
    assert charge.amount_refunded == 0
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.cancel(subscription.id)
    assert caught.value.code == "resource_missing"
    shop.until("2027-03-10T12:00:00Z")
    assert len(shop.invoices(subscription.id)) == 1


def test_a_canceled_subscription_takes_metadata_and_little_else(shop):
    subscription = shop.subscribe(1000)
    shop.client.v1.subscriptions.cancel(subscription.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert caught.value.code == "invalid_canceled_subscription_fields"
    changed = shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"a": "1"}})
    assert changed.metadata["a"] == "1"


def test_canceling_stops_collection_of_what_is_open(shop):
    subscription = shop.subscribe(1000)
    shop.until("2026-02-01T00:30:00Z")
    shop.client.v1.subscriptions.cancel(subscription.id)
    shop.until("2026-03-01T00:00:00Z")
    draft = shop.invoices(subscription.id)[0]
    assert (draft.status, draft.auto_advance) == ("draft", False)


def test_lists_hide_canceled_ones_unless_asked(shop):
    customer = shop.customer().id
    kept, ended = (shop.subscribe(n, customer=customer).id for n in (100, 200))
    shop.client.v1.subscriptions.cancel(ended)

    def listed(**params) -> Any:
        found = shop.client.v1.subscriptions.list({"customer": customer, **params})
        return [subscription.id for subscription in found.data]

    assert listed() == [kept]
    assert listed(status="all") == [ended, kept]
    assert listed(status="canceled") == [ended]
    assert listed(status="active") == [kept]


@pytest.mark.parametrize(
    ("behavior", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_a_paused_collection_takes_no_money(shop, behavior, status):
    subscription = shop.subscribe(1000)
    paused = shop.client.v1.subscriptions.update(
        subscription.id, {"pause_collection": {"behavior": behavior}}
    )
    assert paused.pause_collection.behavior == behavior
    shop.until("2026-02-15T00:00:00Z")
    assert [invoice.status for invoice in shop.invoices(subscription.id)] == [status, "paid"]
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "active"
    shop.client.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    shop.until("2026-03-15T00:00:00Z")
    assert shop.invoices(subscription.id)[0].status == "paid"


def test_a_pause_can_end_by_itself(shop):
    subscription = shop.subscribe(1000)
    pause = {"behavior": "void", "resumes_at": at("2026-02-15")}
    shop.client.v1.subscriptions.update(subscription.id, {"pause_collection": pause})
    shop.until("2026-03-02T00:00:00Z")
    statuses = [invoice.status for invoice in shop.invoices(subscription.id)]
    assert statuses == ["paid", "void", "paid"]


def test_a_declined_first_payment_leaves_it_incomplete_and_then_expired(shop):
    customer = shop.customer("pm_card_chargeCustomerFail").id
    subscription = shop.subscribe(1000, customer=customer)
    assert subscription.status == "incomplete"
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    shop.wait(24 * 3600)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "incomplete_expired"
    assert shop.client.v1.invoices.retrieve(invoice.id).status == "void"


def test_without_a_payment_method_there_is_no_subscription(shop):
    customer = shop.client.v1.customers.create({}).id
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source") as caught:
        shop.subscribe(1000, customer=customer)
    assert caught.value.code == "resource_missing"
    found = shop.client.v1.subscriptions.list({"customer": customer, "status": "all"})
    assert found.data == []


def test_an_invoice_to_be_sent_starts_as_a_draft_with_a_due_date(shop):
    customer = shop.client.v1.customers.create({}).id
    subscription = shop.subscribe(
        1000, customer=customer, collection_method="send_invoice", days_until_due=14
    )
    assert subscription.status == "active"
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.due_date) == ("draft", invoice.created + 14 * 86400)
    shop.wait(4000)
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.status, invoice.attempted) == ("open", False)


def test_error_if_incomplete_makes_no_subscription(shop):
    customer = shop.customer("pm_card_chargeCustomerFail").id
    with pytest.raises(stripe.CardError) as caught:
        shop.subscribe(1000, customer=customer, payment_behavior="error_if_incomplete")
    assert caught.value.code == "card_declined"
    found = shop.client.v1.subscriptions.list({"customer": customer, "status": "all"})
    assert found.data == []


def test_a_one_off_price_cannot_recur(shop):
    product = shop.client.v1.products.create({"name": "Setup"})
    price = shop.client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 5}
    )
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        shop.client.v1.subscriptions.create(
            {"customer": shop.customer().id, "items": [{"price": price.id}]}
        )


def test_quantities_multiply(shop):
    price = shop.price(1000)
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": [{"price": price, "quantity": 3}]}
    )
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    assert (invoice.total, invoice.lines.data[0].quantity) == (3000, 3)
