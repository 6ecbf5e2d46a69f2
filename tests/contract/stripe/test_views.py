"""Lists and expansion."""

import pytest
import stripe


def test_a_list_is_newest_first_and_pages_by_cursor(shop):
    ids = [shop.client.v1.customers.create({"name": str(n)}).id for n in range(5)][::-1]
    page = shop.client.v1.customers.list({"limit": 2})
    assert [c.id for c in page.data] == ids[:2]
    assert page.has_more
    page = shop.client.v1.customers.list({"limit": 2, "starting_after": ids[3]})
    assert [c.id for c in page.data] == ids[4:]
    assert not page.has_more
    page = shop.client.v1.customers.list({"limit": 2, "ending_before": ids[3]})
    assert [c.id for c in page.data] == ids[1:3]
    assert page.has_more
    page = shop.client.v1.customers.list({"limit": 2})
    assert [c.id for c in page.auto_paging_iter()] == ids


def test_a_limit_has_bounds(shop):
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.customers.list({"limit": 101})


def test_a_list_can_be_bounded_by_creation(shop):
    first = shop.customer()
    shop.wait(3600)
    second = shop.customer()
    found = shop.client.v1.customers.list({"created": {"gt": first.created}}).data
    assert [c.id for c in found] == [second.id]
    found = shop.client.v1.customers.list({"created": {"lte": first.created}}).data
    assert [c.id for c in found] == [first.id]


def test_expansion_goes_through_objects_lists_and_what_is_only_there_on_request(shop):
    subscription = shop.subscribe(1000, expand=["latest_invoice.payments", "customer"])
    assert subscription.customer.name == "Ann"
    assert subscription.latest_invoice.payments.data[0].status == "paid"
    invoice = shop.invoices(subscription.id)[0]
    assert "payments" not in invoice
    rows = shop.client.v1.invoice_payments.list(
        {"invoice": invoice.id, "expand": ["data.payment.payment_intent.latest_charge"]}
    ).data
    assert rows[0].payment.payment_intent.latest_charge.amount == 1000
    charge = rows[0].payment.payment_intent.latest_charge.id
    shop.client.v1.refunds.create({"charge": charge, "amount": 1})
    charge = shop.client.v1.charges.retrieve(charge, {"expand": ["refunds"]})
    assert [refund.amount for refund in charge.refunds.data] == [1]


def test_a_null_stays_null_on_expansion(shop):
    customer = shop.client.v1.customers.create({"expand": ["test_clock"]})
    assert customer.test_clock is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("metadata", "This property cannot be expanded"),
        ("nonsense", "This property cannot be expanded"),
        ("customer.nonsense", "This property cannot be expanded"),
        ("latest_invoice.payments.data.payment.payment_intent", "more than 4 levels"),
    ],
)
def test_what_cannot_be_expanded_is_refused(shop, path, words):
    subscription = shop.subscribe(1000)
    with pytest.raises(stripe.InvalidRequestError, match=words):
        shop.client.v1.subscriptions.retrieve(subscription.id, {"expand": [path]})


def test_lists_of_discounts_expand_to_their_objects(shop):
    coupon = shop.client.v1.coupons.create({"percent_off": 10, "duration": "forever"}).id
    made = shop.subscribe(1000, discounts=[{"coupon": coupon}])
    seen = shop.client.v1.subscriptions.retrieve(
        made.id, {"expand": ["discounts.source.coupon", "items.data.discounts"]}
    )
    assert seen.discounts[0].source.coupon.percent_off == 10
