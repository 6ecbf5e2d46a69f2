"""What was decided meanwhile counts for an effect that comes late."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.judge_dispute import Judgement, judge_dispute
from shared.application.perform_effect import perform_effect
from shared.application.replan_refund import replan_refund
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import Dispute, DisputeKind, DisputeOutcome
from shared.domain.effects import Effect, EffectKind
from tests.application import test_evidence
from tests.application.annual_plan import REFUND, confirm, quoted
from tests.application.builders import (
    CUSTOMER,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.application.case_life import APPROVER
from tests.application.replanning import CREDIT, GONE, becomes
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
