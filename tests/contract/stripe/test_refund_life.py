"""What becomes of a refund after the answer."""

import pytest
import stripe


@pytest.fixture
def refund(shop):
    """Makes a refund of 400 on a payment of 1000 by a test card, or moves one on."""

    def make(method="pm_card_visa"):
        customer = shop.customer(method).id
        payment = shop.payment(shop.subscribe(1000, customer=customer).latest_invoice)
        return shop.client.v1.refunds.create({"payment_intent": payment.id, "amount": 400})

    return make


def again(shop, refund):
    return shop.client.v1.refunds.retrieve(
        refund.id, {"expand": ["charge", "failure_balance_transaction"]}
    )


def test_a_refund_that_succeeded_fails_later_and_the_money_comes_back(shop, refund):
    made = refund("pm_card_refundFail")
    assert (made.status, made.to_dict().get("failure_reason")) == ("succeeded", None)
    shop.wait(10)
    failed = again(shop, made)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    returned = failed.failure_balance_transaction
    assert (returned.type, returned.amount, returned.net) == ("refund_failure", 400, 400)
    assert (failed.charge.amount_refunded, failed.charge.refunded) == (0, False)
    kinds = shop.kinds()
    assert kinds[kinds.index("refund.failed") :] == [
        "refund.failed",
        "refund.updated",
        "charge.refund.updated",
    ]
    previous = shop.events("charge.refund.updated")[0].data.previous_attributes
    assert previous.to_dict() == {
        "status": "succeeded",
        "failure_reason": None,
        "failure_balance_transaction": None,
    }


def test_after_a_failure_the_amount_can_be_refunded_again(shop, refund):
    made = refund("pm_card_refundFail")
    shop.wait(10)
    second = shop.client.v1.refunds.create({"charge": made.charge, "amount": 1000})
    assert second.amount == 1000


def test_the_balance_is_what_its_transactions_add_up_to(shop, refund):
    refund()
    fee = 29 + 30
    pending = shop.client.v1.balance.retrieve().pending
    assert [(part.amount, part.currency) for part in pending] == [(1000 - fee - 400, "usd")]
    shop.wait(3 * 24 * 3600)
    balance = shop.client.v1.balance.retrieve()
    assert ([part.amount for part in balance.available], balance.pending) == ([541], [])


def test_a_pending_refund_counts_and_succeeds_later(shop, refund):
    made = refund("pm_card_pendingRefund")
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert shop.client.v1.charges.retrieve(made.charge).amount_refunded == 400
    shop.wait(10)
    done = again(shop, made)
    assert (done.status, done.pending_reason) == ("succeeded", None)
    previous = shop.events("refund.updated")[0].data.previous_attributes.to_dict()
    assert previous == {"status": "pending", "pending_reason": "processing"}


def test_the_banks_reference_arrives_later_and_is_told_twice(shop, refund):
    made = refund()
    assert made.destination_details.card.reference_status == "pending"
    shop.wait(2 * 24 * 3600)
    done = again(shop, made)
    assert done.destination_details.card.reference_status == "available"
    assert len(shop.events("refund.updated")) == len(shop.events("charge.refund.updated")) == 1


def test_a_refund_that_waits_for_the_customer_can_be_canceled_or_expire(shop, refund):
    for act, status in (("cancel", "canceled"), ("expire", "failed")):
        made = refund("pm_card_pendingRefund")
        shop.local("POST", f"refunds/{made.id}", status="requires_action")
        if act == "cancel":
            shop.client.v1.refunds.cancel(made.id)
        else:
            shop.client.v1.test_helpers.refunds.expire(made.id)
        shop.wait(10)
        done = again(shop, made)
        assert (done.status, done.charge.amount_refunded) == (status, 0)


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_pendingRefund"])
def test_no_other_refund_can_be_canceled(shop, refund, method):
    made = refund(method)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.cancel(made.id)
    assert caught.value.user_message == "Canceling this refund is unsupported."


def test_what_cannot_become_is_refused(shop, refund):
    made = refund()
    message = shop.refused("POST", f"refunds/{made.id}", status="pending")
    assert message == "a refund that is succeeded cannot become pending"


@pytest.mark.parametrize("fails", [True, False], ids=["fails", "stays"])
def test_a_refund_during_an_inquiry_may_or_may_not_outlive_its_escalation(shop, refund, fails):
    made = refund()
    inquiry = shop.local("POST", "disputes", charge=made.charge, kind="inquiry")
    during = shop.client.v1.refunds.create({"charge": made.charge, "amount": 100})
    shop.local("POST", f"disputes/{inquiry['id']}", outcome="escalated", refunds_fail=fails)
    status = "failed" if fails else "succeeded"
    assert again(shop, during).status == status
    reason = "charge_for_pending_refund_disputed" if fails else None
    assert again(shop, during).to_dict().get("failure_reason") == reason


def test_a_full_refund_answers_an_early_fraud_warning(shop):
    customer = shop.customer("pm_card_createIssuerFraudRecord").id
    payment = shop.payment(shop.subscribe(1000, customer=customer).latest_invoice)
    warning = shop.client.v1.radar.early_fraud_warnings.list({"payment_intent": payment.id}).data[0]
    assert warning.actionable
    shop.client.v1.refunds.create({"payment_intent": payment.id})
    assert not shop.client.v1.radar.early_fraud_warnings.retrieve(warning.id).actionable
    assert len(shop.events("radar.early_fraud_warning.updated")) == 1
