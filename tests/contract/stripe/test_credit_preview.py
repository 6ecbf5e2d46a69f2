"""Previews agree with what creating does; discounts, several payments, voiding."""

from typing import Any

import pytest
import stripe


@pytest.fixture
def invoice(shop):
    """A paid invoice of 2000 at half price, with 10 % tax on top."""
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    rate = shop.client.v1.tax_rates.create(
        {"display_name": "VAT", "percentage": 10, "inclusive": False}
    ).id
    made = shop.subscribe(2000, discounts=[{"coupon": coupon}], default_tax_rates=[rate])
    return shop.client.v1.invoices.retrieve(made.latest_invoice)


def line_of(invoice: Any, **more: Any) -> Any:
    line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id}
    return {"invoice": invoice.id, "lines": [{**line, **more}]}


FIGURES = ("total", "subtotal", "discount_amount", "total_excluding_tax", "post_payment_amount")


def figures(note: Any) -> Any:
    return {name: note[name] for name in FIGURES}


def test_a_preview_is_what_creating_makes_and_changes_nothing(shop, invoice):
    params = {**line_of(invoice, amount=1000), "credit_amount": 550}
    seen = len(shop.kinds())
    preview = shop.client.v1.credit_notes.preview(params)
    assert figures(preview) == {
        "total": 550,
        "subtotal": 1000,
        "discount_amount": 500,
        "total_excluding_tax": 500,
        "post_payment_amount": 550,
    }
    assert len(shop.kinds()) == seen
    assert shop.client.v1.credit_notes.list().data == []
    lines = shop.client.v1.credit_notes.preview_lines.list(params).data
    assert [(line.amount, line.discount_amount) for line in lines] == [(1000, 500)]
    made = shop.client.v1.credit_notes.create(params)
    assert figures(made) == figures(preview)
    assert made.number == preview.number
    assert shop.client.v1.customers.retrieve(invoice.customer).balance == -550


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"amount": 1101, "credit_amount": 1101}, id="too much"),
        pytest.param({"amount": 100, "credit_amount": 99}, id="does not add up"),
        pytest.param({"amount": 100, "refunds": [{"refund": "re_absent"}]}, id="no such refund"),
        pytest.param({}, id="neither amount nor lines"),
    ],
)
def test_a_preview_refuses_what_creating_refuses(shop, invoice, wrong):
    said = []
    for act in (shop.client.v1.credit_notes.preview, shop.client.v1.credit_notes.create):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            act({"invoice": invoice.id, **wrong})
        said.append((caught.value.http_status, caught.value.user_message, caught.value.param))
    assert said[0] == said[1]


def test_a_preview_with_a_linked_refund_agrees_too(shop, invoice):
    payment = shop.payment(invoice.id)
    refund = shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": 550})
    params = {
        **line_of(invoice, amount=1000),
        "refunds": [{"refund": refund.id, "amount_refunded": 550}],
    }
    preview = shop.client.v1.credit_notes.preview(params)
    assert figures(preview) == figures(shop.client.v1.credit_notes.create(params))
    assert preview.refunds[0].refund == refund.id


def test_a_line_is_credited_once_however_many_notes_do_it(shop, invoice):
    params = {**line_of(invoice, amount=1500), "credit_amount": 825}
    shop.client.v1.credit_notes.create(params)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.credit_notes.create({**line_of(invoice, amount=501), "credit_amount": 275})
    assert caught.value.param == "lines[0][amount]"


def open_invoice(shop: Any, amount: int) -> Any:
    customer = shop.customer().id
    shop.client.v1.invoice_items.create({"customer": customer, "amount": amount, "currency": "usd"})
    made = shop.client.v1.invoices.create(
        {"customer": customer, "pending_invoice_items_behavior": "include"}
    )
    return shop.client.v1.invoices.finalize_invoice(made.id)


def paid_in_parts(shop: Any, *amounts: int) -> Any:
    invoice = open_invoice(shop, sum(amounts))
    for amount in amounts:
        intent = shop.client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
            }
        )
        shop.client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    return shop.client.v1.invoices.retrieve(invoice.id)


def test_several_payments_are_refunded_one_by_one_and_linked(shop):
    invoice = paid_in_parts(shop, 600, 400)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.credit_notes.create(
            {"invoice": invoice.id, "amount": 700, "refund_amount": 700}
        )
    assert caught.value.param == "refund_amount"
    rows = shop.client.v1.invoice_payments.list({"invoice": invoice.id, "status": "paid"}).data
    refunds = [
        shop.client.v1.refunds.create(
            {"payment_intent": row.payment.payment_intent, "amount": row.amount_paid // 2}
        )
        for row in rows
    ]
    note = shop.client.v1.credit_notes.create(
        {
            "invoice": invoice.id,
            "amount": 500,
            "refunds": [{"refund": one.id, "amount_refunded": one.amount} for one in refunds],
        }
    )
    assert sorted(link.amount_refunded for link in note.refunds) == [200, 300]
    after = shop.client.v1.invoices.retrieve(invoice.id)
    assert after.post_payment_credit_notes_amount == 500


def test_a_part_paid_invoice_loses_its_debt_first(shop):
    invoice = open_invoice(shop, 1000)
    intent = shop.client.v1.payment_intents.create(
        {"amount": 600, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    shop.client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intent.id})
    params = {"invoice": invoice.id, "amount": 700, "refund_amount": 300}
    preview = shop.client.v1.credit_notes.preview(params)
    note = shop.client.v1.credit_notes.create(params)
    for one in (preview, note):
        assert (one.pre_payment_amount, one.post_payment_amount, one.type) == (400, 300, "mixed")
    after = shop.client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_remaining, after.amount_paid) == ("paid", 0, 600)
    assert shop.client.v1.charges.retrieve(intent.latest_charge).amount_refunded == 300


def test_a_void_note_lets_the_invoice_ask_again(shop):
    invoice = open_invoice(shop, 1000)
    note = shop.client.v1.credit_notes.create({"invoice": invoice.id, "amount": 400})
    assert shop.client.v1.invoices.retrieve(invoice.id).amount_remaining == 600
    assert shop.client.v1.credit_notes.void_credit_note(note.id).status == "void"
    after = shop.client.v1.invoices.retrieve(invoice.id)
    assert (after.amount_remaining, after.pre_payment_credit_notes_amount) == (1000, 0)
    assert len(shop.events("credit_note.voided")) == 1
    assert shop.client.v1.invoices.pay(invoice.id).amount_paid == 1000
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.credit_notes.void_credit_note(note.id)


def test_a_disputed_payment_cannot_be_refunded_by_a_note(shop, invoice):
    charge = shop.payment(invoice.id).latest_charge.id
    shop.local("POST", "disputes", charge=charge, kind="chargeback")
    for act in (shop.client.v1.credit_notes.preview, shop.client.v1.credit_notes.create):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            act({"invoice": invoice.id, "amount": 100, "refund_amount": 100})
        assert caught.value.code == "charge_disputed"


def test_what_was_paid_elsewhere_goes_back_elsewhere(shop):
    invoice = open_invoice(shop, 1000)
    shop.client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.credit_notes.create(
            {"invoice": invoice.id, "amount": 300, "refund_amount": 300}
        )
    note = shop.client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 300, "out_of_band_amount": 300}
    )
    assert (note.out_of_band_amount, note.refunds) == (300, [])
