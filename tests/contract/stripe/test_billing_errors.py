"""Each kind of billing error on the local Stripe: what the adapter reads is what is compared."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.domain.bill import Bill
from shared.domain.billing_error import BillCheck, check_bill


@pytest.fixture
def billing(shop: Any) -> StripeBilling:
    return StripeBilling(stripe_client("sk_test_local", shop.server.url))


def billed(shop: Any, billing: StripeBilling, subscription: Any) -> Bill:
    invoice = shop.invoices(subscription.id)[0].id
    bill = billing.bill(invoice)
    assert bill is not None
    return bill


def kinds(check: BillCheck) -> list[str]:
    return [difference.kind for line in check.lines for difference in line.differences]


def seats(shop: Any, quantity: int = 3, **params: Any) -> Any:
    price = shop.price(1000)
    items = [{"price": price, "quantity": quantity}]
    made = shop.client.v1.subscriptions.create(
        {"customer": shop.customer().id, "items": items, **params}
    )
    shop.wait(5)
    return made


def vat(shop: Any, percentage: float) -> str:
    params = {"display_name": "VAT", "percentage": percentage, "inclusive": False}
    return str(shop.client.v1.tax_rates.create(params).id)


def put_right(shop: Any, subscription: Any, **changes: Any) -> None:
    """What a company does that has noticed: the item is corrected, and nothing is prorated."""
    items = [{"id": subscription["items"].data[0].id, **changes}]
    shop.client.v1.subscriptions.update(
        subscription.id, {"items": items, "proration_behavior": "none"}
    )


def test_an_invoice_as_agreed_shows_nothing(shop: Any, billing: StripeBilling):
    coupon = shop.client.v1.coupons.create({"percent_off": 12.5, "duration": "once"}).id
    rates = [vat(shop, 7.7)]
    made = seats(shop, default_tax_rates=rates, discounts=[{"coupon": coupon}])
    bill = billed(shop, billing, made)
    pricing = bill.charges[0].pricing
    assert (pricing.unit, pricing.quantity, pricing.rates[0].id) == (Fraction(1000), 3, rates[0])
    assert [(c.id, str(c.percent)) for c in pricing.coupons] == [(coupon, "25/2")]
    check = check_bill(bill)
    assert (check.verified, check.overcharged, kinds(check)) == (False, 0, [])


def test_a_wrong_quantity(shop: Any, billing: StripeBilling):
    made = seats(shop)
    put_right(shop, made, quantity=2)
    check = check_bill(billed(shop, billing, made))
    assert (check.overcharged, kinds(check)) == (1000, ["quantity"])


def test_a_wrong_price(shop: Any, billing: StripeBilling):
    made = seats(shop)
    put_right(shop, made, price=shop.price(900))
    check = check_bill(billed(shop, billing, made))
    assert (check.overcharged, kinds(check)) == (300, ["price"])


def test_a_coupon_that_was_valid_and_not_taken_off(shop: Any, billing: StripeBilling):
    coupon = shop.client.v1.coupons.create({"percent_off": 25, "duration": "forever"}).id
    bill = billed(shop, billing, seats(shop, discounts=[{"coupon": coupon}]))
    assert check_bill(bill).overcharged == 0
    # Stripe takes a valid coupon off by itself; the line is made as if it had not.
    charge = bill.charges[0]
    line = replace(charge.line, amount=3000, discount=0)
    forgotten = replace(charge, line=line, pricing=replace(charge.pricing, coupons=()))
    check = check_bill(replace(bill, charges=(forgotten,)))
    assert (check.overcharged, kinds(check)) == (750, ["discount"])


def test_tax_of_somebody_who_owes_none(shop: Any, billing: StripeBilling):
    made = seats(shop, default_tax_rates=[vat(shop, 19)])
    shop.client.v1.customers.update(made.customer, {"tax_exempt": "reverse"})
    check = check_bill(billed(shop, billing, made))
    assert (check.overcharged, kinds(check)) == (570, ["tax"])


def test_a_charge_for_time_after_the_end(shop: Any, billing: StripeBilling):
    made = seats(shop)
    shop.client.v1.subscriptions.cancel(made.id)
    bill = billed(shop, billing, made)
    assert bill.agreed.ended_at is not None
    assert check_bill(bill).overcharged == 0
    start = bill.charges[0].line.period_start
    check = check_bill(replace(bill, agreed=replace(bill.agreed, ended_at=start)))
    assert (check.overcharged, kinds(check)) == (3000, ["after_end"])


def test_a_payment_that_pays_no_invoice(shop: Any, billing: StripeBilling):
    made = seats(shop)
    owner = shop.client.v1.customers.retrieve(made.customer)
    paid = {
        "amount": 3000,
        "currency": "usd",
        "customer": made.customer,
        "payment_method": owner.invoice_settings.default_payment_method,
        "confirm": True,
    }
    twice = shop.client.v1.payment_intents.create(paid)
    check = check_bill(billed(shop, billing, made))
    assert (check.overcharged, [p.id for p in check.overpaid]) == (3000, [twice.id])


def test_a_second_invoice_for_the_same_time(shop: Any, billing: StripeBilling):
    made = seats(shop)
    first = billed(shop, billing, made)
    shop.until("2026-02-01T06:00:00Z")
    second = billed(shop, billing, made)
    assert [other.invoice.id for other in second.others] == [first.invoice.id]
    assert check_bill(second).overcharged == 0
    # Stripe bills no period twice by itself; the second invoice is given the first one's lines.
    check = check_bill(replace(second, charges=first.charges))
    assert (check.overcharged, kinds(check)) == (3000, ["duplicate_invoice"])


def test_an_invoice_is_found_by_its_number_and_no_query_can_be_smuggled_in(
    shop: Any, billing: StripeBilling
):
    made = seats(shop)
    number = shop.invoices(made.id)[0].number
    found = billing.invoice_numbered(number)
    assert found is not None
    assert (found.customer, found.subscription) == (made.customer, made.id)
    assert billing.invoice_numbered(number + "x") is None
    assert billing.invoice_numbered(f'x" OR number:"{number}') is None
    assert billing.bill("in_absent") is None
