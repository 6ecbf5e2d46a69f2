"""What the proof has found in refund cases: each bug as the shortest example that shows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from shared.domain.approval_limits import Need
from shared.domain.case_clocks import ClockKind
from shared.domain.errors import ConflictError
from shared.domain.payment import Payment
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import CUSTOMER, paid_invoice
from tests.application.case_life import AGENT, APPROVER, Life

SOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def life(policy: str) -> Life:
    made = Life(policy)
    made.services.clock.instant = made.services.billing.now = SOON
    return made


def test_who_agrees_to_a_part_of_what_is_owed_does_not_pay_all_of_it_alone() -> None:
    """The limits saw the part, and the customer got the whole."""
    case = life("voip")
    case.open("billing_error")
    case.find(verified=True, lines={"il_1": {"expected_amount": 20_000}})
    with pytest.raises(ConflictError) as refused:
        case.approve(AGENT, 100)
    assert refused.value.slug == "entitled"
    assert refused.value.members["quote"]["total"] == 100_000
    assert case.state == "under_review"
    assert case.approve(AGENT).need is Need.TWO_PEOPLE
    assert case.approve(APPROVER, 100_000).need is None
    assert case.case.amount == 100_000


def test_a_case_that_is_looked_at_again_has_a_deadline_again_and_no_answer() -> None:
    """The clock of the first review had stopped with its answer, for ever."""
    case = life("itservices")
    case.open("unused_period")
    assert case.state == "denied"
    later = SOON + timedelta(days=5)
    case.services.clock.instant = later
    case.find(goodwill=True)
    clock = case.case.clock(ClockKind.REVIEW)
    assert clock is not None
    assert (clock.since, clock.stopped_at) == (later, None)
    assert (case.case.decided_at, case.view["outcome"], case.view["amount"]) == (None, None, None)
    assert case.at(clock.due_at)["case_late"] == 1
    assert case.mails[-1] == "staff_case_late"


def test_what_a_case_gives_as_credit_is_known_to_the_comparison() -> None:
    case = life("itservices")
    case.open("billing_error")
    case.find(goodwill=True, settle_as="credit")
    case.approve(AGENT, 5_000)
    case.settle()
    assert (case.state, case.case.customer) == ("paid", CUSTOMER)
    case.services.clock.advance(days=2)
    case.services.billing.now = case.services.clock.now()
    report = reconcile(case.services, Scope(grace=timedelta(0), everyone=True), repair=False)
    assert report.findings == []


def test_a_refund_that_pends_is_not_taken_off_its_payment_twice_by_the_next_one() -> None:
    """Stripe counts it as refunded while it is held here still."""
    case = life("voip")
    case.services.billing.refund_status = "pending"
    case.open("billing_error")
    case.find(verified=True, lines={"il_1": {"expected_amount": 115_000}})
    case.approve(AGENT)
    case.settle()
    (pending,) = case.services.billing.refunds.values()
    case.services.billing.invoices["in_1"] = paid_invoice(refunded=pending.amount)
    case.open("vendor_fault")
    case.find(goodwill=True)
    case.approve(AGENT, 5_000)
    case.settle()
    for refund in list(case.services.billing.refunds.values()):
        case.services.billing.refunds[refund.id] = replace(refund, status="succeeded")
        refresh_refund(case.services, refund=refund.id)
    payment = case.services.store.get(Payment, CUSTOMER, "pi_1")
    assert payment is not None
    assert (payment.record.reserved, payment.record.refunded) == (0, 10_000)


@pytest.mark.parametrize("status", ["pending", "requires_action", "succeeded"])
def test_a_refund_that_pends_is_taken_off_a_quote_and_off_a_case_once(status: str) -> None:
    """It was, twice, and whoever cancelled meanwhile was given too little."""
    case = life("voip")
    case.services.billing.refund_status = status
    case.open("billing_error")
    case.find(verified=True, lines={"il_1": {"expected_amount": 10_000}})
    case.approve(AGENT)
    case.approve(APPROVER)
    case.settle()
    case.services.billing.invoices["in_1"] = paid_invoice(refunded=110_000)
    quote = quoted(case.services)["quote"]
    case.open("vendor_fault")
    case.find(goodwill=True)
    case.approve(AGENT)
    case.approve(APPROVER)
    assert (quote["total"], case.case.amount) == (10_000, 10_000)


def test_unused_time_that_a_cancellation_gives_back_is_given_back_by_no_case() -> None:
    """Its credit note was on its way, and what the invoice still held was paid once more."""
    case = life("voip")
    quote = quoted(case.services)
    confirm(case.services, quote["id"])
    case.open("unused_period")
    assert (case.state, case.case.amount) == ("under_review", 0)
    with pytest.raises(ConflictError) as refused:
        case.approve(AGENT)
    assert refused.value.slug == "nothing-to-refund"
    case.settle()
    refunds = case.services.billing.refunds.values()
    assert [refund.amount for refund in refunds] == [quote["quote"]["total"]]
