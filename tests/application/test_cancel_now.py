"""Cancel now with a pro-rata refund, against fakes of every port."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import Answer, ClientCall
from shared.application.perform_effect import (
    Performed,
    count_failed_attempt,
    perform_effect,
)
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_account import check_access
from shared.application.show_cancellation import show_cancellation
from shared.domain.cancellation import Timing
from shared.domain.effects import EffectKind, EffectStatus
from shared.domain.errors import (
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.records import Quote
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices

REFUND = 97479  # 1,200.00 × 593/730, half up


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def quoted(services: FakeServices, timing: Timing = Timing.IMMEDIATELY) -> dict[str, Any]:
    return quote_cancellation(services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=timing)


def confirm(services: FakeServices, quote_id: str, key: str = "key-1") -> Answer:
    call = ClientCall("POST /v1/cancellations", key, quote_id)
    return cancel_subscription(
        services, customer=CUSTOMER, request=ConfirmQuote(quote_id), call=call
    )


def refunded(services: FakeServices) -> int:
    return sum(refund.amount for refund in services.billing.refunds.values())


def test_the_quote_shows_what_comes_back_and_when_access_ends(services: FakeServices) -> None:
    shown = quoted(services)["quote"]
    assert (shown["outcome"], shown["total"], shown["currency"]) == ("granted", REFUND, "usd")
    assert shown["lines"][0]["fraction"] == "593/730"
    assert shown["cancellation"]["access_until"] == "2026-03-10T12:00:00Z"


def test_the_case_is_stored_so_that_the_decision_can_be_recomputed(services: FakeServices) -> None:
    shown = quoted(services)
    stored = services.store.get(Quote, CUSTOMER, shown["id"])
    assert stored is not None
    case = json.loads(stored.record.case)
    assert case["invoices"][0]["lines"][0]["amount"] == 120000
    assert json.loads(stored.record.document) == shown["quote"]


def test_confirming_executes_exactly_the_quote(services: FakeServices) -> None:
    answer = confirm(services, quoted(services)["id"])
    assert (answer.status, answer.body["state"]) == (202, "executing")
    services.run_effects()
    done = show_cancellation(services, customer=CUSTOMER, cancellation=answer.body["id"])
    assert done["state"] == "executed"
    assert [r["status"] for r in done["refunds"]] == ["succeeded"]
    assert done["refunds"][0]["credit_note"] == "cn_0"
    assert refunded(services) == REFUND


def test_access_is_off_with_the_commit_before_any_effect_has_run(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    assert check_access(services, customer=CUSTOMER)["entitled"] is False


def test_money_moves_only_after_stripe_has_cancelled(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    order = [name for name, _ in services.billing.calls]
    assert (
        order.index("cancel_now") < order.index("refund_payment") < order.index("issue_credit_note")
    )


def test_the_credit_note_links_the_refund_and_credits_the_line(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    (note,) = services.billing.credit_notes.values()
    assert note["refunds"] == [("re_0", REFUND)]
    assert [(line.invoice_line, line.amount) for line in note["lines"]] == [("il_1", REFUND)]


def test_tax_is_returned_on_its_own_and_credited_to_its_rate() -> None:
    services = services_with_annual_plan(tax=22800)
    shown = quoted(services)
    # 228.00 of tax × 593/730 = 185.21 (18521.09…), half up
    assert (shown["quote"]["amount"], shown["quote"]["tax"]) == (REFUND, 18521)
    confirm(services, shown["id"])
    services.run_effects()
    (note,) = services.billing.credit_notes.values()
    assert [tax.amount for line in note["lines"] for tax in line.taxes] == [18521]
    assert refunded(services) == REFUND + 18521


def test_customer_and_company_are_told_once(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    assert sorted(m["template"] for m in services.mailer.sent) == [
        "refund_issued",
        "subscription_ended",
    ]
    assert sorted(name for name, _ in services.bus.published) == [
        "RefundIssued",
        "SubscriptionEnded",
    ]


def test_the_ledger_has_the_refund_once(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    entries = [stored.record for stored in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert [(e.what, e.amount, e.currency) for e in entries] == [("refund", REFUND, "usd")]


def test_the_payment_holds_the_reservation_until_the_refund_is_out(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    held = services.store.get(Payment, CUSTOMER, "pi_1")
    assert held is not None
    assert held.record.reserved == REFUND
    services.run_effects()
    settled = services.store.get(Payment, CUSTOMER, "pi_1")
    assert settled is not None
    assert (settled.record.reserved, settled.record.refunded) == (0, REFUND)


def test_the_same_key_replays_the_first_answer(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    first = confirm(services, quote_id)
    again = confirm(services, quote_id)
    assert (again.body, again.replayed) == (first.body, True)
    services.run_effects()
    assert refunded(services) == REFUND


def test_the_same_key_with_another_body_is_refused(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    call = ClientCall("POST /v1/cancellations", "key-1", "another body")
    with pytest.raises(ConflictError) as refusal:
        cancel_subscription(services, customer=CUSTOMER, request=ConfirmQuote("x"), call=call)
    assert refusal.value.slug == "idempotency-mismatch"


def test_a_used_quote_is_refused_and_names_its_cancellation(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    first = confirm(services, quote_id)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id, key="key-2")
    assert refusal.value.slug == "quote-used"
    assert refusal.value.members["cancellation"] == first.body["id"]


def test_an_expired_quote_is_refused_with_new_figures(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.clock.advance(minutes=15)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id)
    assert refusal.value.slug == "quote-expired"
    fresh = refusal.value.members["quote"]
    assert fresh["id"] != quote_id
    assert fresh["quote"]["total"] < REFUND
    assert confirm(services, fresh["id"]).status == 202


def test_a_quote_is_good_to_its_last_second(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.clock.advance(minutes=14, seconds=59)
    answer = confirm(services, quote_id)
    services.run_effects()
    assert answer.body["refunds"][0]["amount"] == REFUND


def test_a_changed_fact_is_refused_with_new_figures(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    services.billing.invoices["in_1"] = paid_invoice(refunded=50000)
    with pytest.raises(ConflictError) as refusal:
        confirm(services, quote_id)
    assert refusal.value.slug == "facts-changed"
    assert refusal.value.members["quote"]["quote"]["total"] == 70000
    assert services.billing.calls == []


def test_anothers_quote_and_an_absent_one_look_alike(services: FakeServices) -> None:
    quote_id = quoted(services)["id"]
    answers = []
    for customer, quote in (("cus_eve", quote_id), (CUSTOMER, "q_absent")):
        call = ClientCall("POST /v1/cancellations", "key", "body")
        with pytest.raises(NotFoundError) as refusal:
            cancel_subscription(services, customer=customer, request=ConfirmQuote(quote), call=call)
        answers.append((refusal.value.slug, refusal.value.detail))
    assert answers[0] == answers[1]


def test_cancelling_twice_is_refused(services: FakeServices) -> None:
    confirm(services, quoted(services)["id"])
    services.run_effects()
    with pytest.raises(ConflictError) as refusal:
        quoted(services)
    assert refusal.value.slug == "already-canceled"


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


def test_a_rejected_refund_that_a_person_makes_at_stripe_completes_the_record(
    services: FakeServices,
) -> None:
    services.billing.fail_before["refund_payment"] = [RefusedError("400", "no")]
    answer = confirm(services, quoted(services)["id"])
    services.run_effects()
    operation = answer.body["refunds"][0]["id"]
    services.billing.refund_payment(
        payment="pi_1", amount=REFUND, operation=operation, customer=CUSTOMER, key="by hand"
    )
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
