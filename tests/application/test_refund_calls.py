"""One refund, whatever its call answers, and whoever hears of it late."""

from dataclasses import replace

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.perform_effect import (
    PERFORMERS,
    Performed,
    count_failed_attempt,
    perform_effect,
)
from shared.application.show_cancellation import show_cancellation
from shared.domain.effects import EffectKind, EffectStatus
from shared.domain.errors import (
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from tests.application.annual_plan import REFUND, confirm, quoted, refunded
from tests.application.builders import (
    CUSTOMER,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


@pytest.mark.parametrize(
    "fault",
    [
        OutcomeUnknownError("cut"),
        UnavailableError("429"),
        OutcomeUnknownError("500", sticky=True),
    ],
    ids=["answer cut after the commit", "throttled", "server error"],
)
@pytest.mark.parametrize("moment", ["fail_before", "fail_after"])
@pytest.mark.parametrize("method", ["cancel_now", "refund_payment", "issue_credit_note"])
def test_one_refund_whatever_a_call_answers(
    services: FakeServices, method: str, moment: str, fault: Exception
) -> None:
    getattr(services.billing, moment)[method] = [fault]
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    sweep(services)
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"
    assert refunded(services) == REFUND
    assert len(services.billing.credit_notes) == 1


def sweep(services: FakeServices) -> None:
    """A few hours of the schedule, ten minutes apart."""
    for _ in range(30):
        services.clock.advance(minutes=10)
        services.run_due_work()
        services.run_effects()


def test_a_key_that_stripe_has_forgotten_is_never_sent_again(services: FakeServices) -> None:
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")]
    confirm(services, quoted(services)["id"])
    while not services.billing.called("refund_payment"):
        customer, effect, _ = services.waker.woken.pop(0)
        perform_effect(services, customer=customer, effect_id=effect)
    services.waker.woken.clear()
    services.billing.forget_keys()
    services.clock.advance(days=3)
    (effect_record,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    assert effect_record.status is EffectStatus.SENT
    outcome = perform_effect(services, customer=CUSTOMER, effect_id=effect_record.id)
    assert outcome is Performed.DONE
    assert refunded(services) == REFUND
    assert len(services.billing.called("refund_payment")) == 1


def test_a_look_up_that_finds_nothing_allows_one_new_key(services: FakeServices) -> None:
    services.billing.fail_before["refund_payment"] = [OutcomeUnknownError("500", sticky=True)]
    confirm(services, quoted(services)["id"])
    services.run_effects()
    sweep(services)
    keys = [call["key"] for call in services.billing.called("refund_payment")]
    assert [key.rpartition(":")[2] for key in keys] == ["1", "2"]
    assert refunded(services) == REFUND


def test_a_refused_refund_gives_the_reservation_back_and_calls_a_person(
    services: FakeServices,
) -> None:
    services.billing.fail_before["refund_payment"] = [RefusedError("charge_disputed", "400")]
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert (done["state"], done["refunds"][0]["status"]) == ("needs_person", "rejected")
    payment = services.store.get(Payment, CUSTOMER, "pi_1")
    assert payment is not None
    assert payment.record.reserved == 0


def test_a_refusal_caused_by_our_own_earlier_success_is_no_refusal(services: FakeServices) -> None:
    services.billing.fail_after["refund_payment"] = [RefusedError("charge_already_refunded", "400")]
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"


def test_lost_messages_are_found_by_the_sweeper(services: FakeServices) -> None:
    services.waker.fail_next = [UnavailableError("queue")] * 3
    answer = confirm(services, quoted(services)["id"])
    assert services.waker.woken == []
    sweep(services)
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"


def test_a_pending_refund_is_shown_as_pending_and_documented_once_it_has_succeeded(
    services: FakeServices,
) -> None:
    services.billing.refund_status = "pending"
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    shown = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert shown["refunds"][0]["status"] == "pending"
    assert services.billing.credit_notes == {}
    services.billing.refunds["re_0"] = replace(services.billing.refunds["re_0"], status="succeeded")
    for _ in range(2):
        refresh_refund(services, refund="re_0")
    services.run_effects()
    shown = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert shown["state"] == "executed"
    assert len(services.billing.credit_notes) == 1


def test_an_event_that_overtakes_the_answer_changes_nothing_twice(services: FakeServices) -> None:
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")]
    confirm(services, quoted(services)["id"])
    while not services.billing.refunds:
        customer, effect, _ = services.waker.woken.pop(0)
        perform_effect(services, customer=customer, effect_id=effect)
    refresh_refund(services, refund="re_0")
    services.run_effects()
    entries = services.store.all_of(LedgerEntry, CUSTOMER)
    assert len(entries) == 1
    assert len(services.billing.credit_notes) == 1


def test_a_refund_without_an_outcome_ends_with_a_person_and_keeps_its_reservation(
    services: FakeServices,
) -> None:
    services.billing.fail_before["refund_payment"] = [OutcomeUnknownError("cut")] * 100
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    sweep_days(services)
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert (done["state"], done["refunds"][0]["status"]) == ("needs_person", "needs_person")
    payment = services.store.get(Payment, CUSTOMER, "pi_1")
    assert payment is not None
    assert payment.record.reserved == REFUND
    assert services.store.due(services.clock.now(), limit=50) == []


def sweep_days(services: FakeServices) -> None:
    for _ in range(24 * 10):
        services.clock.advance(hours=1)
        services.run_due_work()
        services.run_effects()


def test_a_late_success_settles_what_was_handed_to_a_person(services: FakeServices) -> None:
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")] * 100
    services.billing.fail_before["refunds_of"] = [UnavailableError("429")] * 100
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    sweep_days(services)
    assert [r.id for r in services.billing.refunds.values()] == ["re_0"]
    refresh_refund(services, refund="re_0")
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert (done["state"], done["refunds"][0]["status"]) == ("executed", "succeeded")
    assert refunded(services) == REFUND


@pytest.mark.parametrize("first", ["succeeded", "pending"])
def test_a_rejected_refund_that_a_person_makes_at_stripe_completes_the_record(
    services: FakeServices, first: str
) -> None:
    services.billing.fail_before["refund_payment"] = [RefusedError("400", "no")]
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    operation = answer.body["refunds"][0]["id"]
    services.billing.refund_payment(
        payment="pi_1", amount=REFUND, operation=operation, customer=CUSTOMER, key="by hand"
    )
    for status in (first, "succeeded"):
        made = services.billing.refunds["re_0"]
        services.billing.refunds["re_0"] = replace(made, status=status)
        refresh_refund(services, refund="re_0")
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert (done["state"], done["refunds"][0]["status"]) == ("executed", "succeeded")
    payment = services.store.get(Payment, CUSTOMER, "pi_1")
    assert payment is not None
    assert (payment.record.reserved, payment.record.refunded) == (0, REFUND)


def test_a_poisoned_effect_comes_back_ever_later_and_ends_with_a_person(
    services: FakeServices,
) -> None:
    confirm(services, quoted(services)["id"])
    customer, effect_id, _ = services.waker.woken.pop(0)
    waits = []
    for _ in range(20):
        services.billing.fail_before["subscription"] = [ZeroDivisionError("a bug")]
        try:
            outcome = perform_effect(services, customer=customer, effect_id=effect_id)
        except ZeroDivisionError:
            count_failed_attempt(services, customer=customer, effect_id=effect_id)
            (effect,) = services.effects(CUSTOMER, EffectKind.CANCEL_SUBSCRIPTION)
            waits.append(effect.next_attempt_at - services.clock.now())
            services.clock.instant = effect.next_attempt_at
        else:
            break
    assert outcome is Performed.NEEDS_PERSON
    assert waits == sorted(waits)
    assert len(waits) < 12


@pytest.mark.parametrize("first", ["pending", "succeeded"])
def test_a_refund_that_fails_late_is_told_and_frees_the_cap(
    services: FakeServices, first: str
) -> None:
    services.billing.refund_status = first
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    services.clock.advance(days=20)
    services.billing.refunds["re_0"] = replace(
        services.billing.refunds["re_0"], status="failed", failure="expired_or_canceled_card"
    )
    for _ in range(2):
        refresh_refund(services, refund="re_0")
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert (done["state"], done["refunds"][0]["status"]) == ("needs_person", "failed")
    payment = services.store.get(Payment, CUSTOMER, "pi_1")
    assert payment is not None
    assert payment.record.left() == 120000
    assert [m["template"] for m in services.mailer.sent].count("refund_failed") == 1
    assert [name for name, _ in services.bus.published].count("RefundFailed") == 1
    entries = [stored.record for stored in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert sum(e.amount if e.what == "refund" else -e.amount for e in entries) == 0


def test_a_look_up_finds_the_refund_of_its_own_operation_alone(services: FakeServices) -> None:
    services.billing.refund_payment(
        payment="pi_1", amount=1, operation="another", customer=CUSTOMER, key="another"
    )
    confirm(services, quoted(services)["id"])
    services.run_effects()
    (effect,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    found = PERFORMERS[effect.kind].look_up(services, effect)
    assert found is not None
    assert found["operation"] == effect.params["refund"]
