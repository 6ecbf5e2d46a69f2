"""The cap on a payment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import BrokenInvariantError, ConflictError
from shared.domain.payment import Payment


def payment(**known: int) -> Payment:
    return Payment("pi_1", "cus_1", "usd", 1000, **known)  # type: ignore[arg-type]


def test_what_is_left_is_what_was_neither_refunded_disputed_nor_reserved() -> None:
    assert payment(refunded=100, disputed=200, reserved=300).left() == 400


@pytest.mark.parametrize("amount", [0, -1, 401])
def test_more_than_is_left_cannot_be_reserved(amount: int) -> None:
    with pytest.raises(ConflictError):
        payment(refunded=600).reserve(amount)


def test_the_last_cent_can_be_reserved() -> None:
    assert payment(refunded=600).reserve(400).left() == 0


def test_a_disputed_payment_reserves_nothing() -> None:
    with pytest.raises(ConflictError) as refusal:
        payment().blocked("du_1", 100).reserve(1)
    assert refusal.value.slug == "payment-disputed"


def test_a_dispute_blocks_once_and_is_lifted_once() -> None:
    blocked = payment().blocked("du_1", 300).blocked("du_1", 300)
    assert blocked.disputed == 300
    assert blocked.unblocked("du_1").unblocked("du_1") == payment()


def test_more_than_is_reserved_cannot_be_released() -> None:
    with pytest.raises(BrokenInvariantError):
        payment(reserved=5).release(6)


@given(st.lists(st.tuples(st.integers(1, 600), st.booleans()), max_size=30))
def test_no_sequence_of_refunds_takes_more_than_was_paid(steps: list[tuple[int, bool]]) -> None:
    """0 ≤ left ≤ paid, and refunded + reserved never exceeds what was paid."""
    held = payment()
    for amount, succeeds in steps:
        try:
            held = held.reserve(amount)
        except ConflictError:
            continue
        held = held.settle(amount) if succeeds else held.release(amount)
        assert 0 <= held.left() <= held.amount
        assert held.refunded + held.reserved <= held.amount
