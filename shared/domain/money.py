"""Money: whole minor units, exact fractions, one rounding step, largest remainder.

An amount is an ``int`` in the minor unit in which Stripe counts a currency. Shares are exact
``Fraction`` values until :func:`round_to_grain` is called, once, at the end.
"""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from math import lcm

ZERO = Fraction(0)
ONE = Fraction(1)


class Rounding(StrEnum):
    """How a share becomes a whole number of grains."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"


# Which amounts Stripe can move: https://docs.stripe.com/currencies (supported, zero-decimal,
# three-decimal and special-case currencies).
TWO_DECIMAL = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf
cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl hrk htg huf idr
ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mro mur mvr mwk mxn myr
mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos
srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd xcg yer zar zmw
"""
ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
# The last of three decimals must be 0.
THREE_DECIMAL = "bhd jod kwd omr tnd"
# Without decimals in life, but counted in hundredths for backward compatibility. (HUF and TWD are
# whole only in payouts; charges and refunds may carry their two decimals.)
WHOLE_HUNDREDS = "isk ugx"

GRAINS = {
    currency: grain
    for grain, currencies in (
        (1, TWO_DECIMAL + ZERO_DECIMAL),
        (10, THREE_DECIMAL),
        (100, WHOLE_HUNDREDS),
    )
    for currency in currencies.split()
}


def grain_of(currency: str) -> int:
    """The smallest step, in minor units, in which Stripe refunds this currency."""
    return GRAINS[currency]


def round_to_grain(amount: Fraction, grain: int, rule: Rounding) -> int:
    """A non-negative exact amount in minor units, rounded to a whole multiple of the grain."""
    return round_ratio(amount.numerator, amount.denominator, grain, rule)


def round_ratio(numerator: int, denominator: int, grain: int, rule: Rounding) -> int:
    """A non-negative ratio in minor units, rounded to a whole multiple of the grain."""
    divisor = denominator * grain
    units, rest = divmod(numerator, divisor)
    match rule:
        case Rounding.HALF_UP:
            up = 2 * rest >= divisor
        case Rounding.HALF_EVEN:
            up = 2 * rest > divisor or (2 * rest == divisor and units % 2 == 1)
        case Rounding.DOWN:
            up = False
    return (units + up) * grain


def floor_to_grain(amount: int, grain: int) -> int:
    """The largest whole multiple of the grain that is not above a non-negative amount."""
    return amount - amount % grain


def over_one_denominator(shares: Sequence[Fraction]) -> tuple[list[int], int]:
    """The same shares as whole numbers over one denominator: cheaper to add and to compare."""
    whole = lcm(*(share.denominator for share in shares))
    return [share.numerator * (whole // share.denominator) for share in shares], whole


def allocate(total: int, shares: Sequence[Fraction], keys: Sequence[str], grain: int) -> list[int]:
    """Whole parts of ``total``, near their exact shares, that sum to it; see `allocate_ratios`."""
    numerators, whole = over_one_denominator(shares)
    return allocate_ratios(total, numerators, whole, keys, grain)


def allocate_ratios(
    total: int, numerators: Sequence[int], denominator: int, keys: Sequence[str], grain: int
) -> list[int]:
    """Whole parts of ``total``, near their exact ratios, that sum to it (largest remainder).

    ``total`` is a multiple of the grain and within one grain a share of the ratios' sum. Parts left
    over go to the largest remainders, ties by key, so the order of the lines never matters.
    """
    divided = [divmod(numerator, denominator * grain) for numerator in numerators]
    parts = [units * grain for units, _ in divided]
    left = (total - sum(parts)) // grain
    if left:
        order = sorted(range(len(parts)), key=lambda i: (-divided[i][1], keys[i]))
        for i in order[:left]:
            parts[i] += grain
    assert sum(parts) == total, "the parts must sum to the whole"
    return parts


def scaled(shares: Sequence[Fraction], total: int) -> list[Fraction]:
    """The shares in the same proportion, summing to ``total`` exactly."""
    whole = sum(shares, ZERO)
    if not whole:
        return list(shares)
    return [share * total / whole for share in shares]
