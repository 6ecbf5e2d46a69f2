"""Clauses that decide no refund: their parameters are in the packs and reach who needs them."""

from datetime import UTC, datetime

import pytest

from shared.adapters.policy_files import load_policy
from shared.domain.clauses import (
    ContestRule,
    CostsRule,
    Duty,
    Event,
    NonPaymentRule,
    SubmitBy,
    ViolationRule,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def duty(pack: str, clause: str) -> Duty:
    found = [c for c in load_policy(pack, NOW).clauses if isinstance(c, Duty) and c.id == clause]
    assert len(found) == 1
    return found[0]


@pytest.mark.clause("voip.violation")
@pytest.mark.clause("rtc.chargeback_suspend")
@pytest.mark.parametrize(
    ("pack", "clause"), [("voip", "voip.violation"), ("rtc", "rtc.chargeback_suspend")]
)
def test_a_chargeback_suspends_and_what_is_lost_becomes_owed(pack: str, clause: str) -> None:
    consequences = load_policy(pack, NOW).dispute_consequences

    assert consequences.clause == clause
    assert consequences.suspend
    assert consequences.block_refunds
    assert consequences.stop_collection
    assert consequences.amount_becomes_owed_when_lost
    assert consequences.fees_become_owed_when_lost
    # What was paid after a loss lifts nothing by itself: these policies do not say so.
    assert not consequences.reinstate_when_paid


@pytest.mark.parametrize("pack", ["itservices", "moneyback"])
def test_a_pack_that_says_nothing_of_chargebacks_leads_to_nothing(pack: str) -> None:
    consequences = load_policy(pack, NOW).dispute_consequences

    assert consequences.clause == ""
    assert not consequences.suspend


@pytest.mark.clause("rtc.intake")
def test_a_request_by_mail_names_the_invoice_in_its_subject() -> None:
    intake = duty("rtc", "rtc.intake")

    assert intake.subject == "Refund Request: {invoice}"
    assert intake.channels == {"email", "portal"}


@pytest.mark.clause("itservices.request")
@pytest.mark.clause("moneyback.intake")
@pytest.mark.parametrize(
    ("pack", "clause"), [("itservices", "itservices.request"), ("moneyback", "moneyback.intake")]
)
def test_requests_come_by_mail_or_phone(pack: str, clause: str) -> None:
    assert duty(pack, clause).channels == {"email", "phone", "portal"}


@pytest.mark.clause("voip.activation")
def test_activation_is_told_by_mail() -> None:
    assert duty("voip", "voip.activation").channels == {"email"}


@pytest.mark.clause("rtc.chargeback_contest")
def test_chargebacks_are_contested_by_a_person_in_good_time() -> None:
    rule = load_policy("rtc", NOW).rule(ContestRule)

    assert rule is not None
    assert (rule.submit, rule.margin_hours, rule.remind_days) == (SubmitBy.PERSON, 48, (5, 3))
    assert (
        rule.disclosed == "It is shown before the first payment and linked in every invoice mail."
    )


@pytest.mark.clause("rtc.chargeback_costs")
def test_what_contesting_costs_is_the_customers_once_it_is_lost() -> None:
    rule = load_policy("rtc", NOW).rule(CostsRule)

    assert rule is not None
    assert rule.owed_when_lost


@pytest.mark.clause("voip.violation")
def test_who_does_not_pay_has_the_grace_of_the_policy() -> None:
    rule = load_policy("voip", NOW).rule(NonPaymentRule)

    assert rule is not None
    assert rule.remind_after_days == (3, 10)
    assert (rule.suspend_after_days, rule.cancel_after_days) == (14, 30)


@pytest.mark.clause("voip.violation")
def test_who_breaks_the_terms_is_suspended_or_cancelled() -> None:
    rule = load_policy("voip", NOW).rule(ViolationRule)

    assert rule is not None
    assert rule.suspend
    assert rule.stop_collection
    assert rule.cancel_without_refund


@pytest.mark.clause("rtc.policy_change")
def test_changes_are_notified_a_week_ahead() -> None:
    change = duty("rtc", "rtc.policy_change")

    assert (change.on, change.days) == (Event.POLICY_CHANGE, 7)
    assert change.channels == {"email"}


@pytest.mark.clause("itservices.policy_change")
def test_the_it_firm_announces_nothing_but_its_terms_change() -> None:
    assert duty("itservices", "itservices.policy_change").on is Event.POLICY_CHANGE
