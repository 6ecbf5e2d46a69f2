"""Refunds and disputes through the port, on both accounts that our code is proven on."""

from typing import Any

import pytest

from shared.domain.dispute import DisputeKind, DisputeOutcome, DisputePhase, Stance
from shared.domain.errors import RefusedError
from shared.domain.invoice import PaymentFacts
from shared.domain.refund_operation import RefundFacts
from tests.contract.stripe.accounts import DAY, Account, Bought

REFUNDED = "charge_already_refunded"
TAKEN = "charge_disputed"


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def refund(account: Account, bought: Bought, amount: int, **other: Any) -> RefundFacts:
    operation = other.pop("operation", f"01OP{amount}")
    wanted = {"payment": bought.payment, "key": f"k:{operation}", **other}
    return account.billing.refund_payment(
        customer=bought.customer, amount=amount, operation=operation, **wanted
    )


def refused(account: Account, bought: Bought, amount: int, **other: Any) -> str:
    with pytest.raises(RefusedError) as refusal:
        refund(account, bought, amount, **other)
    return refusal.value.code


def payment(account: Account, bought: Bought) -> PaymentFacts:
    seen = account.billing.payment(bought.payment)
    assert seen is not None
    return seen


def test_a_refund_says_whose_it_is_and_what_for(account: Account, bought: Bought) -> None:
    before = account.now().replace(microsecond=0)
    made = refund(account, bought, 1000, operation="01OP")
    assert (made.payment, made.amount, made.currency) == (bought.payment, 1000, "usd")
    assert (made.status, made.failure, made.bank_reference) == ("succeeded", None, None)
    assert (made.operation, made.operation_customer) == ("01OP", bought.customer)
    assert made.customer == bought.customer
    assert made.created_at is not None
    assert before <= made.created_at <= account.now()
    assert account.billing.refund(made.id) == made


def test_parts_of_a_payment_go_back_until_nothing_is_left(account: Account, bought: Bought) -> None:
    first, second = refund(account, bought, 5000), refund(account, bought, 6999)
    assert [one.id for one in account.billing.refunds_of(bought.payment)] == [second.id, first.id]
    assert payment(account, bought).refunded == 11999
    assert refused(account, bought, 2) == "400"
    assert payment(account, bought).refunded == 11999
    refund(account, bought, 1)
    assert refused(account, bought, 1, operation="more") == REFUNDED
    assert payment(account, bought).refunded == payment(account, bought).total == 12000


def test_nothing_is_refunded_of_what_is_not_there(account: Account, bought: Bought) -> None:
    assert refused(account, bought, 1, payment="pi_absent") == "resource_missing"
    assert account.billing.refunds_of("pi_absent") == []
    assert account.billing.refund("re_absent") is None
    assert account.billing.payment("pi_absent") is None


def test_each_payment_of_an_invoice_has_its_own_refunds(account: Account) -> None:
    bought = account.buy(5000, 7000)
    first, second = bought.payments
    made = refund(account, bought, 5000, payment=first)
    assert refused(account, bought, 1, payment=first) == REFUNDED
    other = refund(account, bought, 7000, payment=second)
    assert account.billing.refunds_of(first) == [made]
    assert account.billing.refunds_of(second) == [other]
    (invoice,) = account.billing.subscription_invoices(bought.subscription, account.now())
    seen = {one.id: (one.amount, one.total, one.refunded) for one in invoice.payments}
    assert seen == {first: (5000, 5000, 5000), second: (7000, 7000, 7000)}


def test_a_refund_by_hand_is_nobodys_operation(account: Account, bought: Bought) -> None:
    name = account.refund_by_hand(bought.payment, 4000)
    (seen,) = account.billing.refunds_of(bought.payment)
    assert (seen.id, seen.amount, seen.customer) == (name, 4000, bought.customer)
    assert (seen.operation, seen.operation_customer) == (None, None)
    assert refused(account, bought, 8001) == "400"


def test_a_refund_that_pends_is_gone_already(account: Account) -> None:
    bought = account.buy(12000, pends=True)
    made = refund(account, bought, 12000)
    assert made.status == "pending"
    assert refused(account, bought, 1) == REFUNDED
    account.until(account.now() + 4 * DAY)
    seen = account.billing.refund(made.id)
    assert seen is not None
    assert (seen.status, seen.failure) == ("succeeded", None)
    assert payment(account, bought).refunded == 12000


@pytest.mark.parametrize("pends", [True, False], ids=["pending", "succeeded"])
def test_what_failed_is_there_again(account: Account, *, pends: bool) -> None:
    bought = account.buy(12000, pends=pends)
    made = refund(account, bought, 12000)
    account.settle(made.id, "failed")
    seen = account.billing.refund(made.id)
    assert seen is not None
    assert seen.status == "failed"
    assert seen.failure is not None
    assert payment(account, bought).refunded == 0
    again = refund(account, bought, 11000)
    assert [one.id for one in account.billing.refunds_of(bought.payment)] == [again.id, made.id]


# -- disputes


def test_a_chargeback_takes_the_money_and_a_fee(account: Account, bought: Bought) -> None:
    name = account.dispute(bought.payment)
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.customer, seen.payment) == (bought.customer, bought.payment)
    assert (seen.kind, seen.phase) == (DisputeKind.CHARGEBACK, DisputePhase.OPEN)
    assert (seen.stance, seen.is_understood) == (Stance.ARGUED, True)
    assert (seen.amount, seen.withdrawn, seen.returned, seen.fee) == (12000, 12000, 0, 1500)
    assert (seen.currency, seen.settlement_currency, seen.rate) == ("usd", "usd", None)
    assert (seen.outcome, seen.refundable) == (DisputeOutcome.UNDECIDED, False)
    assert len(seen.movements) == 1
    held = payment(account, bought)
    assert (held.disputed, held.refundable, held.refunded) == (12000, False, 0)
    assert refused(account, bought, 1) == TAKEN


def test_a_chargeback_that_was_lost_stays_taken(account: Account, bought: Bought) -> None:
    name = account.dispute(bought.payment)
    account.decide(name, "lost")
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.phase, seen.outcome) == (DisputePhase.ENDED, DisputeOutcome.LOST)
    assert (seen.stance, seen.refundable) == (Stance.LOST, False)
    held = payment(account, bought)
    assert (held.disputed, held.refundable) == (12000, False)
    assert refused(account, bought, 1) == TAKEN


@pytest.mark.parametrize("way", [["won"], ["lost", "won"]], ids=["at once", "late"])
def test_what_was_won_can_be_refunded(account: Account, bought: Bought, way: list[str]) -> None:
    name = account.dispute(bought.payment)
    for outcome in way:
        account.decide(name, outcome)
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.phase, seen.outcome) == (DisputePhase.ENDED, DisputeOutcome.WON)
    assert (seen.withdrawn, seen.returned, seen.fee) == (12000, 12000, 1500)
    assert (seen.stance, seen.refundable, len(seen.movements)) == (Stance.WON, True, 2)
    held = payment(account, bought)
    assert (held.disputed, held.refundable) == (0, True)
    assert refund(account, bought, 12000).status == "succeeded"


def test_an_inquiry_takes_nothing_and_forbids_nothing(account: Account, bought: Bought) -> None:
    name = account.dispute(bought.payment, inquiry=True)
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.kind, seen.phase) == (DisputeKind.INQUIRY, DisputePhase.OPEN)
    assert (seen.amount, seen.withdrawn, seen.fee, seen.movements) == (12000, 0, 0, ())
    held = payment(account, bought)
    assert (held.disputed, held.refundable) == (0, True)
    refund(account, bought, 5000)
    account.decide(name, "closed")
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.phase, seen.outcome) == (DisputePhase.ENDED, DisputeOutcome.CLOSED)
    assert payment(account, bought).refunded == 5000


def test_an_inquiry_that_escalates_takes_the_whole_once_more(
    account: Account, bought: Bought
) -> None:
    """What was refunded meanwhile has left twice."""
    name = account.dispute(bought.payment, inquiry=True)
    account.decide(name, "escalated")
    seen = account.billing.dispute(name)
    assert seen is not None
    assert (seen.kind, seen.phase) == (DisputeKind.CHARGEBACK, DisputePhase.OPEN)
    assert (seen.withdrawn, seen.fee, seen.refundable) == (12000, 1500, False)
    assert refused(account, bought, 1) == TAKEN


def test_a_refund_that_pends_fails_once_the_bank_takes_the_money(account: Account) -> None:
    bought = account.buy(12000, pends=True)
    name = account.dispute(bought.payment, inquiry=True)
    made = refund(account, bought, 5000)
    account.decide(name, "escalated")
    seen = account.billing.refund(made.id)
    assert seen is not None
    assert (seen.status, seen.failure) == ("failed", "charge_for_pending_refund_disputed")
    assert payment(account, bought).refunded == 0
    assert account.billing.dispute("du_absent") is None
