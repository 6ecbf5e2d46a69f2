"""Amounts written out for people."""

from shared.domain.money import THREE_DECIMAL, ZERO_DECIMAL


def money_text(amount: int, currency: str) -> str:
    """`amount` minor units as people write it: ``974.79 USD``, ``1200 JPY``."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(decimals + 1, "0")
    whole, rest = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    return f"{sign}{whole}{'.' if rest else ''}{rest} {currency.upper()}"
