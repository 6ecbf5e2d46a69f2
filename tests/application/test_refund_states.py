"""What is not refunded yet, or not documented, is shown as that and never as more."""

from dataclasses import replace
from typing import Any

import pytest

from shared.application.document_return import document_again
from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import perform_effect
from shared.domain.errors import (
    ConflictError,
    OutcomeUnknownError,
    RefusedError,
)
from shared.domain.payment import Payment
from tests.application.annual_plan import REFUND, confirm, quoted
from tests.application.builders import CUSTOMER, chargeback
from tests.application.replanning import (
    GONE,
    TRANSFER,
    agrees_with_stripe,
    becomes,
    books,
    cancelled,
    left,
    mails,
    replan,
    shown,
    two_payments,
)
from tests.fakes.services import FakeServices

# -- the credit note that Stripe refuses


def test_a_refused_credit_note_shows_both_facts_and_is_asked_for_again() -> None:
    services = two_payments()
    services.billing.fail_before["issue_credit_note"] = [RefusedError("400", "tax")]
    cancellation = cancelled(services)
    stuck = shown(services, cancellation)
    (refund,) = stuck["refunds"]
    assert stuck["state"] == "needs_person"
    assert (refund["status"], refund["credit_note"], refund["problem"]) == (
        "succeeded",
        None,
        "credit_note_refused",
    )
    ask_again(services, cancellation)
    assert shown(services, cancellation)["state"] == "executed"
    assert list(services.billing.credit_notes) == ["cn_0"]
    with pytest.raises(ConflictError):
        ask_again(services, cancellation)


def ask_again(services: FakeServices, cancellation: str) -> None:
    document_again(
        services,
        customer=CUSTOMER,
        promise=cancellation,
        invoice="in_1",
        reason="the tax rate is back",
        by="agent",
    )
    services.run_effects()


def test_a_credit_note_made_by_hand_under_our_name_is_taken_over() -> None:
    services = two_payments()
    services.billing.fail_before["issue_credit_note"] = [RefusedError("400", "tax")]
    cancellation = cancelled(services)
    services.billing.issue_credit_note(
        invoice="in_1",
        lines=[],
        refunds=[],
        credit=0,
        operation=f"{cancellation}:in_1",
        key="by hand",
    )
    ask_again(services, cancellation)
    done = shown(services, cancellation)
    assert (done["state"], done["refunds"][0]["credit_note"]) == ("executed", "cn_0")
    assert list(services.billing.credit_notes) == ["cn_0"]


# -- not refunded yet


def test_pending_and_requires_action_are_shown_as_such_and_nobody_is_told_refunded() -> None:
    services = two_payments()
    services.billing.refund_status = "pending"
    cancellation = cancelled(services)
    told = ["refund_pending"]
    assert mails(services) == told
    for status, mail in (
        ("requires_action", "refund_requires_action"),
        ("pending", None),
        ("requires_action", "refund_requires_action"),
    ):
        becomes(services, "re_0", status)
        told += [mail] if mail else []
        (refund,) = shown(services, cancellation)["refunds"]
        assert refund["status"] == status
        assert mails(services) == told
        assert books(services) == {}
        assert agrees_with_stripe(services)
    becomes(services, "re_0", "succeeded")
    assert mails(services) == [*told, "refund_issued"]
    assert shown(services, cancellation)["state"] == "executed"


def test_a_refund_that_is_called_off_for_want_of_bank_details_goes_to_a_person() -> None:
    services = two_payments()
    services.billing.refund_status = "requires_action"
    cancellation = cancelled(services)
    becomes(services, "re_0", "canceled")
    stuck = shown(services, cancellation)
    assert (stuck["state"], stuck["refunds"][0]["problem"]) == ("needs_person", "did_not_arrive")
    assert left(services, "pi_1") == 100000
    replan(services, stuck["refunds"][0]["id"], TRANSFER)
    assert shown(services, cancellation)["state"] == "executed"


@pytest.mark.parametrize("seen", ["failed", "pending", "requires_action", "succeeded"])
def test_what_comes_late_of_a_refund_without_an_outcome_is_taken_over(seen: str) -> None:
    services = two_payments()
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")] * 100
    services.billing.fail_before["refunds_of"] = [OutcomeUnknownError("cut")] * 1000
    cancellation = cancelled(services)
    for _ in range(24 * 8):
        services.clock.advance(hours=1)
        services.run_due_work()
        services.run_effects()
    assert shown(services, cancellation)["refunds"][0]["status"] == "needs_person"
    services.billing.fail_before.clear()
    becomes(services, "re_0", seen, GONE if seen == "failed" else None)
    (refund,) = shown(services, cancellation)["refunds"]
    assert refund["status"] == seen
    stored = services.store.get(Payment, CUSTOMER, "pi_1")
    assert stored is not None
    held = REFUND if seen in ("pending", "requires_action") else 0
    assert stored.record.reserved == held


def test_a_refund_that_may_still_be_executing_is_not_called_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cut off, then its payment is disputed; Stripe carries the first request out after all."""
    services = two_payments()
    cancellation: str = confirm(services, quoted(services)["id"]).body["id"]
    late: list[Any] = []
    send = services.billing.refund_payment

    def cut(**asked: Any) -> None:
        late.append(lambda: send(**asked))
        raise OutcomeUnknownError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(services.billing, "refund_payment", cut)
        while not late:
            customer, effect, _ = services.waker.woken.pop(0)
            perform_effect(services, customer=customer, effect_id=effect)
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    services.run_effects()
    (refund,) = shown(services, cancellation)["refunds"]
    # Called refused, a person would pay it another way, and it would be out twice.
    assert (refund["status"], refund["problem"]) == ("reserved", None)
    late.pop()()
    services.clock.advance(minutes=16)
    services.run_due_work()
    services.run_effects()
    (refund,) = shown(services, cancellation)["refunds"]
    assert (refund["status"], refund["stripe_refund"]) == ("succeeded", "re_0")


# -- the bank's reference, which comes days later


def test_a_reference_that_comes_late_is_shown_and_told_once() -> None:
    services = two_payments()
    cancellation = cancelled(services)
    assert mails(services) == ["refund_issued"]
    for _ in range(2):
        seen = services.billing.refunds["re_0"]
        services.billing.refunds["re_0"] = replace(seen, bank_reference="74000000000000000000001")
        becomes(services, "re_0", "succeeded")
    (refund,) = shown(services, cancellation)["refunds"]
    assert refund["bank_reference"] == "74000000000000000000001"
    assert mails(services) == ["refund_issued", "refund_reference"]
    assert "74000000000000000000001" in services.mailer.sent[-1]["text"]
    assert agrees_with_stripe(services)


def test_a_reference_that_comes_with_the_money_is_told_in_the_same_mail() -> None:
    services = two_payments()
    services.billing.refund_status = "pending"
    cancelled(services)
    seen = services.billing.refunds["re_0"]
    services.billing.refunds["re_0"] = replace(seen, bank_reference="4711")
    becomes(services, "re_0", "pending")
    assert mails(services) == ["refund_pending"]
    becomes(services, "re_0", "succeeded")
    assert mails(services) == ["refund_pending", "refund_issued"]
    assert "Bank's reference: 4711" in services.mailer.sent[-1]["text"]
