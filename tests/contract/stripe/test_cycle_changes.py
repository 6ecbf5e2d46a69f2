"""A cycle that starts over, and what is told of renewals and due dates."""

import pytest
import stripe

DAY = 24 * 3600


def item_of(shop, subscription):
    return shop.client.v1.subscriptions.retrieve(subscription)["items"].data[0]


def test_another_interval_credits_the_rest_and_bills_a_whole_period(shop):
    subscription = shop.subscribe(3100)
    shop.until("2026-01-11T00:00:00Z")
    entry = {"id": item_of(shop, subscription.id).id, "price": shop.price(30000, "year")}
    now = shop.client.v1.subscriptions.update(subscription.id, {"items": [entry]})
    item = item_of(shop, subscription.id)
    assert item.current_period_start == now.billing_cycle_anchor
    assert item.current_period_end - item.current_period_start == 365 * DAY
    invoice = shop.invoices(subscription.id)[0]
    assert (invoice.status, invoice.billing_reason) == ("paid", "subscription_update")
    assert invoice.total == pytest.approx(30000 - 2100, abs=1)
    (event,) = shop.events("customer.subscription.updated")[:1]
    assert event.data.previous_attributes.billing_cycle_anchor == subscription.billing_cycle_anchor


@pytest.mark.parametrize(("behaviour", "credit"), [("create_prorations", 2100), ("none", 0)])
def test_an_anchor_of_now_starts_every_item_over(shop, behaviour, credit):
    subscription = shop.subscribe(3100)
    shop.until("2026-01-11T00:00:00Z")
    shop.client.v1.subscriptions.update(
        subscription.id,
        {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": behaviour},
    )
    assert shop.invoices(subscription.id)[0].total == pytest.approx(3100 - credit, abs=1)
    shop.until("2026-02-11T01:30:00Z")
    renewal = shop.invoices(subscription.id)[0]
    assert (renewal.billing_reason, renewal.total) == ("subscription_cycle", 3100)


def test_an_unchanged_anchor_changes_nothing(shop):
    subscription = shop.subscribe(3100)
    now = shop.client.v1.subscriptions.update(
        subscription.id, {"billing_cycle_anchor": {"type": "unchanged"}}
    )
    assert now.billing_cycle_anchor == subscription.billing_cycle_anchor
    assert len(shop.invoices(subscription.id)) == 1


def test_items_of_several_intervals_renew_each_in_its_own_time(shop):
    items = [{"price": shop.price(1000)}, {"price": shop.price(9000, "year")}]
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": items}
    )
    shop.until("2026-12-15T00:00:00Z")
    totals = [invoice.total for invoice in shop.invoices(subscription.id)]
    assert totals == [*([1000] * 10), *totals[10:]]
    shop.until("2027-01-02T00:00:00Z")
    assert shop.invoices(subscription.id)[0].total == 10000


def test_an_upcoming_renewal_is_told_and_leaves_no_trace(shop):
    shop.local("POST", "settings", upcoming_days=7)
    subscription = shop.subscribe(1000)
    shop.client.v1.invoice_items.create(
        {"customer": subscription.customer, "amount": 50, "currency": "usd"}
    )
    shop.until("2026-01-26T00:00:00Z")
    (event,) = shop.events("invoice.upcoming")
    upcoming = event.data.object
    assert upcoming.id.startswith("upcoming_in")
    assert (upcoming.total, upcoming.lines.data[0].period.start) == (
        1050,
        item_of(shop, subscription.id).current_period_end,
    )
    assert len(shop.invoices(subscription.id)) == 1
    assert shop.client.v1.invoice_items.list({"pending": True}).data
    shop.until("2026-02-02T00:00:00Z")
    assert shop.invoices(subscription.id)[0].total == 1050


def test_a_renewal_that_will_not_come_is_not_told(shop):
    shop.local("POST", "settings", upcoming_days=7)
    subscription = shop.subscribe(1000)
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    shop.until("2026-02-02T00:00:00Z")
    assert shop.events("invoice.upcoming") == []


@pytest.mark.parametrize("paid", [True, False])
def test_an_invoice_is_overdue_while_it_is_open(shop, paid):
    shop.local("POST", "settings", overdue_days=3)
    customer = shop.customer().id
    shop.client.v1.invoice_items.create({"customer": customer, "amount": 900, "currency": "usd"})
    invoice = shop.client.v1.invoices.create(
        {
            "customer": customer,
            "collection_method": "send_invoice",
            "days_until_due": 10,
            "pending_invoice_items_behavior": "include",
        }
    )
    assert shop.client.v1.invoices.send_invoice(invoice.id).status == "open"
    if paid:
        shop.client.v1.invoices.pay(invoice.id)
    shop.wait(14 * DAY)
    told = [event.data.object.id for event in shop.events("invoice.overdue")]
    assert told == ([] if paid else [invoice.id])
    assert len(shop.events("invoice.sent")) == 1


def test_an_invoice_that_is_charged_is_not_sent(shop):
    subscription = shop.subscribe(1000)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.send_invoice(subscription.latest_invoice)
