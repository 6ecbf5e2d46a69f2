"""Reconciliation over the fakes: lives that went well agree, lives with lost events are mended."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.application import reconcile_lists
from shared.application.adopt_refund import refresh_refund
from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import UNASSIGNED, handle_dispute
from shared.application.perform_effect import perform_effect
from shared.application.quote_cancellation import quote_cancellation
from shared.application.reconcile import Outcome, Report, reconcile
from shared.application.reconcile_lists import Scope
from shared.application.show_account import check_access, show_account
from shared.domain.account import Account
from shared.domain.cancellation import Timing
from shared.domain.dispute import Dispute, DisputeOutcome
from shared.domain.effects import EffectKind
from shared.domain.errors import OutcomeUnknownError, UnavailableError
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import ChangeFacts, DivergenceKind, MovementFacts
from shared.domain.refund_operation import RefundFacts, RefundOperation, RefundStatus
from shared.domain.subscription import SubscriptionStatus
from shared.ports import Put
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    chargeback,
    services_with_annual_plan,
    subscription_facts,
)
from tests.fakes.services import FakeServices

Kind = DivergenceKind
MUTATIONS = ("refund_payment", "issue_credit_note", "cancel_now", "add_charge")


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def confirm(services: FakeServices) -> str:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    cancellation: str = answer.body["id"]
    return cancellation


def run(services: FakeServices, **scope: Any) -> Report:
    """The daily run, two hours later; it makes no change at Stripe, whatever it finds."""
    services.clock.advance(hours=2)
    before = len(services.billing.calls)
    report = reconcile(services, Scope(everyone=True, **scope))
    assert services.billing.calls[before:] == []
    return report


def found(report: Report) -> dict[tuple[str, str], Outcome]:
    kinds = [(one.divergence.kind.value, one.divergence.subject) for one in report.findings]
    assert len(kinds) == len(set(kinds))
    return dict(zip(kinds, [one.outcome for one in report.findings], strict=True))


def dashboard_refund(services: FakeServices, **change: Any) -> None:
    refund = RefundFacts(
        id="re_dash",
        payment="pi_1",
        amount=3_000,
        currency="usd",
        status="succeeded",
        failure=None,
        operation=None,
        operation_customer=None,
        customer=CUSTOMER,
        created_at=services.clock.now(),
    )
    services.billing.refunds["re_dash"] = replace(refund, **change)


def test_a_life_that_went_well_agrees_to_the_cent(services: FakeServices) -> None:
    dashboard_refund(services)
    refresh_refund(services, refund="re_dash")
    confirm(services)
    services.run_effects()
    report = run(services)
    assert (found(report), report.compared, report.busy) == ({}, 1, 0)
    (day,) = report.cleared.values()
    assert day.stripe < -3_000
    assert day.rest == 0


def test_at_no_moment_of_a_life_is_anything_false(services: FakeServices) -> None:
    """After each step, at once: what is under way is not taken for a divergence."""
    confirm(services)
    steps = 0
    while services.waker.woken:
        report = reconcile(services, Scope(everyone=True))
        assert (found(report), report.busy) == ({}, 1)
        customer, effect, _ = services.waker.woken.pop(0)
        perform_effect(services, customer=customer, effect_id=effect)
        steps += 1
    assert steps > 3


def test_a_lost_success_is_adopted_and_the_case_goes_on(services: FakeServices) -> None:
    """The call's answer was lost, and so was every event; an hour later the effect waits still."""
    services.billing.refund_status = "pending"
    confirm(services)
    services.run_effects()
    (name,) = services.billing.refunds
    pending = services.billing.refunds[name]
    services.billing.refunds[name] = replace(pending, status="succeeded")
    report = run(services)
    assert found(report) == {(Kind.REFUND_EVENT_MISSED, name): Outcome.REPAIRED}
    services.run_effects()
    assert len(services.billing.credit_notes) == 1
    assert found(run(services)) == {}


def test_a_dashboard_refund_is_adopted(services: FakeServices) -> None:
    dashboard_refund(services)
    report = run(services)
    assert found(report) == {(Kind.REFUND_UNKNOWN_HERE, "re_dash"): Outcome.REPAIRED}
    (day,) = report.cleared.values()
    assert (day.stripe, day.rest) == (-3_000, 0), "cleared as it stands after the repair"
    assert found(run(services)) == {}


def test_a_failure_weeks_later_is_found_by_the_money_that_came_back(
    services: FakeServices,
) -> None:
    """The refund itself is older than the lists; its return is a movement of yesterday."""
    dashboard_refund(services)
    refresh_refund(services, refund="re_dash")
    services.clock.advance(days=40)
    failed = replace(services.billing.refunds["re_dash"], status="failed")
    services.billing.refunds["re_dash"] = failed
    services.billing.moved["txn_refund_failure_re_dash"] = MovementFacts(
        "txn_back", "re_dash", "refund_failure", 3_000, "usd", services.clock.now()
    )
    report = run(services)
    assert found(report) == {(Kind.REFUND_EVENT_MISSED, "re_dash"): Outcome.REPAIRED}
    stored = services.store.get(Payment, CUSTOMER, "pi_1")
    assert stored is not None
    assert stored.record.refunded == 0


def test_a_chargeback_that_nobody_told_us_of_suspends_now(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = chargeback()
    assert found(run(services)) == {(Kind.DISPUTE_UNKNOWN_HERE, "du_1"): Outcome.REPAIRED}
    assert not check_access(services, customer=CUSTOMER)["entitled"]
    services.run_effects()
    assert found(run(services)) == {}


def test_a_chargeback_heard_of_only_once_won_leaves_the_fee_alone(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.WON)
    assert found(run(services)) == {(Kind.DISPUTE_UNKNOWN_HERE, "du_1"): Outcome.REPAIRED}
    shown = show_account(services, customer=CUSTOMER)
    assert shown["balances"] == []
    services.run_effects()
    assert (services.mailer.sent, services.bus.published) == ([], [])
    assert found(run(services)) == {}


def test_a_lost_dispute_is_booked_when_its_event_was_missed(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    services.run_effects()
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    assert found(run(services)) == {(Kind.DISPUTE_PHASE_DIFFERS, "du_1"): Outcome.REPAIRED}
    shown = show_account(services, customer=CUSTOMER)
    assert shown["balances"] == [{"currency": "usd", "owed": 121500, "in_dispute": 0}]


def test_a_dispute_of_nobody_waits_for_a_person_and_is_known(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = replace(chargeback(), customer=None)
    report = run(services)
    assert found(report) == {(Kind.DISPUTE_UNKNOWN_HERE, "du_1"): Outcome.REPAIRED}
    assert services.store.get(Dispute, UNASSIGNED, "du_1") is not None
    assert found(run(services)) == {}
    services.billing.disputes["du_1"] = replace(
        chargeback(outcome=DisputeOutcome.LOST), customer=None
    )
    assert found(run(services)) == {(Kind.DISPUTE_PHASE_DIFFERS, "du_1"): Outcome.REPAIRED}
    assert found(run(services)) == {}


def test_subscriptions_follow_stripe(services: FakeServices) -> None:
    billing = services.billing
    ended = subscription_facts(status=SubscriptionStatus.ENDED)
    billing.known_subscriptions[SUBSCRIPTION] = replace(ended, ended_at=services.clock.now())
    other = replace(subscription_facts(), id="sub_new", customer="cus_new")
    billing.known_subscriptions["sub_new"] = other
    assert found(run(services)) == {
        (Kind.SUBSCRIPTION_STATUS_DIFFERS, SUBSCRIPTION): Outcome.REPAIRED,
        (Kind.SUBSCRIPTION_UNKNOWN_HERE, "sub_new"): Outcome.REPAIRED,
    }
    assert check_access(services, customer="cus_new")["entitled"]
    services.run_effects()
    assert found(run(services)) == {}


def test_what_no_normal_path_mends_is_for_a_person(services: FakeServices) -> None:
    confirm(services)
    services.run_effects()
    (stored,) = services.store.all_of(RefundOperation, CUSTOMER)
    services.billing.refunds.clear()
    services.billing.credit_notes.clear()
    assert found(run(services)) == {
        (Kind.REFUND_UNKNOWN_AT_STRIPE, "re_0"): Outcome.NEEDS_PERSON,
        (Kind.CREDIT_NOTE_MISSING, stored.record.id): Outcome.NEEDS_PERSON,
    }


def test_an_end_that_is_ours_is_not_overwritten(services: FakeServices) -> None:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.AT_PERIOD_END
    )
    call = ClientCall("r", "k", quote["id"])
    cancel_subscription(services, customer=CUSTOMER, request=ConfirmQuote(quote["id"]), call=call)
    services.run_effects()
    services.billing.set_cancel_at_period_end(SUBSCRIPTION, cancel=False, key="dashboard")
    before = check_access(services, customer=CUSTOMER)
    assert found(run(services)) == {
        (Kind.SUBSCRIPTION_END_DIFFERS, SUBSCRIPTION): Outcome.NEEDS_PERSON
    }
    assert check_access(services, customer=CUSTOMER) == before


def test_a_lost_wake_up_is_made_good(services: FakeServices) -> None:
    confirm(services)
    services.waker.woken.clear()
    (effect,) = services.effects(CUSTOMER, EffectKind.CANCEL_SUBSCRIPTION)
    services.clock.advance(hours=1)
    report = run(services)
    assert found(report)[Kind.EFFECT_STUCK, effect.id] is Outcome.REPAIRED
    assert (CUSTOMER, effect.id, 0) in services.waker.woken


def test_a_look_repairs_nothing(services: FakeServices) -> None:
    dashboard_refund(services)
    services.clock.advance(hours=2)
    before = dict(services.store.table)
    report = reconcile(services, Scope(everyone=True), repair=False)
    assert found(report) == {(Kind.REFUND_UNKNOWN_HERE, "re_dash"): Outcome.NEEDS_PERSON}
    assert services.store.table == before


def test_a_repair_that_changes_nothing_is_for_a_person(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list shows a refund that, asked for, is not there (any more)."""
    dashboard_refund(services)
    monkeypatch.setattr(services.billing, "refund", lambda _refund: None)
    (finding,) = run(services).findings
    assert finding.outcome is Outcome.NEEDS_PERSON
    assert finding.note


def test_one_customer_that_cannot_be_read_holds_nobody_up(services: FakeServices) -> None:
    dashboard_refund(services)
    broken = ("CUST#cus_broken", "PAYMENT#pi_9")
    services.store.table[broken] = {"pk": broken[0], "sk": broken[1], "version": 1}
    other = replace(subscription_facts(), id="sub_9", customer="cus_broken")
    services.billing.known_subscriptions["sub_9"] = other
    report = run(services)
    assert [customer for customer, _ in report.unread] == ["cus_broken"]
    assert found(report) == {(Kind.REFUND_UNKNOWN_HERE, "re_dash"): Outcome.REPAIRED}


def test_what_has_an_event_of_just_now_is_left_to_that_event(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = chargeback()
    event = ChangeFacts("evt_1", "du_1", services.clock.now() + timedelta(hours=2))
    services.billing.changed.append(event)
    assert found(run(services)) == {}
    assert found(run(services)) == {(Kind.DISPUTE_UNKNOWN_HERE, "du_1"): Outcome.REPAIRED}


def test_customers_are_found_without_being_looked_for(services: FakeServices) -> None:
    """Not their turn today: a difference in the list, a movement and due work each lead to them."""
    for number in range(14):
        name = f"cus_{number}"
        facts = replace(subscription_facts(), id=f"sub_{number}", customer=name)
        services.billing.known_subscriptions[facts.id] = facts
    services.clock.advance(hours=2)
    first = reconcile(services)
    assert Counter(one.divergence.kind for one in first.findings) == {
        Kind.SUBSCRIPTION_UNKNOWN_HERE: 14
    }
    services.clock.advance(hours=2)
    second = reconcile(services)
    assert 0 < second.compared < 14, "a share of those that agree, every day another"
    compared = second.compared
    for _ in range(reconcile_lists.TURNS - 1):
        services.clock.advance(days=1)
        compared += reconcile(services).compared
    assert compared == 15, "everybody once a week"


def test_requests_are_paced_and_counted(services: FakeServices) -> None:
    for number in range(20):
        facts = replace(subscription_facts(), id=f"sub_{number}")
        services.billing.known_subscriptions[facts.id] = facts
    report = run(services, requests_per_second=4)
    assert report.requests > 10
    assert services.clock.waited == pytest.approx(report.requests / 4)


@pytest.mark.parametrize("error", [UnavailableError("429"), OutcomeUnknownError("cut")])
def test_a_reading_that_fails_is_done_again(services: FakeServices, error: Exception) -> None:
    dashboard_refund(services)
    services.billing.fail_before["page"] = [error, error]
    assert found(run(services)) == {(Kind.REFUND_UNKNOWN_HERE, "re_dash"): Outcome.REPAIRED}


def test_progress_is_told(services: FakeServices) -> None:
    told: list[str] = []
    reconcile(services, Scope(everyone=True), progress=told.append)
    assert told == ["0 refunds", "0 disputes", "0 credit notes", "0 movements", "1 subscriptions"]


def test_records_that_disagree_among_themselves_are_shown(services: FakeServices) -> None:
    confirm(services)
    services.run_effects()
    store = services.store
    payment = store.get(Payment, CUSTOMER, "pi_1")
    account = store.get(Account, CUSTOMER)
    (entry,) = store.all_of(LedgerEntry, CUSTOMER)
    assert payment is not None
    assert account is not None
    twice = replace(entry.record, id="entered-twice")
    store.commit([Put(replace(payment.record, reserved=1), payment.version), Put(twice, 0)])
    assert found(run(services)) == {
        (Kind.RESERVATION_UNEXPLAINED, "pi_1"): Outcome.NEEDS_PERSON,
        (Kind.LEDGER_DIFFERS, "re_0"): Outcome.NEEDS_PERSON,
    }
    (stored,) = store.all_of(RefundOperation, CUSTOMER)
    assert stored.record.status is RefundStatus.SUCCEEDED
