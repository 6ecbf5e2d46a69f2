"""What was decided meanwhile counts for an effect that comes late."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.judge_dispute import Judgement, judge_dispute
from shared.application.perform_effect import perform_effect
from shared.application.replan_refund import replan_refund
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import Dispute, DisputeKind, DisputeOutcome
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import OutcomeUnknownError
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundFacts, RefundOperation
from tests.application import test_evidence
from tests.application.annual_plan import REFUND, confirm, quoted, refunded
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.application.case_life import APPROVER
from tests.application.replanning import CREDIT, GONE, becomes, mails, shown
from tests.application.test_found_by_proof import pending_charge
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def dispute(services: FakeServices, outcome: DisputeOutcome, event: str) -> None:
    services.billing.disputes["du_1"] = chargeback(outcome=outcome)
    handle_dispute(services, dispute="du_1", event=event, event_type="t")


def perform(services: FakeServices, kind: EffectKind) -> Effect:
    (effect,) = services.effects(CUSTOMER, kind)
    perform_effect(services, customer=CUSTOMER, effect_id=effect.id)
    (effect,) = services.effects(CUSTOMER, kind)
    return effect


def test_an_invoice_is_not_held_once_the_chargeback_is_won(services: FakeServices) -> None:
    services.billing.invoices["in_open"] = replace(paid_invoice(), id="in_open", status="open")
    dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
    perform(services, EffectKind.PLAN_COLLECTION)
    dispute(services, DisputeOutcome.WON, "evt_2")
    late = perform(services, EffectKind.HOLD_INVOICE)
    assert late.result == {"skipped": "the account does not stop collection"}
    assert services.billing.held == set()


def test_a_credit_in_place_of_a_refund_counts_beside_a_chargeback(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    (refund,) = services.billing.refunds.values()
    becomes(services, refund.id, "failed", GONE)
    asked = {"customer": CUSTOMER, "refund": refund.operation or ""}
    replan_refund(services, **asked, plan=CREDIT, by="agent")
    give = services.billing.give_account_credit

    def beside(**given: Any) -> str:
        entry = give(**given)
        dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
        return entry

    monkeypatch.setattr(services.billing, "give_account_credit", beside)
    services.run_effects()
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.exposure == REFUND


def test_a_charge_that_is_taken_away_beside_the_take_back_is_put_back(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.billing.charges["ii_1"] = pending_charge()
    asked = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    perform(services, EffectKind.SWEEP_CHARGES)
    remove = services.billing.remove_charge

    def beside(charge: str) -> None:
        remove(charge)
        withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)

    monkeypatch.setattr(services.billing, "remove_charge", beside)
    services.run_effects()
    assert [charge.amount for charge in services.billing.charges.values()] == [500]


def test_what_left_twice_is_less_once_a_refund_has_come_back(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
    (refund,) = services.billing.refunds.values()
    exposed = [services.store.all_of(Dispute, CUSTOMER)[0].record.exposure]
    becomes(services, refund.id, "failed", GONE)
    exposed.append(services.store.all_of(Dispute, CUSTOMER)[0].record.exposure)
    assert exposed == [REFUND, 0]


def test_an_inquiry_that_was_given_up_is_not_given_up_as_a_chargeback(
    services: FakeServices,
) -> None:
    test_evidence.see(services, kind=DisputeKind.INQUIRY)
    call = ClientCall("r", "k", "b")
    judge_dispute(services, CUSTOMER, ("du_1", Judgement.ACCEPT), APPROVER, call)
    later = test_evidence.DUE + timedelta(days=9)
    test_evidence.see(services, 2, kind=DisputeKind.CHARGEBACK, respond_by=later)
    late = perform(services, EffectKind.ACCEPT_DISPUTE)
    assert late.result == {"skipped": "it is preparing"}
    assert services.billing.called("accept_dispute") == []


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_a_refund_that_is_taken_beside_a_chargeback_may_have_left_twice(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    services.billing.refund_status = status
    confirm(services, quoted(services)["id"])
    refund = services.billing.refund_payment

    def beside(**made: Any) -> RefundFacts:
        dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
        return refund(**made)

    monkeypatch.setattr(services.billing, "refund_payment", beside)
    services.run_effects()
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.exposure == REFUND
    told = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [one["what"] for one in told] == ["double_loss"]


def test_a_refund_that_fails_while_its_success_is_adopted_stays_failed(
    services: FakeServices,
) -> None:
    confirm(services, quoted(services)["id"])
    services.billing.refund_status = "pending"
    services.run_effects()
    (refund,) = services.billing.refunds.values()
    services.billing.refunds[refund.id] = replace(refund, status="succeeded")

    def beside() -> None:
        services.billing.refunds[refund.id] = replace(refund, status="failed", failure=GONE)
        refresh_refund(services, refund=refund.id)

    services.store.before_commit.append(beside)
    assert refresh_refund(services, refund=refund.id) == "failed"
    services.run_effects()
    assert mails(services) == ["refund_pending", "refund_failed"]


def test_a_charge_is_left_alone_once_the_cancellation_is_taken_back(
    services: FakeServices,
) -> None:
    services.billing.charges["ii_1"] = pending_charge()
    asked = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    perform(services, EffectKind.SWEEP_CHARGES)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)
    services.run_effects()
    assert list(services.billing.charges) == ["ii_1"]


def test_an_end_that_is_set_after_its_take_back_is_unset(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    change = services.billing.set_cancel_at_period_end

    def beside(subscription: str, **how: Any) -> None:
        monkeypatch.undo()
        withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)
        perform(services, EffectKind.UNSCHEDULE_CANCELLATION)
        change(subscription, **how)

    monkeypatch.setattr(services.billing, "set_cancel_at_period_end", beside)
    services.run_effects()
    assert services.billing.known_subscriptions[SUBSCRIPTION].cancels_at is None


def test_a_take_back_that_comes_late_leaves_the_next_cancellation_alone(
    services: FakeServices,
) -> None:
    asked = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    services.run_effects()
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)
    late, services.waker.woken = services.waker.woken, []
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"], key="again")
    services.run_effects()
    services.waker.woken = late
    services.run_effects()
    assert services.billing.known_subscriptions[SUBSCRIPTION].cancels_at == YEAR_END


def test_what_somebody_else_ends_in_the_same_moment_is_refunded(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = confirm(services, quoted(services)["id"]).body["id"]
    cancel = services.billing.cancel_now

    def beside(subscription: str) -> None:
        cancel(subscription)
        cancel(subscription)

    monkeypatch.setattr(services.billing, "cancel_now", beside)
    services.run_effects()
    assert (shown(services, asked)["state"], refunded(services)) == ("executed", REFUND)


def test_collection_is_not_stopped_once_the_chargeback_is_won(services: FakeServices) -> None:
    dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
    perform(services, EffectKind.PLAN_COLLECTION)
    services.waker.woken.clear()
    dispute(services, DisputeOutcome.WON, "evt_2")
    services.run_effects()
    perform(services, EffectKind.PAUSE_COLLECTION)
    assert services.billing.paused == set()


def test_collection_does_not_go_on_once_there_is_another_chargeback(
    services: FakeServices,
) -> None:
    services.billing.invoices["in_open"] = replace(paid_invoice(), id="in_open", status="open")
    dispute(services, DisputeOutcome.UNDECIDED, "evt_1")
    services.run_effects()
    dispute(services, DisputeOutcome.WON, "evt_2")
    go_on = services.effects(CUSTOMER, EffectKind.PLAN_COLLECTION)[-1]
    perform_effect(services, customer=CUSTOMER, effect_id=go_on.id)
    services.waker.woken.clear()
    services.billing.disputes["du_2"] = replace(chargeback(), id="du_2")
    handle_dispute(services, dispute="du_2", event="evt_3", event_type="t")
    services.run_effects()
    perform(services, EffectKind.RESUME_COLLECTION)
    perform(services, EffectKind.RELEASE_INVOICE)
    assert services.billing.paused == {SUBSCRIPTION}
    assert services.billing.held == {"in_open"}


def judged(services: FakeServices, judgement: Judgement) -> None:
    judge_dispute(services, CUSTOMER, ("du_1", judgement), APPROVER, ClientCall("r", "k", "b"))


def test_what_is_approved_before_it_is_staged_is_submitted_as_soon_as_it_is(
    services: FakeServices,
) -> None:
    services.billing.stories["ch_1"] = test_evidence.STORY
    test_evidence.see(services)
    perform(services, EffectKind.PREPARE_EVIDENCE)
    judged(services, Judgement.CONTEST)
    services.run_effects()
    assert len(test_evidence.sent(services, submit=True)) == 1


def test_evidence_for_what_is_given_up_meanwhile_stays_here(services: FakeServices) -> None:
    services.billing.stories["ch_1"] = test_evidence.STORY
    test_evidence.see(services)
    perform(services, EffectKind.PREPARE_EVIDENCE)
    judged(services, Judgement.ACCEPT)
    services.run_effects()
    assert services.billing.called("send_evidence") == []


def test_a_dispute_that_was_given_up_unheard_is_not_given_up_again(
    services: FakeServices,
) -> None:
    test_evidence.see(services)
    services.billing.fail_after["accept_dispute"] = [OutcomeUnknownError("500", sticky=True)]
    judged(services, Judgement.ACCEPT)
    services.run_effects()
    for _ in range(3):
        services.clock.advance(hours=1)
        services.run_due_work()
    assert perform(services, EffectKind.ACCEPT_DISPUTE).status == "done"
    assert len(services.billing.called("accept_dispute")) == 1


def test_an_event_between_two_readings_is_no_missing_reservation(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made under the first key is told of while the second attempt looks what it is."""
    confirm(services, quoted(services)["id"])
    perform(services, EffectKind.CANCEL_SUBSCRIPTION)
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")]
    perform(services, EffectKind.REFUND_PAYMENT)
    services.clock.advance(minutes=3)
    read = services.store.get

    def told(kind: type[Any], *key: str) -> Any:
        found = read(kind, *key)
        if kind in (Payment, RefundOperation):
            monkeypatch.setattr(services.store, "get", read)
            refresh_refund(services, refund="re_0")
        return found

    monkeypatch.setattr(services.store, "get", told)
    late = perform(services, EffectKind.REFUND_PAYMENT)
    assert late.result == {"skipped": "its outcome has come by an event"}
    assert len(services.billing.called("refund_payment")) == 1
