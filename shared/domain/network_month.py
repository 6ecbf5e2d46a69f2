"""Disputes against payments by network and month: what a network's monitoring looks at.

A network counts by its own calendar and by its own reports, and Visa's counts suspicions of fraud
as well, so these are estimates from below; they say how much room is left, not what is charged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil

from shared.domain.dispute import DisputeKind
from shared.domain.dispute_result import DisputeResult

# An inquiry is no chargeback and what was prevented never became one: no network counts them.
COUNTED = frozenset({DisputeKind.CHARGEBACK, DisputeKind.COMPLIANCE})


@dataclass(frozen=True, slots=True)
class Limit:
    """From `ratio` of the month's payments on, and from `least` disputes on, a company counts."""

    ratio: Fraction
    least: int


# Visa's VAMP for excessive merchants from April 2026 on, Mastercard's ECM. Others publish none.
LIMITS: Mapping[str, Limit] = {
    "visa": Limit(Fraction(15, 1000), 1_500),
    "mastercard": Limit(Fraction(15, 1000), 100),
}
# What a network takes for each further case of a company above its limit: VAMP's 8 USD, which
# stands in for the others and for other currencies.
EXCESS_FEE = 800


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """A payment as Stripe lists it; `network` is empty where it was made otherwise than by card."""

    id: str
    network: str
    paid: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MonthOfPayments:
    """How many payments a month had by network, counted until an instant; its id is the month.

    The partition is that of operations.
    """

    customer: str
    id: str
    counts: tuple[tuple[str, int], ...]
    counted_until: datetime

    def of(self, network: str) -> int:
        """How many of a network's."""
        return dict(self.counts).get(network, 0)


@dataclass(frozen=True, slots=True)
class NetworkMonth:
    """A network's month: how many disputes were opened in it, how many payments were made."""

    network: str
    month: str
    disputes: int
    payments: int

    @property
    def limit(self) -> Limit:
        """The network's."""
        return LIMITS[self.network]

    @property
    def ratio(self) -> Fraction | None:
        """Disputes a payment; None before any payment was counted."""
        return Fraction(self.disputes, self.payments) if self.payments else None

    @property
    def left(self) -> int:
        """How many more disputes this month takes before the limit is reached; never below 0."""
        reached = max(self.limit.least, ceil(self.limit.ratio * self.payments))
        return max(0, reached - self.disputes)

    @property
    def case_cost(self) -> int:
        """What one case more costs beside its own fee (minor units)."""
        return EXCESS_FEE if self.left == 0 else 0


def month_of(at: datetime) -> str:
    """The month of an instant, in UTC."""
    return f"{at:%Y-%m}"


def begin_of(month: str) -> datetime:
    """Its first instant."""
    year, number = month.split("-")
    return datetime(int(year), int(number), 1, tzinfo=UTC)


def next_month(month: str) -> str:
    """The month after it."""
    begin = begin_of(month)
    return month_of(begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1))


def network_months(
    results: Iterable[DisputeResult], payments: Iterable[MonthOfPayments]
) -> list[NetworkMonth]:
    """A row for each counted month and each network with a limit, the first month first."""
    opened: dict[tuple[str, str], int] = {}
    for one in results:
        if one.kind in COUNTED:
            place = (month_of(one.opened_at), one.network)
            opened[place] = opened.get(place, 0) + 1
    return [
        NetworkMonth(network, month.id, opened.get((month.id, network), 0), month.of(network))
        for month in sorted(payments, key=lambda month: month.id)
        for network in sorted(LIMITS)
    ]
