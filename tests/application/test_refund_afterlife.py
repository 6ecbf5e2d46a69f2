"""A refund that did not get through: shown, replanned by a person, documented by one note."""

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.replan_refund import Replan
from shared.domain.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
)
from shared.domain.ledger import Book
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundWay
from shared.ports import Put
from tests.application.annual_plan import REFUND
from tests.application.builders import CUSTOMER
from tests.application.replanning import (
    CREDIT,
    GONE,
    TRANSFER,
    agrees_with_stripe,
    becomes,
    books,
    cancelled,
    failed_late,
    left,
    mails,
    replan,
    shown,
    to,
    two_payments,
)

WAYS = [
    pytest.param(to("pi_2"), Book.REFUNDED, "refund_issued", id="another payment"),
    pytest.param(CREDIT, Book.CREDITED, "refund_by_account_credit", id="account credit"),
    pytest.param(TRANSFER, Book.TRANSFERRED, "refund_by_out_of_band", id="out of band"),
]


@pytest.mark.parametrize(("plan", "book", "mail"), WAYS)
def test_the_money_goes_another_way_against_the_same_credit_note(
    plan: Replan, book: Book, mail: str
) -> None:
    services = two_payments()
    cancellation, refund = failed_late(services)
    assert books(services) == {}
    made = replan(services, refund, plan)
    done = shown(services, cancellation)
    first, second = done["refunds"]
    assert done["state"] == "executed"
    assert (first["status"], first["replaced_by"], first["problem"]) == ("failed", made, None)
    assert (second["status"], second["replaces"]) == ("succeeded", refund)
    assert first["credit_note"] == second["credit_note"] == "cn_0"
    assert list(services.billing.credit_notes) == ["cn_0"]
    assert books(services) == {Book.PAID: -REFUND, book: REFUND}
    assert mails(services) == ["refund_issued", "refund_failed", mail]
    assert [name for name, _ in services.bus.published].count("RefundReplanned") == 1
    # What has gone back is free on no payment any more.
    payment = plan.payment or "pi_1"
    assert left(services, payment) == (120000 if payment == "pi_2" else 100000) - REFUND
    assert agrees_with_stripe(services)


@pytest.mark.parametrize(("plan", "book", "mail"), WAYS)
def test_one_that_never_succeeded_is_documented_once_it_went_another_way(
    plan: Replan, book: Book, mail: str
) -> None:
    services = two_payments()
    services.billing.refund_status = "pending"
    cancellation = cancelled(services)
    services.billing.refund_status = "succeeded"
    becomes(services, "re_0", "failed", GONE)
    assert services.billing.credit_notes == {}
    replan(services, shown(services, cancellation)["refunds"][0]["id"], plan)
    done = shown(services, cancellation)
    (note,) = services.billing.credit_notes.values()
    assert done["state"] == "executed"
    assert sum(amount for _, amount in note["refunds"]) + note["out_of_band"] == REFUND
    assert (note["out_of_band"] == 0) == (plan.way is RefundWay.PAYMENT)
    assert books(services) == {Book.PAID: -REFUND, book: REFUND}
    assert mails(services) == ["refund_pending", "refund_failed", mail]
    assert agrees_with_stripe(services)


@pytest.mark.parametrize("moment", ["fail_before", "fail_after"])
def test_account_credit_is_given_once_whatever_its_call_answers(moment: str) -> None:
    services = two_payments()
    _, refund = failed_late(services)
    faults = [OutcomeUnknownError("500", sticky=True), OutcomeUnknownError("cut")]
    getattr(services.billing, moment)["give_account_credit"] = faults
    replan(services, refund, CREDIT)
    for _ in range(30):
        services.clock.advance(minutes=10)
        services.run_due_work()
        services.run_effects()
    assert [one[1] for one in services.billing.account_credits.values()] == [REFUND]
    assert books(services) == {Book.PAID: -REFUND, Book.CREDITED: REFUND}


@pytest.mark.parametrize(
    ("failure", "plan", "slug"),
    [
        (GONE, to("pi_1"), "payment-method-gone"),
        ("lost_or_stolen_card", to("pi_1"), "payment-method-gone"),
        ("declined", to("pi_9"), "payment-of-another-invoice"),
    ],
)
def test_a_closed_way_is_refused_and_changes_nothing(failure: str, plan: Replan, slug: str) -> None:
    services = two_payments()
    cancellation, refund = failed_late(services, failure)
    before = shown(services, cancellation)
    with pytest.raises(ConflictError) as refusal:
        replan(services, refund, plan)
    assert refusal.value.slug == slug
    assert shown(services, cancellation) == before


def test_a_person_may_try_the_same_card_again_where_it_still_exists() -> None:
    services = two_payments()
    cancellation, refund = failed_late(services, "declined")
    replan(services, refund, to("pi_1"))
    assert shown(services, cancellation)["state"] == "executed"
    assert [r.status for r in services.billing.refunds.values()] == ["failed", "succeeded"]


def test_nothing_goes_anywhere_unless_a_person_says_so() -> None:
    services = two_payments()
    failed_late(services)
    calls = len(services.billing.calls)
    for _ in range(60):
        services.clock.advance(days=1)
        services.run_due_work()
        services.run_effects()
    assert len(services.billing.calls) == calls


def test_a_refund_is_replanned_once_and_its_replacement_again_when_it_fails_too() -> None:
    services = two_payments()
    cancellation, refund = failed_late(services)
    second = replan(services, refund, to("pi_2"))
    with pytest.raises(ConflictError) as refusal:
        replan(services, refund, CREDIT)
    assert (refusal.value.slug, refusal.value.members) == (
        "refund-replanned",
        {"replaced_by": second},
    )
    becomes(services, "re_1", "failed", GONE)
    assert shown(services, cancellation)["state"] == "needs_person"
    replan(services, second, TRANSFER)
    done = shown(services, cancellation)
    assert (done["state"], [one["status"] for one in done["refunds"]]) == (
        "executed",
        ["failed", "failed", "succeeded"],
    )
    assert list(services.billing.credit_notes) == ["cn_0"]


def test_a_refund_that_somebody_made_by_hand_meanwhile_is_not_paid_again() -> None:
    services = two_payments()
    services.billing.fail_before["refund_payment"] = [RefusedError("400", "no")]
    cancellation = cancelled(services)
    (refund,) = shown(services, cancellation)["refunds"]
    services.billing.refund_payment(
        payment="pi_1", amount=REFUND, operation=refund["id"], customer=CUSTOMER, key="by hand"
    )
    with pytest.raises(ConflictError) as refusal:
        replan(services, refund["id"], CREDIT)
    assert refusal.value.slug == "refund-exists"


def test_one_made_by_hand_after_it_was_replanned_is_booked_and_calls_a_person() -> None:
    services = two_payments()
    services.billing.fail_before["refund_payment"] = [RefusedError("400", "no")]
    cancellation = cancelled(services)
    (refund,) = shown(services, cancellation)["refunds"]
    replan(services, refund["id"], CREDIT)
    services.billing.refund_payment(
        payment="pi_1", amount=REFUND, operation=refund["id"], customer=CUSTOMER, key="by hand"
    )
    refresh_refund(services, refund="re_0")
    assert books(services) == {
        Book.PAID: -2 * REFUND,
        Book.CREDITED: REFUND,
        Book.REFUNDED: REFUND,
    }
    assert shown(services, cancellation)["state"] == "needs_person"


@pytest.mark.parametrize(
    "plan",
    [
        Replan(RefundWay.PAYMENT, "why"),
        Replan(RefundWay.ACCOUNT_CREDIT, "why", payment="pi_2"),
        Replan(RefundWay.OUT_OF_BAND, "why"),
        Replan(RefundWay.OUT_OF_BAND, "why", reference=" "),
        Replan(RefundWay.OUT_OF_BAND, "why", reference="x" * 201),
        Replan(RefundWay.ACCOUNT_CREDIT, "why", reference="SEPA 4711"),
    ],
)
def test_a_way_names_what_it_needs_and_nothing_else(plan: Replan) -> None:
    services = two_payments()
    _, refund = failed_late(services)
    with pytest.raises(InvalidRequestError):
        replan(services, refund, plan)


def test_a_refund_that_is_fine_or_unknown_is_not_replanned() -> None:
    services = two_payments()
    cancellation = cancelled(services)
    (refund,) = shown(services, cancellation)["refunds"]
    with pytest.raises(ConflictError) as refusal:
        replan(services, refund["id"], CREDIT)
    assert refusal.value.slug == "refund-not-open"
    with pytest.raises(NotFoundError):
        replan(services, "01NOBODYS", CREDIT)


def test_a_chargeback_closes_every_way() -> None:
    services = two_payments()
    _, refund = failed_late(services)
    stored = services.store.get(Payment, CUSTOMER, "pi_1")
    assert stored is not None
    services.store.commit([Put(stored.record.blocked("du_1", REFUND), stored.version)])
    for plan in (CREDIT, TRANSFER):
        with pytest.raises(ConflictError) as refusal:
            replan(services, refund, plan)
        assert refusal.value.slug == "payment-disputed"
