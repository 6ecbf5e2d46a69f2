"""Signals: what staff may want to know of a request, each with the fact behind it.

A signal is no verdict: nothing here is read by any decision, and none denies anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Half a year shows a habit; a month of an account is mostly its first invoice.
REPEAT_WITHIN = timedelta(days=180)
REPEAT_COUNT = 2
FRESH_WITHIN = timedelta(days=30)


class SignalKind(StrEnum):
    """What is signalled."""

    REPEAT_REFUNDER = "repeat_refunder"
    FRESH_ACCOUNT = "fresh_account"
    COUNTRY_MISMATCH = "country_mismatch"


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind, and the fact that it rests on."""

    kind: SignalKind
    fact: str


def signals_of(
    now: datetime,
    *,
    paid_out_at: Iterable[datetime],
    activated_at: datetime | None,
    country: str | None,
    card_countries: Iterable[str],
) -> tuple[Signal, ...]:
    """The signals that these facts give.

    Args:
        now: when they are looked at.
        paid_out_at: when each earlier request of the customer was decided that gave money back.
        activated_at: when the customer first paid.
        country: where the customer is, as the billing side has it.
        card_countries: where the cards were issued that paid.
    """
    found = []
    lately = [at for at in paid_out_at if now - at <= REPEAT_WITHIN]
    if len(lately) >= REPEAT_COUNT:
        fact = f"{len(lately)} requests gave money back in the last {REPEAT_WITHIN.days} days"
        found.append(Signal(SignalKind.REPEAT_REFUNDER, fact))
    if activated_at is not None and now - activated_at <= FRESH_WITHIN:
        fact = f"first paid on {activated_at.date().isoformat()}"
        found.append(Signal(SignalKind.FRESH_ACCOUNT, fact))
    others = sorted({card for card in card_countries if country and card != country})
    if others:
        fact = f"the customer is in {country}, a card that paid is from {', '.join(others)}"
        found.append(Signal(SignalKind.COUNTRY_MISMATCH, fact))
    return tuple(found)
