"""Parts, several payments, one payment for several invoices, balances, and money from elsewhere."""

from typing import Any

import pytest
import stripe


def owed(shop, customer, amount):
    """An open invoice by hand."""
    shop.client.v1.invoice_items.create({"customer": customer, "amount": amount, "currency": "usd"})
    invoice = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    return shop.client.v1.invoices.finalize_invoice(invoice.id)


def intent(shop, amount, method="pm_card_visa", *, confirm=True):
    return shop.client.v1.payment_intents.create(
        {"amount": amount, "currency": "usd", "payment_method": method, "confirm": confirm}
    ).id


def attach(shop, invoice, **params):
    return shop.client.v1.invoices.attach_payment(invoice, params)


def rows(shop, invoice):
    found = shop.client.v1.invoice_payments.list({"invoice": invoice}).data
    return [(row.amount_requested, row.amount_paid, row.status) for row in found][::-1]


@pytest.fixture
def customer(shop):
    return shop.customer().id


def test_an_invoice_is_paid_in_two_parts(shop, customer):
    invoice = owed(shop, customer, 1000)
    part = attach(shop, invoice.id, payment_intent=intent(shop, 400))
    assert (part.status, part.amount_paid, part.amount_remaining) == ("open", 400, 600)
    assert rows(shop, invoice.id) == [(600, None, "open"), (400, 400, "paid")]
    whole = shop.client.v1.invoices.pay(invoice.id)
    assert (whole.status, whole.amount_paid, whole.amount_remaining) == ("paid", 1000, 0)
    assert rows(shop, invoice.id) == [(600, 600, "paid"), (400, 400, "paid")]
    assert len(shop.events("invoice_payment.paid")) == 2
    assert len(shop.events("invoice.paid")) == 1


def test_the_whole_by_another_payment_ends_the_invoices_own(shop, customer):
    invoice = owed(shop, customer, 1000)
    paid = attach(shop, invoice.id, payment_intent=intent(shop, 1000))
    assert paid.status == "paid"
    assert rows(shop, invoice.id) == [(1000, None, "canceled"), (1000, 1000, "paid")]


def test_one_payment_pays_several_invoices(shop, customer):
    first, second = owed(shop, customer, 1000), owed(shop, customer, 700)
    payment = intent(shop, 1500)
    assert attach(shop, first.id, payment_intent=payment).status == "paid"
    part = attach(shop, second.id, payment_intent=payment)
    assert (part.amount_paid, part.amount_remaining) == (500, 200)
    found = shop.client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": payment}}
    ).data
    assert {row.invoice: row.amount_paid for row in found} == {first.id: 1000, second.id: 500}
    with pytest.raises(stripe.InvalidRequestError):
        attach(shop, second.id, payment_intent=payment)


def test_an_attached_payment_pays_when_it_succeeds(shop, customer):
    first, second = owed(shop, customer, 1000), owed(shop, customer, 700)
    payment = intent(shop, 1700, confirm=False)
    attach(shop, first.id, payment_intent=payment)
    attach(shop, second.id, payment_intent=payment)
    assert shop.client.v1.invoices.retrieve(first.id).amount_paid == 0
    shop.client.v1.payment_intents.confirm(payment)
    for invoice in (first, second):
        assert shop.client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_what_comes_twice_is_overpaid_and_becomes_credit(shop, customer):
    invoice = owed(shop, customer, 1000)
    late = intent(shop, 1000, confirm=False)
    attach(shop, invoice.id, payment_intent=late)
    shop.client.v1.invoices.pay(invoice.id)
    shop.client.v1.payment_intents.confirm(late)
    after = shop.client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_paid, after.amount_overpaid) == ("paid", 2000, 1000)
    assert shop.client.v1.customers.retrieve(customer).balance == -1000
    assert len(shop.events("invoice.overpaid")) == 1
    assert len(shop.events("invoice.paid")) == 1


def test_paid_out_of_band_charges_nothing(shop, customer):
    invoice = owed(shop, customer, 1000)
    attach(shop, invoice.id, payment_intent=intent(shop, 300))
    paid = shop.client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 1000, 700)
    assert len(shop.client.v1.charges.list().data) == 1


def test_a_payment_record_is_a_part_paid_elsewhere(shop, customer):
    invoice = owed(shop, customer, 1000)
    record = shop.client.v1.payment_records.report_payment(
        {
            "amount_requested": {"currency": "usd", "value": 250},
            "initiated_at": 1767225600,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Wire"}},
            "outcome": "guaranteed",
            "guaranteed": {"guaranteed_at": 1767225600},
        }
    )
    part = attach(shop, invoice.id, payment_record=record.id)
    assert (part.amount_paid, part.amount_paid_off_stripe, part.amount_remaining) == (250, 250, 750)


def test_the_balance_pays_first_and_comes_back_when_the_invoice_is_void(shop):
    customer = shop.customer(balance=-300).id
    invoice = owed(shop, customer, 1000)
    assert (invoice.total, invoice.amount_due, invoice.starting_balance) == (1000, 700, -300)
    assert shop.client.v1.customers.retrieve(customer).balance == 0
    shop.client.v1.invoices.void_invoice(invoice.id)
    assert shop.client.v1.customers.retrieve(customer).balance == -300
    changes = shop.client.v1.customers.balance_transactions.list(customer).data
    assert [change.type for change in changes] == ["unapplied_from_invoice", "applied_to_invoice"]


def test_the_balance_can_be_adjusted_by_hand(shop, customer):
    change = shop.client.v1.customers.balance_transactions.create(
        customer, {"amount": -250, "currency": "usd", "description": "goodwill"}
    )
    assert (change.type, change.ending_balance) == ("adjustment", -250)
    assert owed(shop, customer, 1000).amount_due == 750


def test_a_part_paid_invoice_cannot_be_voided(shop, customer):
    invoice = owed(shop, customer, 1000)
    attach(shop, invoice.id, payment_intent=intent(shop, 300))
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.invoices.void_invoice(invoice.id)
    assert caught.value.user_message == "Invoices with `paid` payments cannot be voided."


def test_an_uncollectible_invoice_can_still_be_paid_or_voided(shop, customer):
    first, second = owed(shop, customer, 1000), owed(shop, customer, 700)
    for invoice in (first, second):
        written_off = shop.client.v1.invoices.mark_uncollectible(invoice.id)
        assert written_off.status_details.uncollectible.reason == "user_forgiven"
    assert shop.client.v1.invoices.pay(first.id).status == "paid"
    assert shop.client.v1.invoices.void_invoice(second.id).status == "void"


def test_only_an_open_invoice_takes_a_payment_and_only_in_its_currency(shop, customer):
    invoice = owed(shop, customer, 1000)
    euros = shop.client.v1.payment_intents.create({"amount": 1000, "currency": "eur"}).id
    with pytest.raises(stripe.InvalidRequestError):
        attach(shop, invoice.id, payment_intent=euros)
    with pytest.raises(stripe.InvalidRequestError):
        attach(shop, invoice.id)
    shop.client.v1.invoices.pay(invoice.id)
    with pytest.raises(stripe.InvalidRequestError):
        attach(shop, invoice.id, payment_intent=intent(shop, 1000))


def test_a_declined_intent_is_a_402_and_can_be_confirmed_again(shop):
    with pytest.raises(stripe.CardError) as caught:
        intent(shop, 500, "pm_card_visa_chargeDeclinedInsufficientFunds")
    body: Any = caught.value.json_body
    assert body["error"]["decline_code"] == "insufficient_funds"
    failed = shop.client.v1.payment_intents.list().data[0]
    assert failed.status == "requires_payment_method"
    paid = shop.client.v1.payment_intents.confirm(failed.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.payment_intents.confirm(failed.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.payment_intents.cancel(failed.id)


def test_an_intent_that_was_not_paid_can_be_canceled(shop):
    payment = intent(shop, 500, confirm=False)
    canceled = shop.client.v1.payment_intents.cancel(payment, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
