"""Texts that people write: what is refused in them, and what is made harmless.

A number that could be a card's never enters (PCI DSS). Control characters are refused. A text that
a spreadsheet would take for a formula gets an apostrophe in front; markup stays as it was written,
since whoever shows it as HTML escapes it.
"""

import re

from shared.domain.errors import InvalidRequestError

_DIGITS = re.compile(r"(?<!\d)\d(?:[ .-]?\d){12,18}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def clean_text(text: str, path: str) -> str:
    """The text as it may be kept.

    Raises:
        InvalidRequestError: it holds a card number, control characters, or nothing.
    """
    fault = _fault(text)
    if fault is not None:
        raise InvalidRequestError(
            "invalid-request",
            "This text cannot be taken.",
            {"errors": [{"path": path, "message": fault}]},
        )
    kept = text.strip()
    return f"'{kept}" if kept.startswith(_FORMULA) else kept


def _fault(text: str) -> str | None:
    if not text.strip():
        return "must say something"
    if _CONTROL.search(text):
        return "must not hold control characters"
    if any(_is_card(found.group()) for found in _DIGITS.finditer(text)):
        return "holds what looks like a card number; leave it out"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must be valid Unicode"
    return None


def _is_card(text: str) -> bool:
    """Whether the digits pass the check that every card number passes (ISO/IEC 7812, Luhn)."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - Luhn's
    return sum(digits[-1::-2] + doubled) % 10 == 0
