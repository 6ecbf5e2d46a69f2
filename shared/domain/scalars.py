"""The plain values of our documents: amounts, instants, names, choices."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.money import GRAINS
from shared.domain.shapes import FAULTY, Scalar

# RFC 3339; more than six decimals would be lost, so they are refused.
INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# Arithmetic on dates never leaves the years that datetime knows, and no bill is outside of these.
YEARS = range(1970, 3000)
# More than Stripe moves at once by far, and few enough digits to print whatever follows from them.
LARGEST = 10**15
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def _whole(minimum: int) -> Scalar:
    def convert(value: Any) -> Any:
        return value if type(value) is int and minimum <= value <= LARGEST else FAULTY

    form = {"type": "integer", "minimum": minimum, "maximum": LARGEST}
    return Scalar(convert, f"a whole number from {minimum} to {LARGEST}", form)


def _text(value: Any) -> Any:
    return value if isinstance(value, str) and value.strip() else FAULTY


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else FAULTY


def _instant(value: Any) -> Any:
    """A TOML date-time is already one; JSON has text."""
    if isinstance(value, str) and INSTANT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value.upper())
        except ValueError:
            return FAULTY
    if not isinstance(value, datetime) or value.tzinfo is None or value.year not in YEARS:
        return FAULTY
    return value.astimezone(UTC)


def _zone(value: Any) -> Any:
    if not isinstance(value, str):
        return FAULTY
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # absent, malformed, a folder's name
        return FAULTY


def choice(enum: type[StrEnum]) -> Scalar:
    """One of the enum's values."""
    return one_of(enum)


def one_of(texts: Iterable[str]) -> Scalar:
    """One of these texts, which may be members of an enum."""
    allowed = {str(text): text for text in texts}
    return Scalar(
        lambda value: allowed.get(value, FAULTY) if isinstance(value, str) else FAULTY,
        "one of " + ", ".join(allowed),
        {"enum": list(allowed)},
    )


def constant(text: str) -> Scalar:
    """Exactly this text: the key that tells variants apart."""
    return Scalar(lambda value: text if value == text else FAULTY, str(text), {"const": str(text)})


WHOLE = _whole(-LARGEST)
COUNT = _whole(0)
POSITIVE = _whole(1)
TEXT = Scalar(_text, "a text that is not empty", {"type": "string", "minLength": 1})
STRING = Scalar(
    lambda value: value if isinstance(value, str) else FAULTY, "a text", {"type": "string"}
)
FLAG = Scalar(_flag, "true or false", {"type": "boolean"})
MOMENT = Scalar(
    _instant,
    "an RFC 3339 instant with an offset, such as 2026-03-10T12:00:00Z, of a year from 1970 to 2999",
    {"type": "string", "format": "date-time"},
)
ZONE = Scalar(
    _zone, "the name of an IANA time zone, such as Europe/Paris", {"type": "string", "minLength": 1}
)
CURRENCY = Scalar(
    lambda value: value if isinstance(value, str) and value in GRAINS else FAULTY,
    "a currency code of Stripe in lower case, such as usd",
    {"enum": sorted(GRAINS)},
)
COUNTRY_CODE = Scalar(
    lambda value: value if isinstance(value, str) and COUNTRY.fullmatch(value) else FAULTY,
    "an ISO 3166 country code of two capital letters, such as DE",
    {"type": "string", "pattern": "^[A-Z]{2}$"},
)
