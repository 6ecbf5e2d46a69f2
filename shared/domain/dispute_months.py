"""The company's disputes by month: how many, about how much, how they ended, how fast it answered.

Pure: results and counts of payments in, rows out. A network's own count may differ, since each
counts by its own calendar and by its own payments alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from statistics import median

from shared.domain.dispute import DisputeKind, DisputeOutcome
from shared.domain.dispute_result import DisputeResult
from shared.domain.network_month import COUNTED, month_of


@dataclass(frozen=True, slots=True)
class MonthOfDisputes:
    """One month; `payments` is how many there were, 0 when that is not known."""

    month: str
    count: int
    inquiries: int
    amounts: tuple[tuple[str, int], ...]
    won: int
    lost: int
    payments: int
    answered_after: timedelta | None

    @property
    def win_rate(self) -> Fraction | None:
        """Of what was decided."""
        decided = self.won + self.lost
        return Fraction(self.won, decided) if decided else None

    @property
    def ratio(self) -> Fraction | None:
        """Chargebacks a payment."""
        return Fraction(self.count, self.payments) if self.payments else None


def by_month(
    results: Iterable[DisputeResult], payments: Mapping[str, int]
) -> list[MonthOfDisputes]:
    """A row for each month in which a dispute was opened, the first one first."""
    months: dict[str, list[DisputeResult]] = defaultdict(list)
    for result in results:
        months[month_of(result.opened_at)].append(result)
    return [_row(month, found, payments.get(month, 0)) for month, found in sorted(months.items())]


def _row(month: str, found: Sequence[DisputeResult], payments: int) -> MonthOfDisputes:
    counted = [one for one in found if one.kind in COUNTED]
    amounts: Counter[str] = Counter()
    for one in counted:
        amounts[one.currency] += one.amount
    outcomes = Counter(one.outcome for one in counted)
    waits = [
        (one.submitted_at - one.opened_at).total_seconds() for one in found if one.submitted_at
    ]
    return MonthOfDisputes(
        month=month,
        count=len(counted),
        inquiries=sum(one.kind is DisputeKind.INQUIRY for one in found),
        amounts=tuple(sorted(amounts.items())),
        won=outcomes[DisputeOutcome.WON],
        lost=outcomes[DisputeOutcome.LOST],
        payments=payments,
        answered_after=timedelta(seconds=median(waits)) if waits else None,
    )
