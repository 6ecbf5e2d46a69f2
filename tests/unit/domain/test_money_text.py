"""Amounts as people write them."""

import pytest

from shared.domain.money_text import money_text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (97479, "usd", "974.79 USD"),
        (5, "eur", "0.05 EUR"),
        (-150, "usd", "-1.50 USD"),
        (36000, "jpy", "36000 JPY"),
        (5120, "kwd", "5.120 KWD"),
        (0, "usd", "0.00 USD"),
    ],
)
def test_an_amount_is_written_with_its_currencys_decimals(
    amount: int, currency: str, text: str
) -> None:
    assert money_text(amount, currency) == text
