"""Credits for unused time and debits for what comes instead, rounded line by line."""

import pytest
import stripe

HALF_JANUARY = "2026-01-16T12:00:00Z"  # 15.5 of 31 days


def items(shop, subscription):
    return shop.client.v1.subscriptions.retrieve(subscription).to_dict()["items"]["data"]


def pending(shop, customer):
    rows = shop.client.v1.invoice_items.list({"customer": customer, "pending": True}).data
    return sorted(row.amount for row in rows)


def upgrade(shop, subscription, amount, **params):
    (item,) = items(shop, subscription.id)
    entry = {"id": item["id"], "price": shop.price(amount)}
    return shop.client.v1.subscriptions.update(subscription.id, {"items": [entry], **params})


def start(shop, subscription):
    return items(shop, subscription)[0]["current_period_start"]


def test_an_upgrade_credits_the_rest_of_the_old_and_debits_the_rest_of_the_new(shop):
    subscription = shop.subscribe(1000)
    at = start(shop, subscription.id) + 31 * 12 * 3600
    upgrade(shop, subscription, 3000, proration_date=at)
    assert pending(shop, subscription.customer) == [-500, 1500]
    shop.until("2026-02-02T00:00:00Z")
    latest = shop.invoices(subscription.id)[0]
    assert latest.total == 3000 + 1500 - 500
    credit = next(line for line in latest.lines.data if line.amount < 0)
    details = credit.parent.subscription_item_details
    assert details.proration
    first = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    credited = details.proration_details.credited_items
    assert (credited.invoice, credited.invoice_line_items) == (first.id, [first.lines.data[0].id])
    assert credit.pricing.unit_amount_decimal is None
    assert not credit.discountable


@pytest.mark.parametrize(
    ("old", "new", "part", "expected"),
    [
        pytest.param(2000, 1000, 3, [-667, 333], id="thirds"),
        pytest.param(1005, 2005, 2, [-503, 1002], id="half cents"),
    ],
)
def test_each_line_is_rounded_down(shop, old, new, part, expected):
    subscription = shop.subscribe(old)
    (item,) = items(shop, subscription.id)
    begins, ends = item["current_period_start"], item["current_period_end"]
    upgrade(shop, subscription, new, proration_date=ends - (ends - begins) // part)
    assert pending(shop, subscription.customer) == expected


def test_a_credit_takes_back_what_was_paid_after_its_discount(shop):
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    subscription = shop.subscribe(1000, discounts=[{"coupon": coupon}])
    at = start(shop, subscription.id) + 31 * 12 * 3600
    upgrade(shop, subscription, 3000, proration_date=at)
    assert pending(shop, subscription.customer) == [-250, 1500]


def test_in_classic_mode_a_credit_goes_by_the_price(shop):
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    subscription = shop.subscribe(
        1000, discounts=[{"coupon": coupon}], billing_mode={"type": "classic"}
    )
    at = start(shop, subscription.id) + 31 * 12 * 3600
    upgrade(shop, subscription, 3000, proration_date=at)
    assert pending(shop, subscription.customer) == [-500, 1500]


def test_a_second_change_credits_only_what_the_first_debited(shop):
    subscription = shop.subscribe(1000)
    begin = start(shop, subscription.id)
    upgrade(shop, subscription, 3000, proration_date=begin, proration_behavior="always_invoice")
    shop.wait(31 * 12 * 3600)
    (item,) = items(shop, subscription.id)
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item["id"], "price": shop.price(1000)}]}
    )
    credit, debit = pending(shop, subscription.customer)
    assert -1501 <= credit <= -1499
    assert 499 <= debit <= 501


def test_always_invoice_bills_at_once(shop):
    subscription = shop.subscribe(1000)
    at = start(shop, subscription.id) + 31 * 12 * 3600
    upgrade(shop, subscription, 3000, proration_date=at, proration_behavior="always_invoice")
    latest = shop.invoices(subscription.id)[0]
    assert (latest.billing_reason, latest.total, latest.status) == (
        "subscription_update",
        1000,
        "paid",
    )
    assert pending(shop, subscription.customer) == []


def test_without_prorations_only_the_next_invoice_changes(shop):
    subscription = shop.subscribe(1000)
    upgrade(shop, subscription, 3000, proration_behavior="none")
    assert pending(shop, subscription.customer) == []
    shop.until("2026-02-02T00:00:00Z")
    assert shop.invoices(subscription.id)[0].total == 3000


def test_an_item_is_added_and_removed_with_its_share(shop):
    subscription = shop.subscribe(1000)
    at = start(shop, subscription.id) + 31 * 12 * 3600
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"price": shop.price(400)}], "proration_date": at}
    )
    first, second = items(shop, subscription.id)
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": first["id"], "deleted": True}], "proration_date": at}
    )
    assert [item["id"] for item in items(shop, subscription.id)] == [second["id"]]
    assert pending(shop, subscription.customer) == [-500, 200]


def test_prorate_alone_leaves_a_negative_pending_item(shop):
    subscription = shop.subscribe(3100)
    shop.until(HALF_JANUARY)
    shop.client.v1.subscriptions.cancel(subscription.id, {"prorate": True})
    (credit,) = pending(shop, subscription.customer)
    assert -1551 <= credit <= -1549
    assert len(shop.invoices(subscription.id)) == 1
    assert shop.client.v1.refunds.list().data == []


def test_a_last_invoice_that_is_a_credit_becomes_uncollectible_and_reaches_nobody(shop):
    subscription = shop.subscribe(3100)
    shop.until(HALF_JANUARY)
    shop.client.v1.subscriptions.cancel(subscription.id, {"prorate": True, "invoice_now": True})
    draft = shop.invoices(subscription.id)[0]
    assert (draft.status, draft.billing_reason) == ("draft", "subscription_cycle")
    assert draft.total < 0
    shop.wait(60)
    ended = shop.client.v1.invoices.retrieve(draft.id)
    assert (ended.status, ended.number) == ("uncollectible", None)
    assert ended.status_details.uncollectible.reason == "subscription_canceled"
    assert shop.client.v1.customers.retrieve(subscription.customer).balance == 0


def test_an_end_within_the_period_is_credited_with_the_end(shop):
    subscription = shop.subscribe(3100)
    at = start(shop, subscription.id) + 31 * 12 * 3600
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": at})
    shop.wait(20 * 24 * 3600)
    ended = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at) == ("canceled", at)
    assert shop.invoices(subscription.id)[0].total == -1550


def test_an_end_within_the_period_without_prorations_credits_nothing(shop):
    subscription = shop.subscribe(3100)
    at = start(shop, subscription.id) + 31 * 12 * 3600
    params = {"cancel_at": at, "proration_behavior": "none"}
    shop.client.v1.subscriptions.update(subscription.id, params)
    shop.wait(20 * 24 * 3600)
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert len(shop.invoices(subscription.id)) == 1


def test_an_end_within_a_later_period_makes_that_one_shorter_and_cheaper(shop):
    subscription = shop.subscribe(2800)
    (item,) = items(shop, subscription.id)
    at = item["current_period_end"] + 14 * 24 * 3600  # half of February
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at": at})
    shop.until("2026-02-02T00:00:00Z")
    latest = shop.invoices(subscription.id)[0]
    assert (latest.total, latest.lines.data[0].period.end) == (1400, at)
    shop.until("2026-03-10T00:00:00Z")
    assert shop.client.v1.subscriptions.retrieve(subscription.id).ended_at == at
    assert len(shop.invoices(subscription.id)) == 2


def test_another_interval_of_one_of_several_items_is_not_modelled_and_says_so(shop):
    subscription = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": [{"price": shop.price(n)} for n in (1000, 500)]}
    )
    item, _ = items(shop, subscription.id)
    entry = {"id": item["id"], "price": shop.price(9000, "year")}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.update(subscription.id, {"items": [entry]})
    assert caught.value.code == "local_stripe_unmodelled"
