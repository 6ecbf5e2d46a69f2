"""What Stripe does with our idempotency keys, on both accounts that our code is proven on."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import (
    BrokenInvariantError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.refund_operation import RefundFacts
from tests.contract.stripe.accounts import DAY, Account, Bought


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def refund(account: Account, bought: Bought, key: str, **other: Any) -> RefundFacts:
    wanted = {"amount": 1000, "operation": "01OP", "payment": bought.payment, **other}
    return account.billing.refund_payment(customer=bought.customer, key=key, **wanted)


def refunded(account: Account, bought: Bought) -> int:
    seen = account.billing.payment(bought.payment)
    assert seen is not None
    return seen.refunded


def test_the_same_request_has_the_same_answer(account: Account, bought: Bought) -> None:
    first = refund(account, bought, "k")
    assert refund(account, bought, "k") == first
    assert account.billing.refunds_of(bought.payment) == [first]


def test_the_answer_is_that_of_then(account: Account, bought: Bought) -> None:
    first = refund(account, bought, "k")
    account.settle(first.id, "failed")
    assert refund(account, bought, "k").status == "succeeded"
    (now,) = account.billing.refunds_of(bought.payment)
    assert now.status == "failed"


@pytest.mark.parametrize("other", [{"amount": 1001}, {"operation": "02OP"}, {"payment": "pi_2"}])
def test_a_key_is_for_one_request(account: Account, bought: Bought, other: dict[str, Any]) -> None:
    refund(account, bought, "k")
    with pytest.raises(BrokenInvariantError):
        refund(account, bought, "k", **other)
    assert refunded(account, bought) == 1000


def test_a_key_is_for_one_kind_of_request(account: Account, bought: Bought) -> None:
    billing, draft = account.billing, account.bill_ahead(bought, "draft")
    billing.pause_collection(bought.subscription, key="p")
    with pytest.raises(BrokenInvariantError):
        billing.resume_collection(bought.subscription, key="p")
    billing.finalize_draft(draft, key="f")
    with pytest.raises(BrokenInvariantError):
        billing.void_invoice(draft, key="f")


def test_a_charge_under_a_known_key_must_be_the_same_charge(
    account: Account, bought: Bought
) -> None:
    params = bought.charge()
    added = account.billing.add_charge(params, operation="01ADD", key="a")
    assert account.billing.add_charge(params, operation="01ADD", key="a") == added
    with pytest.raises(BrokenInvariantError):
        account.billing.add_charge(params | {"description": "hours"}, operation="01ADD", key="a")
    assert len(account.billing.pending_charges(bought.customer, bought.subscription)) == 1


def test_a_refusal_is_repeated_when_its_reason_has_gone(account: Account, bought: Bought) -> None:
    dispute = account.dispute(bought.payment)
    with pytest.raises(RefusedError) as first:
        refund(account, bought, "k")
    account.decide(dispute, "won")
    with pytest.raises(RefusedError) as second:
        refund(account, bought, "k")
    assert first.value.code == second.value.code == "charge_disputed"
    assert refund(account, bought, "k2").status == "succeeded"


def test_an_error_of_stripes_own_is_repeated_though_it_was_done(
    account: Account, bought: Bought
) -> None:
    with account.trouble("error_done"), pytest.raises(OutcomeUnknownError) as unknown:
        refund(account, bought, "k")
    assert unknown.value.sticky
    with pytest.raises(OutcomeUnknownError) as again:
        refund(account, bought, "k")
    assert again.value.sticky
    (made,) = account.billing.refunds_of(bought.payment)
    assert (made.operation, made.amount) == ("01OP", 1000)


def test_an_answer_that_was_lost_is_given_again(account: Account, bought: Bought) -> None:
    with account.trouble("cut_after"), pytest.raises(OutcomeUnknownError) as unknown:
        refund(account, bought, "k")
    assert not unknown.value.sticky
    assert account.billing.refunds_of(bought.payment) == [refund(account, bought, "k")]


@pytest.mark.parametrize(
    ("kind", "error"), [("cut_before", OutcomeUnknownError), ("busy", UnavailableError)]
)
def test_what_never_arrived_left_its_key_free(
    account: Account, bought: Bought, kind: str, error: type[Exception]
) -> None:
    with account.trouble(kind), pytest.raises(error):
        refund(account, bought, "k")
    assert refunded(account, bought) == 0
    refund(account, bought, "k", amount=700)
    assert refunded(account, bought) == 700


def test_a_request_that_is_under_way_keeps_its_key(account: Account, bought: Bought) -> None:
    with account.held_up(lambda: refund(account, bought, "k")):
        with pytest.raises(UnavailableError):
            refund(account, bought, "k")
        assert refunded(account, bought) == 0
    assert account.billing.refunds_of(bought.payment) == [refund(account, bought, "k")]


def test_a_key_is_forgotten_after_a_day(account: Account, bought: Bought) -> None:
    made = account.now()
    first = refund(account, bought, "k")
    account.until(made + DAY - timedelta(minutes=1))
    assert refund(account, bought, "k") == first
    account.until(account.now() + timedelta(minutes=1))
    second = refund(account, bought, "k")
    assert second.id != first.id
    assert refunded(account, bought) == 2000


def test_what_has_no_key_is_asked_anew_each_time(account: Account, bought: Bought) -> None:
    account.billing.cancel_now(bought.subscription)
    with pytest.raises(RefusedError):
        account.billing.cancel_now(bought.subscription)
