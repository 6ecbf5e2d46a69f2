"""The report on disputes, line by line: months, networks, reasons."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from fractions import Fraction

from shared.domain.dispute import DisputeOutcome
from shared.domain.dispute_months import MonthOfDisputes
from shared.domain.dispute_result import DisputeResult
from shared.domain.money_text import money_text
from shared.domain.network_month import COUNTED, LIMITS, NetworkMonth

# The lowest of the networks' limits; each begins to count at some absolute number as well.
THRESHOLD = min(limit.ratio for limit in LIMITS.values())


def told(months: Sequence[MonthOfDisputes]) -> Iterator[str]:
    """The report, line by line."""
    yield "month    count  inquiries  won  lost  win rate  answered after  ratio      amounts"
    for row in months:
        sums = ", ".join(money_text(amount, currency) for currency, amount in row.amounts)
        yield (
            f"{row.month}  {row.count:5}  {row.inquiries:9}  {row.won:3}  {row.lost:4}  "
            f"{_percent(row.win_rate):>8}  {_days(row.answered_after):>14}  "
            f"{_percent(row.ratio):<9}  {sums}{_over(row)}"
        )


def by_network(rows: Iterable[NetworkMonth]) -> Iterator[str]:
    """Each network's ratio by month against its limit, as far as payments were counted."""
    yield "network     month    disputes  payments  ratio      limit     left"
    for row in rows:
        over = "  OVER" if row.left == 0 else ""
        yield (
            f"{row.network:<10}  {row.month}  {row.disputes:8}  {row.payments:8}  "
            f"{_percent(row.ratio):<9}  {_percent(row.limit.ratio):<8}  {row.left}{over}"
        )


def by_reason(results: Iterable[DisputeResult]) -> Iterator[str]:
    """How each kind of dispute has ended: what the arithmetic of a new one rests on."""
    ended: dict[tuple[str, str, str], Counter[DisputeOutcome]] = defaultdict(Counter)
    for one in results:
        if one.kind in COUNTED:
            ended[one.network, one.reason_code, one.reason][one.outcome] += 1
    yield "network     code   reason                  won  lost  win rate"
    for (network, code, reason), outcomes in sorted(ended.items()):
        won, lost = outcomes[DisputeOutcome.WON], outcomes[DisputeOutcome.LOST]
        rate = Fraction(won, won + lost) if won + lost else None
        yield f"{network:<10}  {code:<5}  {reason:<22}  {won:3}  {lost:4}  {_percent(rate):>8}"


def _percent(rate: Fraction | None) -> str:
    if rate is None:
        return "-"
    hundredths = round(rate * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02} %"


def _days(wait: timedelta | None) -> str:
    return "-" if wait is None else f"{wait.days} d {wait.seconds // 3600} h"


def _over(row: MonthOfDisputes) -> str:
    over = row.ratio is not None and row.ratio >= THRESHOLD
    return f"  OVER {_percent(THRESHOLD)}" if over else ""
