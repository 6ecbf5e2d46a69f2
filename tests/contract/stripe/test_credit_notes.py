"""Credit notes: their sums, their links, and what they do to the invoice."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def invoice(shop):
    """A paid invoice of 1,200.00 and 20 % tax on top."""
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 20, "inclusive": False}
    )
    subscription = shop.subscribe(120000, "year", default_tax_rates=[rate.id])
    return shop.client.v1.invoices.retrieve(subscription.latest_invoice)


def refund(shop, invoice, amount) -> Any:
    payment = shop.payment(invoice.id)
    return shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": amount})


def refusal(shop, **params) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.credit_notes.create(params)
    return caught.value.user_message


def line(invoice, amount, **more) -> Any:
    identifier = invoice.lines.data[0].id
    return {
        "type": "invoice_line_item",
        "invoice_line_item": identifier,
        "amount": amount,
        **more,
    }


def test_a_note_documents_a_refund_made_before(shop, invoice):
    given = refund(shop, invoice, 12000)
    note = shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [line(invoice, 10000)],
            "refunds": [{"refund": given.id, "amount_refunded": 12000}],
            "email_type": "none",
            "metadata": {"cancellation": "1"},
        }
    )
    assert (note.subtotal, note.total, note.amount) == (10000, 12000, 12000)
    assert (note.post_payment_amount, note.pre_payment_amount) == (12000, 0)
    assert (note.type, note.status, note.number) == (
        "post_payment",
        "issued",
        f"{invoice.number}-CN-01",
    )
    assert [(link.refund, link.amount_refunded) for link in note.refunds] == [(given.id, 12000)]
    assert [(tax.amount, tax.taxable_amount) for tax in note.total_taxes] == [(2000, 10000)]
    assert note.lines.data[0].invoice_line_item == invoice.lines.data[0].id
    changed = shop.client.v1.invoices.retrieve(invoice.id)
    assert (changed.post_payment_credit_notes_amount, changed.total) == (12000, 144000)
    assert shop.payment(invoice.id).latest_charge.amount_refunded == 12000
    assert shop.kinds()[-2:] == ["credit_note.created", "invoice.updated"]
    listed = shop.client.v1.credit_notes.list({"invoice": invoice.id}).data
    assert [row.id for row in listed] == [note.id]
    assert shop.client.v1.credit_notes.retrieve(note.id).metadata["cancellation"] == "1"


def test_included_tax_stays_inside_the_amount(shop):
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 20, "inclusive": True}
    )
    subscription = shop.subscribe(12000, default_tax_rates=[rate.id])
    invoice = shop.client.v1.invoices.retrieve(subscription.latest_invoice)
    given = refund(shop, invoice, 6000)
    note = shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [line(invoice, 6000)],
            "refunds": [{"refund": given.id}],
        }
    )
    assert (note.total, note.total_excluding_tax) == (6000, 5000)


def test_tax_can_be_given_exactly(shop, invoice):
    rate = invoice.total_taxes[0].tax_rate_details.tax_rate
    given = refund(shop, invoice, 11999)
    note = shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "lines": [
                line(
                    invoice,
                    10000,
                    tax_amounts=[{"amount": 1999, "tax_rate": rate, "taxable_amount": 10000}],
                )
            ],
            "refunds": [{"refund": given.id}],
        }
    )
    assert note.total == 11999


def test_every_cent_needs_a_destination(shop, invoice):
    given = refund(shop, invoice, 100)
    assert refusal(shop, invoice=invoice.id, amount=200, refunds=[{"refund": given.id}]) == (
        "The sum of credit amount, refund amount and out of band amount ($1.00) must equal the"
        " credit note amount ($2.00)."
    )
    assert shop.client.v1.credit_notes.list({"invoice": invoice.id}).data == []


def test_the_note_can_refund_credit_and_settle_elsewhere(shop, invoice):
    note = shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "amount": 6000,
            "refund_amount": 3000,
            "credit_amount": 2000,
            "out_of_band_amount": 1000,
        }
    )
    assert shop.client.v1.refunds.retrieve(note.refunds[0].refund).amount == 3000
    assert shop.client.v1.customers.retrieve(invoice.customer).balance == -2000
    changes = shop.client.v1.customers.balance_transactions.list(invoice.customer).data
    assert [(row.amount, row.type, row.credit_note) for row in changes] == [
        (-2000, "credit_note", note.id)
    ]
    assert (note.out_of_band_amount, note.customer_balance_transaction) == (1000, changes[0].id)


def test_no_more_than_was_paid_can_be_credited(shop, invoice):
    assert "greater than the amount that can be credited" in refusal(
        shop, invoice=invoice.id, amount=144001, credit_amount=144001
    )


def test_refunds_that_no_note_claims_lower_what_can_be_credited(shop, invoice):
    refund(shop, invoice, 144000)
    assert "($0.00)" in refusal(shop, invoice=invoice.id, amount=1, credit_amount=1)


def test_a_refund_is_claimed_once(shop, invoice):
    given = refund(shop, invoice, 5000)
    links = {"refunds": [{"refund": given.id, "amount_refunded": 3000}]}
    shop.client.v1.credit_notes.create({"invoice": invoice.id, "amount": 3000, **links})
    assert "$20.00 that no credit note has claimed" in refusal(
        shop, invoice=invoice.id, amount=3000, **links
    )
    shop.client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 2000, "refunds": [{"refund": given.id}]}
    )


def test_a_foreign_refund_cannot_be_linked(shop, invoice):
    foreign = shop.client.v1.refunds.create({"payment_intent": shop.paid().id})
    assert "does not belong" in refusal(
        shop, invoice=invoice.id, amount=1000, refunds=[{"refund": foreign.id}]
    )


@pytest.mark.parametrize(
    "what",
    [
        pytest.param({}, id="neither"),
        pytest.param({"amount": 1, "lines": [{"type": "custom_line_item"}]}, id="both"),
    ],
)
def test_amount_or_lines_but_not_both(shop, invoice, what):
    message = refusal(shop, invoice=invoice.id, credit_amount=1, **what)
    assert message == "One of `amount`, `lines`, or `shipping_cost` must be provided."


def test_a_line_cannot_be_credited_beyond_itself(shop, invoice):
    assert "greater than the line's amount" in refusal(
        shop, invoice=invoice.id, lines=[line(invoice, 120001)], credit_amount=144002
    )


def test_a_draft_cannot_be_credited(shop):
    draft = shop.client.v1.invoices.create({"customer": shop.customer().id})
    assert "draft" in refusal(shop, invoice=draft.id, amount=1)


def test_on_an_open_invoice_it_lowers_what_is_asked_for(shop):
    customer = shop.customer("pm_card_chargeCustomerFail").id
    subscription = shop.subscribe(1000, customer=customer)
    invoice = subscription.latest_invoice
    note = shop.client.v1.credit_notes.create({"invoice": invoice, "amount": 400})
    assert (note.type, note.pre_payment_amount) == ("pre_payment", 400)
    changed = shop.client.v1.invoices.retrieve(invoice)
    assert (changed.amount_remaining, changed.pre_payment_credit_notes_amount) == (600, 400)
    assert shop.payment(invoice).amount == 600
    shop.client.v1.credit_notes.create({"invoice": invoice, "amount": 600})
    assert shop.client.v1.invoices.retrieve(invoice).status == "paid"
