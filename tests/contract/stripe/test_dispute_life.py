"""Disputes of every kind, and what can become of them."""

import pytest
import stripe


@pytest.fixture
def charge(shop):
    return shop.paid(6000).latest_charge.id


def opened(shop, charge, kind="chargeback", **more):
    return shop.local("POST", "disputes", charge=charge, kind=kind, **more)["id"]


def settled(shop, dispute, outcome):
    return shop.local("POST", f"disputes/{dispute}", outcome=outcome)


def moves(shop, dispute):
    return [row.amount for row in shop.client.v1.disputes.retrieve(dispute).balance_transactions]


@pytest.mark.parametrize(
    ("kind", "status", "case", "refundable", "moved"),
    [
        ("inquiry", "warning_needs_response", "inquiry", True, []),
        ("chargeback", "needs_response", "chargeback", False, [-6000]),
        ("compliance", "needs_response", "compliance", False, [-6000]),
        ("lost", "lost", "chargeback", False, [-6000]),
        ("prevented", "prevented", "resolution", True, []),
        ("block", "prevented", "block", True, []),
    ],
)
def test_each_kind_begins_as_it_should(shop, charge, kind, status, case, refundable, moved):
    dispute = shop.client.v1.disputes.retrieve(opened(shop, charge, kind))
    assert dispute.status == status
    assert dispute.payment_method_details.card.case_type == case
    assert dispute.is_charge_refundable == refundable
    assert [row.amount for row in dispute.balance_transactions] == moved
    assert (dispute.evidence_details.due_by == 0) == (status in ("lost", "prevented"))
    assert shop.client.v1.charges.retrieve(charge).disputed == (status != "prevented")


def test_one_that_arrives_lost_is_told_closed_at_once(shop, charge):
    opened(shop, charge, "lost")
    kinds = [kind for kind in shop.kinds() if kind.startswith("charge.dispute.")]
    assert kinds == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


def test_a_part_and_then_another_part_of_one_charge(shop, charge):
    first, second = opened(shop, charge, amount=1000), opened(shop, charge, amount=2000)
    assert (moves(shop, first), moves(shop, second)) == ([-1000], [-2000])
    settled(shop, first, "won")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.create({"charge": charge, "amount": 500})
    assert caught.value.code == "charge_disputed"
    settled(shop, second, "won")
    assert shop.client.v1.refunds.create({"charge": charge, "amount": 500}).status == "succeeded"


def test_the_balance_may_be_in_another_currency(shop, charge):
    dispute = opened(shop, charge, settlement={"currency": "cad", "rate": "1.3985"})
    (row,) = shop.client.v1.disputes.retrieve(dispute).balance_transactions
    assert (row.amount, row.currency, row.fee, row.exchange_rate) == (-8391, "cad", 1500, 1.3985)
    settled(shop, dispute, "won")
    assert moves(shop, dispute) == [-8391, 8391]


def test_a_lost_one_can_be_won_late(shop, charge):
    dispute = opened(shop, charge)
    settled(shop, dispute, "lost")
    settled(shop, dispute, "won")
    assert moves(shop, dispute) == [-6000, 6000]
    assert len(shop.events("charge.dispute.closed")) == 2


@pytest.mark.parametrize(("outcome", "moved"), [("won", [-6000, 6000]), ("lost", [-6000])])
def test_an_appeal_goes_its_own_way(shop, charge, outcome, moved):
    dispute = opened(shop, charge)
    settled(shop, dispute, "lost")
    assert settled(shop, dispute, "appealed")["status"] == "appeal_needs_response"
    evidence = {"evidence": {"uncategorized_text": "See the log."}}
    answered = shop.client.v1.disputes.update(dispute, evidence)
    assert answered.status == "appeal_under_review"
    assert settled(shop, dispute, outcome)["status"] == outcome
    assert moves(shop, dispute) == moved


def test_an_inquiry_that_nobody_escalates_closes_after_120_days(shop, charge):
    dispute = opened(shop, charge, "inquiry")
    shop.wait(119 * 24 * 3600)
    assert shop.client.v1.disputes.retrieve(dispute).status == "warning_needs_response"
    shop.wait(2 * 24 * 3600)
    assert shop.client.v1.disputes.retrieve(dispute).status == "warning_closed"
    assert moves(shop, dispute) == []


@pytest.mark.parametrize(("setting", "status"), [("lost", "lost"), ("wait", "needs_response")])
def test_unanswered_it_is_lost_when_the_settings_say_so(shop, charge, setting, status):
    shop.local("POST", "settings", unanswered_disputes=setting)
    dispute = opened(shop, charge)
    shop.wait(30 * 24 * 3600)
    assert shop.client.v1.disputes.retrieve(dispute).status == status


@pytest.mark.parametrize(("outcome", "fees"), [("won", [-1500, 1500]), ("lost", [-1500])])
def test_countering_costs_a_fee_of_its_own_that_a_win_returns(shop, charge, outcome, fees):
    shop.local("POST", "settings", counter_fee=True)
    dispute = opened(shop, charge)
    shop.client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "No."}})
    settled(shop, dispute, outcome)
    rows = shop.client.v1.balance_transactions.list({"type": "adjustment"}).data[::-1]
    apart = [row for row in rows if row.description == "Stripe card dispute countered fee"]
    assert [row.amount for row in apart] == fees
    assert len(moves(shop, dispute)) == (2 if outcome == "won" else 1)


def test_without_the_setting_countering_costs_nothing(shop, charge):
    dispute = opened(shop, charge)
    shop.client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "No."}})
    assert len(shop.client.v1.balance_transactions.list({"type": "adjustment"}).data) == 1


def test_evidence_after_the_deadline_is_past_due(shop, charge):
    dispute = opened(shop, charge)
    shop.wait(30 * 24 * 3600)
    late = shop.client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "Late."}})
    assert late.evidence_details.past_due


@pytest.mark.parametrize("kind", ["prevented", "lost"])
def test_a_closed_one_takes_no_evidence(shop, charge, kind):
    dispute = opened(shop, charge, kind)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "x"}})
    assert caught.value.user_message == "This dispute is already closed"
    assert "cannot become escalated" in shop.refused(
        "POST", f"disputes/{dispute}", outcome="escalated"
    )


def test_a_test_card_brings_two_disputes_and_a_dispute_answers_a_warning(shop):
    customer = shop.customer("pm_card_createMultipleDisputes").id
    payment = shop.payment(shop.subscribe(1000, customer=customer).latest_invoice)
    assert len(shop.client.v1.disputes.list({"payment_intent": payment.id}).data) == 2
    charge = shop.paid(2000).latest_charge.id
    warning = shop.local("POST", "early_fraud_warnings", charge=charge)
    assert warning["actionable"]
    opened(shop, charge)
    assert not shop.client.v1.radar.early_fraud_warnings.retrieve(warning["id"]).actionable
