"""What the proof has found in our code: each bug as the shortest example that shows it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.client_keys import Answer
from shared.application.end_subscription import end_subscription
from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.application.reconcile import Report, reconcile
from shared.application.reconcile_lists import Scope as Reach
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import Dispute, DisputeOutcome
from shared.domain.effects import EffectKind, EffectStatus
from shared.domain.errors import OutcomeUnknownError, RefusedError
from shared.domain.invoice import PendingCharge
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundFacts, RefundOperation
from shared.domain.subscription import SubscriptionStatus
from tests.application.annual_plan import REFUND, confirm, quoted, refunded
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    YEAR_START,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
    subscription_facts,
)
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def sweep(services: FakeServices, *, days: int) -> None:
    for _ in range(days * 4):
        services.clock.advance(hours=6)
        services.run_due_work()
        services.run_effects()


def compared(services: FakeServices) -> Report:
    services.billing.now = services.clock.now()
    return reconcile(services, Reach(grace=timedelta(0), everyone=True), repair=False)


def test_the_same_call_beside_itself_has_one_answer(services: FakeServices) -> None:
    quote = quoted(services)["id"]
    twins: list[Answer] = []
    services.store.before_commit.append(lambda: twins.append(confirm(services, quote)))
    answer = confirm(services, quote)
    assert (answer.status, answer.body) == (202, twins[0].body)
    assert answer.replayed


def test_a_clock_behind_that_of_the_quote_loses_no_refund(services: FakeServices) -> None:
    quote = quoted(services)["id"]
    services.clock.advance(seconds=-2)
    answer = confirm(services, quote)
    assert answer.body["state"] == "executing"
    services.run_effects()
    assert refunded(services) == REFUND


@pytest.mark.parametrize(
    ("errors", "given_up_as"),
    [([RuntimeError("poison")] * 20, "needs_person"), ([RefusedError("no", "no")], "rejected")],
    ids=["without an outcome", "refused"],
)
def test_a_refund_that_was_given_up_and_failed_after_all_is_adopted(
    services: FakeServices, errors: list[Exception], given_up_as: str
) -> None:
    services.billing.fail_before["refund_payment"] = errors
    confirm(services, quoted(services)["id"])
    for _ in range(20):
        try_all(services)
        services.clock.advance(hours=25)
        services.run_due_work()
    (stored,) = services.store.all_of(RefundOperation, CUSTOMER)
    assert stored.record.status == given_up_as
    late = RefundFacts(
        id="re_late",
        payment=stored.record.payment,
        amount=REFUND,
        currency="usd",
        status="failed",
        failure="expired_or_canceled_card",
        operation=stored.record.id,
        operation_customer=CUSTOMER,
    )
    services.billing.refunds[late.id] = late
    assert refresh_refund(services, refund=late.id) == "failed"
    payment = services.store.get(Payment, CUSTOMER, stored.record.payment)
    assert payment is not None
    assert (payment.record.reserved, payment.record.refunded) == (0, 0)


def try_all(services: FakeServices) -> None:
    while services.waker.woken:
        customer, effect, _ = services.waker.woken.pop(0)
        try:
            perform_effect(services, customer=customer, effect_id=effect)
        except RuntimeError:
            count_failed_attempt(services, customer=customer, effect_id=effect)


def test_a_period_that_stripe_billed_before_it_heard_of_the_end_is_told(
    services: FakeServices,
) -> None:
    """Stripe could not be reached until its own clock had renewed what was cancelled in time."""
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"])
    services.waker.woken.clear()
    services.clock.instant = YEAR_END + timedelta(hours=5)
    renewed = subscription_facts(start=YEAR_END, end=YEAR_END + timedelta(days=365))
    renewed = replace(renewed, created_at=YEAR_START)
    services.billing.known_subscriptions[SUBSCRIPTION] = renewed
    services.billing.now = services.clock.now()
    sweep(services, days=1)
    at_stripe = services.billing.known_subscriptions[SUBSCRIPTION]
    assert at_stripe.status is SubscriptionStatus.ENDED
    found = [one.divergence.kind.value for one in compared(services).findings]
    assert found == ["billed_after_end"]
    services.clock.advance(days=10)
    assert compared(services).findings == []


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_refund_that_has_not_succeeded_is_no_divergence(
    services: FakeServices, status: str
) -> None:
    """Stripe takes its amount from the balance at once; the ledger has it once it has succeeded."""
    services.billing.refund_status = status
    confirm(services, quoted(services)["id"])
    services.run_effects()
    services.clock.advance(hours=2)
    assert compared(services).findings == []


def test_a_repeated_message_does_not_climb_the_ladder(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    (effect,) = services.effects(CUSTOMER, EffectKind.CANCEL_SUBSCRIPTION)
    services.billing.fail_before["cancel_now"] = [RuntimeError("down")]
    with pytest.raises(RuntimeError):
        perform_effect(services, customer=CUSTOMER, effect_id=effect.id)
    for _ in range(30):
        perform_effect(services, customer=CUSTOMER, effect_id=effect.id)
    (effect,) = services.effects(CUSTOMER, EffectKind.CANCEL_SUBSCRIPTION)
    assert (effect.status, effect.attempts) == (EffectStatus.SENT, 1)


def test_a_dashboard_refund_that_failed_unheard_is_not_taken_off_for_ever(
    services: FakeServices,
) -> None:
    """A quote has read it from Stripe; both of its events are lost."""
    services.billing.invoices["in_1"] = paid_invoice(refunded=1000)
    confirm(services, quoted(services)["id"])
    services.run_effects()
    made = RefundFacts(
        id="re_other",
        payment="pi_1",
        amount=1000,
        currency="usd",
        status="failed",
        failure="declined",
        operation=None,
        operation_customer=None,
        customer=CUSTOMER,
        created_at=services.clock.now(),
    )
    services.billing.refunds[made.id] = made
    services.billing.invoices["in_1"] = paid_invoice()
    services.clock.advance(hours=2)
    services.billing.now = services.clock.now()
    reconcile(services, Reach(grace=timedelta(0), everyone=True))
    (stored,) = services.store.all_of(Payment, CUSTOMER)
    assert stored.record.refunded == REFUND
    assert compared(services).findings == []


def test_a_charge_that_comes_back_after_another_cancellation_goes_again(
    services: FakeServices,
) -> None:
    """It is put back late, when the next cancellation has already looked for what to take away."""
    services.billing.charges["ii_1"] = pending_charge()
    first = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    services.run_effects()
    assert services.billing.charges == {}
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=first)
    late = [one for one in services.waker.woken if is_put_back(services, one[1])]
    services.waker.woken = [one for one in services.waker.woken if one not in late]
    services.run_effects()
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"], key="again")
    services.run_effects()
    services.waker.woken = late
    services.run_effects()
    assert services.billing.charges == {}


def pending_charge() -> PendingCharge:
    later = YEAR_END + timedelta(days=365)
    return PendingCharge("ii_1", SUBSCRIPTION, 500, "usd", "minutes", YEAR_END, later)


def is_put_back(services: FakeServices, effect: str) -> bool:
    return effect in {one.id for one in services.effects(CUSTOMER, EffectKind.ADD_CHARGE)}


def test_what_left_twice_is_less_once_the_refund_has_failed(services: FakeServices) -> None:
    services.billing.refund_status = "pending"
    confirm(services, quoted(services)["id"])
    services.run_effects()
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="charge.dispute.created")
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.exposure == REFUND
    (made,) = services.billing.refunds.values()
    services.billing.refunds[made.id] = replace(made, status="failed")
    refresh_refund(services, refund=made.id)
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.exposure == 0


def test_an_end_is_not_carried_out_before_its_time(services: FakeServices) -> None:
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"])
    services.clock.instant = YEAR_END - timedelta(seconds=1)
    assert not end_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    services.clock.advance(seconds=1)
    assert end_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)


def test_an_old_answer_moves_no_dispute_back(services: FakeServices) -> None:
    """Stripe's answers may overtake one another on their way."""
    for number, outcome in enumerate((DisputeOutcome.LOST, DisputeOutcome.UNDECIDED)):
        services.billing.disputes["du_1"] = chargeback(outcome=outcome)
        event = f"evt_{number}"
        handle_dispute(services, dispute="du_1", event=event, event_type="charge.dispute.updated")
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.outcome is DisputeOutcome.LOST


@pytest.mark.parametrize("call", ["finalize_draft", "void_invoice"])
def test_a_draft_for_later_is_void_though_an_error_hid_that_it_was_done(
    services: FakeServices, call: str
) -> None:
    """Stripe keeps a server error for a key, and refuses under another what it has done."""
    (line,) = paid_invoice().lines
    later = replace(line, period_start=YEAR_END, period_end=YEAR_END + timedelta(days=365))
    draft = replace(paid_invoice(), id="in_draft", status="draft", lines=(later,), payments=())
    services.billing.invoices[draft.id] = draft
    services.billing.fail_after[call] = [OutcomeUnknownError("500", sticky=True)]
    confirm(services, quoted(services)["id"])
    sweep(services, days=2)
    assert services.billing.invoices[draft.id].status == "void"
    ended = [*services.effects(CUSTOMER, EffectKind.FINALIZE_DRAFT)]
    ended += services.effects(CUSTOMER, EffectKind.VOID_INVOICE)
    assert {effect.status for effect in ended} == {EffectStatus.DONE}


def test_collection_of_what_has_ended_needs_no_start_and_nobody_is_called(
    services: FakeServices,
) -> None:
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="charge.dispute.created")
    services.run_effects()
    assert services.billing.paused == {SUBSCRIPTION}
    services.billing.cancel_now(SUBSCRIPTION)
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.WON)
    handle_dispute(services, dispute="du_1", event="evt_2", event_type="charge.dispute.closed")
    services.run_effects()
    (effect,) = services.effects(CUSTOMER, EffectKind.RESUME_COLLECTION)
    assert (effect.status, effect.result) == (EffectStatus.DONE, {"ended": True})


def test_a_renewal_that_was_collected_before_stripe_heard_of_the_end_calls_a_person(
    services: FakeServices,
) -> None:
    """Cancelled while the renewal was a draft, which no quote returns."""
    confirm(services, quoted(services)["id"])
    now = services.clock.now()
    services.billing.invoices["in_late"] = replace(
        paid_invoice(), id="in_late", paid_at=now + timedelta(hours=1), payments=()
    )
    services.clock.advance(days=1)
    services.run_due_work()
    services.run_effects()
    told = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [(one["what"], one["subject"]) for one in told] == [("billed_after_end", "in_late")]


def test_a_last_invoice_that_reaches_beyond_the_end_calls_a_person(services: FakeServices) -> None:
    """Stripe bills what is pending when the end comes; what was earned of it is not known to it."""
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"])
    services.run_effects()
    (line,) = paid_invoice().lines
    beyond = replace(line, period_end=YEAR_END + timedelta(days=30))
    last = replace(paid_invoice(), id="in_last", status="draft", lines=(beyond,), payments=())
    services.billing.invoices[last.id] = replace(last, collects=True)
    services.clock.instant = services.billing.now = YEAR_END
    services.run_due_work()
    services.run_effects()
    told = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [(one["what"], one["subject"]) for one in told] == [("billed_after_end", "in_last")]


def test_collection_of_what_has_ended_meanwhile_needs_no_stop(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="charge.dispute.created")
    (plan,) = services.effects(CUSTOMER, EffectKind.PLAN_COLLECTION)
    perform_effect(services, customer=CUSTOMER, effect_id=plan.id)
    services.billing.cancel_now(SUBSCRIPTION)
    services.run_effects()
    (effect,) = services.effects(CUSTOMER, EffectKind.PAUSE_COLLECTION)
    assert (effect.status, effect.result) == (EffectStatus.DONE, {"ended": True})
