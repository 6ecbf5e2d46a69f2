"""Refunds and their refusals."""

from typing import Any

import pytest
import stripe


def refusal(shop, **params) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.create(params)
    return caught.value


def test_a_refund_is_settled_at_once_with_its_balance_transaction(shop):
    payment = shop.paid(12000)
    refund = shop.client.v1.refunds.create(
        {
            "payment_intent": payment.id,
            "amount": 4000,
            "reason": "requested_by_customer",
            "metadata": {"refund": "1"},
            "expand": ["balance_transaction", "charge"],
        }
    )
    assert (refund.status, refund.amount, refund.metadata["refund"]) == ("succeeded", 4000, "1")
    assert (refund.balance_transaction.amount, refund.balance_transaction.fee) == (-4000, 0)
    assert refund.balance_transaction.type == "refund"
    assert (refund.charge.amount_refunded, refund.charge.refunded) == (4000, False)
    assert shop.kinds()[-2:] == ["refund.created", "charge.refunded"]
    previous = shop.events("charge.refunded")[0].data.previous_attributes
    assert previous["amount_refunded"] == 0


def test_without_an_amount_all_that_remains_is_refunded(shop):
    payment = shop.paid(1000)
    shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": 300})
    refund = shop.client.v1.refunds.create({"charge": payment.latest_charge.id})
    assert refund.amount == 700
    assert shop.client.v1.charges.retrieve(payment.latest_charge.id).refunded
    listed = shop.client.v1.refunds.list({"payment_intent": payment.id}).data
    assert [row.amount for row in listed] == [700, 300]


def test_more_than_remains_is_refused_without_a_code(shop):
    payment = shop.paid(10000)
    shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": 7000})
    error = refusal(shop, payment_intent=payment.id, amount=4000)
    assert (error.http_status, error.param, error.code) == (400, "amount", None)
    assert error.user_message == (
        "Refund amount ($40.00) is greater than unrefunded amount on charge ($30.00)"
    )


def test_yen_have_no_minor_unit_in_the_text(shop):
    subscription = shop.subscribe(5000, currency="jpy")
    payment = shop.payment(subscription.latest_invoice)
    error = refusal(shop, payment_intent=payment.id, amount=6000)
    assert "(¥6,000) is greater than unrefunded amount on charge (¥5,000)" in error.user_message


def test_a_refunded_charge_is_refused(shop):
    payment = shop.paid()
    shop.client.v1.refunds.create({"payment_intent": payment.id})
    error = refusal(shop, payment_intent=payment.id, amount=1)
    assert error.code == "charge_already_refunded"
    assert error.user_message == f"Charge {payment.latest_charge.id} has already been refunded."


def test_a_charged_back_charge_is_refused(shop):
    charge = shop.paid().latest_charge.id
    shop.local("POST", "disputes", charge=charge, kind="chargeback")
    error = refusal(shop, charge=charge)
    assert error.code == "charge_disputed"
    assert error.user_message == f"Charge {charge} has been charged back; cannot issue a refund."


def test_during_an_inquiry_a_refund_works(shop):
    charge = shop.paid().latest_charge.id
    shop.local("POST", "disputes", charge=charge, kind="inquiry")
    assert shop.client.v1.refunds.create({"charge": charge}).status == "succeeded"


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_must_be_positive(shop, amount):
    error = refusal(shop, payment_intent="pi_x", amount=amount)
    assert error.code == "parameter_invalid_integer"
    assert error.user_message == "This value must be greater than or equal to 1."


def test_one_of_the_two_ids_is_needed(shop):
    assert refusal(shop, amount=5).user_message == (
        "One of the following params should be provided for this request: payment_intent or charge."
    )


def test_an_unknown_charge_is_a_404_for_its_id(shop):
    error = refusal(shop, charge="ch_x")
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")


def test_a_failed_payment_has_nothing_to_refund(shop):
    customer = shop.customer("pm_card_chargeCustomerFail")
    subscription = shop.subscribe(1000, customer=customer.id)
    payment = shop.payment(subscription.latest_invoice)
    assert refusal(shop, payment_intent=payment.id).user_message == (
        f"This PaymentIntent ({payment.id}) does not have a successful charge to refund."
    )


def test_a_succeeded_refund_cannot_be_canceled(shop):
    refund = shop.client.v1.refunds.create({"payment_intent": shop.paid().id})
    with pytest.raises(stripe.InvalidRequestError, match="Canceling this refund is unsupported"):
        shop.client.v1.refunds.cancel(refund.id)


def test_metadata_merges_and_is_told_as_an_update(shop):
    payment = shop.paid()
    refund = shop.client.v1.refunds.create(
        {"payment_intent": payment.id, "metadata": {"a": "1", "b": "2"}}
    )
    refund = shop.client.v1.refunds.update(refund.id, {"metadata": {"a": "", "c": "3"}})
    assert refund.metadata.to_dict() == {"b": "2", "c": "3"}
    previous = shop.events("refund.updated")[0].data.previous_attributes.to_dict()
    assert previous == {"metadata": {"a": "1", "c": None}}
