"""What Stripe cannot send back is transferred by a person, recorded once, and closes its case."""

from dataclasses import replace

import pytest

from shared.application.cases.record_transfer import Recorded, Transfer, record_transfer
from shared.application.show_cancellation import show_cancellation
from shared.domain.approval_limits import Need
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.invoice import PaymentFacts
from shared.domain.ledger import Book
from shared.domain.staff import StaffMember
from tests.application.builders import CUSTOMER, paid_invoice
from tests.application.case_life import AGENT, APPROVER, OTHER_AGENT, Life
from tests.application.replanning import (
    agrees_with_stripe,
    becomes,
    books,
    left,
    replan,
    to,
    two_payments,
)
from tests.application.test_case_decisions import SOON

CARD, CASH = "pi_1", "in_1:out_of_band"
REFERENCE = "SEPA 4711"


def approved(by_card: int, by_hand: int, *, worth: int, name: str = CASH) -> Life:
    """A case over `worth`, on an invoice that was paid in two ways."""
    case = Life("voip")
    case.services.clock.instant = case.services.billing.now = SOON
    by_method = ((CARD, by_card, "card", True), (name, by_hand, "out_of_band", name == CASH))
    payments = tuple(
        PaymentFacts(
            id=one,
            amount=amount,
            fee=0,
            refunded=0,
            disputed=0,
            refundable=refundable,
            method=method if name == CASH else "card",
            total=amount,
        )
        for one, amount, method, refundable in by_method
        if amount
    )
    case.services.billing.invoices["in_1"] = replace(paid_invoice(), payments=payments)
    case.open("billing_error")
    case.find(verified=True, lines={"il_1": {"expected_amount": 120_000 - worth}})
    for person in (AGENT, APPROVER):
        if case.case.is_open:
            case.approve(person)
    case.settle()
    return case


def waiting(case: Life) -> str:
    (refund,) = [r for r in case.view["refunds"] if r["problem"] == "to_be_transferred"]
    return str(refund["id"])


def record(
    case: Life,
    by: StaffMember,
    amount: int,
    *,
    refund: str | None = None,
    reference: str = REFERENCE,
) -> Recorded:
    transfer = Transfer(refund or waiting(case), amount, reference, "sent at the bank")
    done = record_transfer(case.services, by=by, customer=CUSTOMER, case=case.id, transfer=transfer)
    case.settle()
    return done


def refused(
    case: Life, by: StaffMember, amount: int, *, refund: str, reference: str = REFERENCE
) -> ConflictError:
    commits = case.services.store.commits
    with pytest.raises(ConflictError) as caught:
        record(case, by, amount, refund=refund, reference=reference)
    assert case.services.store.commits == commits
    return caught.value


def test_a_small_transfer_closes_the_case_once_with_ledger_mail_and_credit_note() -> None:
    case = approved(0, 120_000, worth=15_000)
    refund = waiting(case)
    assert case.state == "needs_person"
    assert case.services.billing.refunds == {}
    assert case.services.billing.credit_notes == {}
    assert record(case, AGENT, 15_000).need is None
    assert case.state == "paid"
    assert books(case.services) == {Book.PAID: -15_000, Book.TRANSFERRED: 15_000}
    assert list(case.services.billing.credit_notes) == ["cn_0"]
    assert "refund_by_out_of_band" in case.mails
    (shown,) = case.view["refunds"]
    assert (shown["way"], shown["reference"], shown["problem"]) == ("out_of_band", REFERENCE, None)
    again = refused(case, APPROVER, 15_000, refund=refund)
    assert again.slug == "already-transferred"
    assert again.members == {"reference": REFERENCE, "recorded_by": [AGENT.actor]}
    assert books(case.services)[Book.TRANSFERRED] == 15_000
    assert agrees_with_stripe(case.services)


def test_above_the_limits_a_second_person_vouches_for_the_same() -> None:
    case = approved(0, 120_000, worth=50_000)
    refund = waiting(case)
    assert record(case, AGENT, 50_000, reference="SEPA 471").need is Need.TWO_PEOPLE
    assert record(case, AGENT, 50_000).need is Need.TWO_PEOPLE  # mistyped, and put right
    assert refused(case, AGENT, 50_000, refund=refund).slug == "same-person"
    other = refused(case, APPROVER, 50_000, refund=refund, reference="SEPA 1")
    assert other.slug == "other-reference"
    assert other.members == {"reference": REFERENCE, "recorded_by": [AGENT.actor]}
    wrong = refused(case, APPROVER, 49_999, refund=refund)
    assert (wrong.slug, wrong.members) == ("other-amount", {"amount": 50_000, "currency": "usd"})
    assert record(case, OTHER_AGENT, 50_000).need is Need.TWO_PEOPLE
    assert case.state == "needs_person"
    assert books(case.services) == {}
    assert record(case, APPROVER, 50_000).need is None
    assert case.state == "paid"
    assert books(case.services) == {Book.PAID: -50_000, Book.TRANSFERRED: 50_000}
    said = [e["actor"] for e in case.view["timeline"] if e["what"] == "transfer_vouched"]
    assert said == [AGENT.actor, AGENT.actor, OTHER_AGENT.actor, APPROVER.actor]


def test_one_part_goes_back_by_refund_and_the_rest_by_hand_on_one_credit_note() -> None:
    case = approved(100_000, 20_000, worth=110_000)
    assert [r.amount for r in case.services.billing.refunds.values()] == [100_000]
    assert case.services.billing.credit_notes == {}  # not before all of it is out
    assert case.state == "needs_person"
    record(case, AGENT, 10_000)
    assert case.state == "paid"
    assert books(case.services) == {
        Book.PAID: -110_000,
        Book.REFUNDED: 100_000,
        Book.TRANSFERRED: 10_000,
    }
    assert list(case.services.billing.credit_notes) == ["cn_0"]
    assert left(case.services, CASH) == 10_000
    assert agrees_with_stripe(case.services)


def test_a_payment_that_stripe_no_longer_refunds_is_transferred_and_counted() -> None:
    case = approved(0, 120_000, worth=15_000, name="pi_old")
    record(case, AGENT, 15_000)
    assert case.state == "paid"
    assert left(case.services, "pi_old") == 105_000


def test_what_waits_for_its_transfer_is_promised_to_nobody_else() -> None:
    case = approved(0, 120_000, worth=110_000)
    case.open("billing_error", invoice="in_1")
    case.find(verified=True, lines={"il_1": {"expected_amount": 0}})
    assert case.view["quote"]["total"] == 10_000


def test_a_refund_that_came_back_is_transferred_by_the_same_route() -> None:
    case = approved(120_000, 0, worth=15_000)
    assert case.state == "paid"
    (refund,) = case.view["refunds"]
    nothing = refused(case, AGENT, 15_000, refund=refund["id"])
    assert (nothing.slug, nothing.members) == ("nothing-to-transfer", {"state": "succeeded"})
    becomes(case.services, "re_0", "failed", "lost_or_stolen_card")
    assert case.state == "needs_person"
    record(case, AGENT, 15_000, refund=refund["id"])
    assert case.state == "paid"
    assert books(case.services) == {Book.PAID: -15_000, Book.TRANSFERRED: 15_000}
    assert list(case.services.billing.credit_notes) == ["cn_0"]
    assert refused(case, AGENT, 15_000, refund=refund["id"]).slug == "already-transferred"


def test_nothing_is_recorded_for_a_refund_of_another_case() -> None:
    case = approved(0, 120_000, worth=15_000)
    with pytest.raises(NotFoundError):
        record(case, AGENT, 15_000, refund="nobody's")
    refund, case.id = waiting(case), "another"
    with pytest.raises(NotFoundError):
        record_transfer(
            case.services,
            by=AGENT,
            customer=CUSTOMER,
            case="another",
            transfer=Transfer(refund, 15_000, REFERENCE, "because"),
        )


def test_a_refund_of_a_case_that_came_back_goes_to_another_payment_of_its_invoice() -> None:
    case = Life("voip")
    case.services = two_payments()
    case.services.policy = "voip"
    case.services.clock.instant = case.services.billing.now = SOON
    case.open("billing_error")
    case.find(verified=True, lines={"il_1": {"expected_amount": 105_000}})
    case.approve(AGENT)
    case.settle()
    becomes(case.services, "re_0", "failed", "lost_or_stolen_card")
    (refund,) = case.view["refunds"]
    replan(case.services, refund["id"], to("pi_2"))
    assert case.state == "paid"
    assert [r.payment for r in case.services.billing.refunds.values()] == ["pi_1", "pi_2"]
    assert list(case.services.billing.credit_notes) == ["cn_0"]


def test_where_the_subscription_ends_with_it_the_transfer_settles_both() -> None:
    case = Life("moneyback")
    case.services.clock.instant = case.services.billing.now = SOON
    cash = PaymentFacts(
        CASH, 120_000, 0, 0, 0, refundable=True, method="out_of_band", total=120_000
    )
    case.services.billing.invoices["in_1"] = replace(paid_invoice(), payments=(cash,))
    case.open("dissatisfaction")
    case.approve(AGENT, 15_000)
    if case.case.is_open:
        case.approve(APPROVER, 15_000)
    assert case.case.cancellation is not None
    assert refused(case, AGENT, 15_000, refund=waiting(case)).slug == "nothing-to-transfer"
    case.settle()  # not before Stripe has cancelled
    assert case.state == "needs_person"
    record(case, AGENT, 15_000)
    assert case.state == "paid"
    ended = show_cancellation(case.services, customer=CUSTOMER, cancellation=case.case.cancellation)
    assert ended["state"] == "executed"
    assert books(case.services) == {Book.PAID: -15_000, Book.TRANSFERRED: 15_000}
