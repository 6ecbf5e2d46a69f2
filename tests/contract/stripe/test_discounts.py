"""Coupons: what they take off an invoice's lines, and for how long."""

import pytest
import stripe


def coupon(shop, **params):
    return shop.client.v1.coupons.create(params).id


def discounted(shop, amounts, **params):
    """A draft by hand with these item amounts."""
    customer = shop.customer().id
    for amount in amounts:
        shop.client.v1.invoice_items.create(
            {"customer": customer, "amount": amount, "currency": "usd"}
        )
    invoice = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include", **params}
    )
    return shop.client.v1.invoices.retrieve(invoice.id)


def test_a_percentage_comes_off_each_line_and_the_line_keeps_its_gross_amount(shop):
    subscription = shop.subscribe(
        2000, discounts=[{"coupon": coupon(shop, percent_off=25, duration="forever")}]
    )
    invoice = shop.client.v1.invoices.retrieve(
        subscription.latest_invoice, {"expand": ["discounts"]}
    )
    (line,) = invoice.lines.data
    assert (line.amount, line.subtotal) == (2000, 2000)
    assert [taken.amount for taken in line.discount_amounts] == [500]
    assert line.discount_amounts[0].discount == invoice.discounts[0].id
    assert line.pretax_credit_amounts[0].type == "discount"
    assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (2000, 1500, 1500)
    assert invoice.total_discount_amounts[0].amount == 500
    assert invoice.discounts[0].source.coupon


def test_an_amount_off_is_spread_in_proportion_and_to_the_cent(shop):
    off = coupon(shop, amount_off=100, currency="usd")
    invoice = discounted(shop, [1000, 1000, 1000], discounts=[{"coupon": off}])
    parts = [line.discount_amounts[0].amount for line in invoice.lines.data]
    assert sorted(parts) == [33, 33, 34]
    assert (invoice.subtotal, invoice.total) == (3000, 2900)


def test_an_amount_off_never_takes_more_than_there_is(shop):
    off = coupon(shop, amount_off=5000, currency="usd")
    invoice = discounted(shop, [1000], discounts=[{"coupon": off}])
    assert invoice.total == 0


def test_the_second_discount_is_on_what_the_first_left(shop):
    discounts = [{"coupon": coupon(shop, percent_off=50)}, {"coupon": coupon(shop, percent_off=10)}]
    invoice = discounted(shop, [1000], discounts=discounts)
    assert [taken.amount for taken in invoice.lines.data[0].discount_amounts] == [500, 50]
    assert invoice.total == 450


def test_tax_is_on_what_is_left(shop):
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 20, "inclusive": False}
    )
    invoice = discounted(
        shop,
        [1000],
        discounts=[{"coupon": coupon(shop, percent_off=50)}],
        default_tax_rates=[rate.id],
    )
    assert (invoice.total_taxes[0].amount, invoice.total_taxes[0].taxable_amount) == (100, 500)
    assert invoice.total == 600


@pytest.mark.parametrize(
    ("coupon_params", "totals"),
    [
        pytest.param({"duration": "once"}, [500, 1000, 1000], id="once"),
        pytest.param(
            {"duration": "repeating", "duration_in_months": 2}, [500, 500, 1000], id="two months"
        ),
        pytest.param({"duration": "forever"}, [500, 500, 500], id="forever"),
    ],
)
def test_a_discount_lasts_as_long_as_its_coupon_says(shop, coupon_params, totals):
    subscription = shop.subscribe(
        1000, discounts=[{"coupon": coupon(shop, percent_off=50, **coupon_params)}]
    )
    shop.until("2026-03-02T00:00:00Z")
    found = [invoice.total for invoice in shop.invoices(subscription.id)]
    assert found[::-1] == totals


def test_an_item_takes_its_own_discount_first(shop):
    customer = shop.customer().id
    half = [{"coupon": coupon(shop, percent_off=50, duration="forever")}]
    items = [{"price": shop.price(1000), "discounts": half}, {"price": shop.price(1000)}]
    subscription = shop.client.v1.subscriptions.create(
        {
            "customer": customer,
            "items": items,
            "discounts": [{"coupon": coupon(shop, percent_off=10)}],
        }
    )
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    taken = [[part.amount for part in line.discount_amounts] for line in invoice.lines.data]
    assert taken == [[500, 50], [100]]
    assert invoice.total == 1350


def test_a_coupon_of_another_currency_and_a_finalized_invoice_are_refused(shop):
    euros = coupon(shop, amount_off=100, currency="eur")
    with pytest.raises(stripe.InvalidRequestError):
        shop.subscribe(1000, discounts=[{"coupon": euros}])
    invoice = shop.subscribe(1000).latest_invoice
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.invoices.update(invoice, {"discounts": ""})
    assert caught.value.user_message == "Finalized invoices can't be updated in this way"


def test_a_draft_can_lose_its_discount_again(shop):
    invoice = discounted(shop, [1000], discounts=[{"coupon": coupon(shop, percent_off=50)}])
    assert invoice.total == 500
    assert shop.client.v1.invoices.update(invoice.id, {"discounts": ""}).total == 1000


def test_a_deleted_coupon_leaves_its_discounts(shop):
    name = coupon(shop, id="HALF", percent_off=50, duration="forever")
    subscription = shop.subscribe(1000, discounts=[{"coupon": name}])
    assert shop.client.v1.coupons.delete("HALF").deleted
    shop.until("2026-02-02T00:00:00Z")
    assert [invoice.total for invoice in shop.invoices(subscription.id)] == [500, 500]
