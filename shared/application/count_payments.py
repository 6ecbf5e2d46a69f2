"""Count the company's payments by network and month, each once, as far as time has come."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from shared.application.change import present
from shared.application.reconcile_lists import REQUESTS_PER_SECOND, Reader
from shared.application.weigh_dispute import counted_months, disputes_of_month
from shared.domain.controls import OPERATIONS
from shared.domain.network_month import (
    ChargeFacts,
    MonthOfPayments,
    NetworkMonth,
    begin_of,
    month_of,
    next_month,
)
from shared.ports import Put, Services

# A payment's outcome is known, and it is listed, well within this.
SETTLED_AFTER = timedelta(hours=1)


def count_payments(services: Services) -> list[NetworkMonth]:
    """Count what was paid since the last run; this month's networks with their disputes.

    Each month's record says until when it was counted, and moves with its count in one write, so
    that a run that fails, comes twice or late counts nothing twice and leaves nothing out.
    """
    until = present(services) - SETTLED_AFTER
    this = month_of(until)
    for month in (_before(this), this):
        _count(services, month, until)
    return [row for row in counted_months(services) if row.month == this]


def dispute_figures(services: Services) -> Iterator[tuple[str, float, dict[str, str]]]:
    """This month's disputes as metrics: a name, a value, and by what it stands apart."""
    for network in count_payments(services):
        apart = {"network": network.network}
        yield "NetworkDisputes", network.disputes, apart
        yield "NetworkPayments", network.payments, apart
        yield "NetworkDisputesLeft", network.left, apart
    month = disputes_of_month(services)
    if month is None:
        return
    yield "Disputes", month.count, {}
    yield "DisputesWon", month.won, {}
    yield "DisputesLost", month.lost, {}
    for currency, amount in month.amounts:
        yield "DisputedAmount", amount, {"currency": currency}
    if month.answered_after is not None:
        yield "DisputeAnsweredAfter", month.answered_after.total_seconds(), {}


def _before(month: str) -> str:
    return month_of(begin_of(month) - timedelta(days=1))


def _count(services: Services, month: str, until: datetime) -> None:
    """The part of a month since it was counted last; a month that was never begun is left out."""
    stored = services.store.get(MonthOfPayments, OPERATIONS, month)
    if stored is None and month != month_of(until):
        return
    known = stored.record if stored else MonthOfPayments(OPERATIONS, month, (), begin_of(month))
    end = min(until, begin_of(next_month(month)))
    if known.counted_until >= end:
        return
    counts = Counter(dict(known.counts))
    reader = Reader(services, REQUESTS_PER_SECOND)
    for charge in reader.all_of(ChargeFacts, known.counted_until):
        if charge.paid and charge.network and charge.created_at < end:
            counts[charge.network] += 1
    counted = replace(known, counts=tuple(sorted(counts.items())), counted_until=end)
    services.store.commit([Put(counted, stored.version if stored else 0)])
