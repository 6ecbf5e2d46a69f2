"""Whole minor units: how they are rounded, spread and printed."""

from fractions import Fraction

ZERO_DECIMAL = {
    *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
    *("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"),
}
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}


def money(amount: int, currency: str) -> str:
    """An amount in minor units as Stripe's messages print it: `$1,040.00`, `¥500` (recorded)."""
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    if currency in ZERO_DECIMAL:
        return f"{symbol}{amount:,}"
    return f"{symbol}{amount // 100:,}.{amount % 100:02}"


def half_up(exact: Fraction) -> int:
    """Rounded to a whole minor unit, halves away from zero."""
    whole = abs(exact) + Fraction(1, 2)
    return (1 if exact >= 0 else -1) * (whole.numerator // whole.denominator)


def floor(exact: Fraction) -> int:
    """Rounded down, which is how Stripe rounds each proration line (recorded)."""
    return exact.numerator // exact.denominator


def spread(amount: int, weights: list[int]) -> list[int]:
    """`amount` in proportion to the weights; what remains goes to the largest fractions."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for index in order[: amount - sum(parts)]:
        parts[index] += 1
    return parts
