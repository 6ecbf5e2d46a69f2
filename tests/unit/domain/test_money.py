"""Whole amounts from exact ones."""

from fractions import Fraction

import pytest

from shared.domain.money import (
    Rounding,
    allocate,
    floor_to_grain,
    grain_of,
    round_to_grain,
    scaled,
)

HALF_UP, HALF_EVEN, DOWN = Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.DOWN


@pytest.mark.parametrize(
    ("amount", "grain", "rule", "rounded"),
    [
        (Fraction(5, 2), 1, HALF_UP, 3),
        (Fraction(7, 2), 1, HALF_UP, 4),
        (Fraction(249, 100), 1, HALF_UP, 2),
        (Fraction(5, 2), 1, HALF_EVEN, 2),
        (Fraction(7, 2), 1, HALF_EVEN, 4),
        (Fraction(251, 100), 1, HALF_EVEN, 3),
        (Fraction(249, 100), 1, HALF_EVEN, 2),
        (Fraction(299, 100), 1, DOWN, 2),
        (Fraction(3), 1, DOWN, 3),
        (Fraction(15), 10, HALF_UP, 20),
        (Fraction(25), 10, HALF_EVEN, 20),
        (Fraction(15), 10, HALF_EVEN, 20),
        (Fraction(3), 1, HALF_EVEN, 3),
        (Fraction(14), 10, HALF_UP, 10),
        (Fraction(0), 100, HALF_UP, 0),
    ],
)
def test_an_amount_is_rounded_by_its_named_rule(
    amount: Fraction, grain: int, rule: Rounding, rounded: int
) -> None:
    assert round_to_grain(amount, grain, rule) == rounded


@pytest.mark.parametrize(
    ("total", "shares", "keys", "grain", "parts"),
    [
        pytest.param(10, ["10/3", "10/3", "10/3"], "bac", 1, [3, 4, 3], id="ties by key"),
        pytest.param(10, ["23/10", "37/10", "4"], "abc", 1, [2, 4, 4], id="the largest remainder"),
        pytest.param(3, ["3/2", "3/2"], "ba", 1, [1, 2], id="a half each"),
        pytest.param(100, ["95/2", "105/2"], "ab", 10, [50, 50], id="in grains"),
        pytest.param(5, ["5/2", "3/2", "1"], "abc", 1, [3, 1, 1], id="of unequal parts"),
        pytest.param(0, [], "", 1, [], id="nothing"),
    ],
)
def test_parts_sum_to_the_whole(
    total: int, shares: list[str], keys: str, grain: int, parts: list[int]
) -> None:
    assert allocate(total, [Fraction(s) for s in shares], list(keys), grain) == parts


def test_a_total_that_the_shares_cannot_make_is_an_error() -> None:
    with pytest.raises(AssertionError, match=r"^the parts must sum to the whole"):
        allocate(9, [Fraction(1), Fraction(2)], ["a", "b"], 1)


def test_shares_are_scaled_in_proportion() -> None:
    assert scaled([Fraction(1), Fraction(3)], 6) == [Fraction(3, 2), Fraction(9, 2)]
    assert scaled([Fraction(0), Fraction(0)], 0) == [0, 0]


def test_a_limit_falls_to_the_grain() -> None:
    assert [floor_to_grain(n, 10) for n in (0, 9, 10, 19)] == [0, 0, 10, 10]


@pytest.mark.parametrize(
    ("currency", "grain"), [("usd", 1), ("jpy", 1), ("huf", 1), ("kwd", 10), ("isk", 100)]
)
def test_each_currency_has_its_smallest_step(currency: str, grain: int) -> None:
    assert grain_of(currency) == grain
