"""Everything that happens at a time: read what is due, never the whole table."""

from dataclasses import dataclass

from shared.application.change import present, wake
from shared.application.end_subscription import end_subscription
from shared.domain.effects import Effect
from shared.domain.subscription import Subscription
from shared.ports import Services

# A minute's schedule drains 16 shards of this many; what is left is due a minute later still.
PER_SHARD = 50


@dataclass(slots=True)
class DueReport:
    """How much a run found and did."""

    ended: int = 0
    woken: int = 0
    unchanged: int = 0


def do_due_work(services: Services) -> DueReport:
    """End what has come to its end, and wake effects whose next attempt has come."""
    report = DueReport()
    for due in services.store.due(present(services), limit=PER_SHARD):
        if due.kind is Effect:
            wake(services, due.customer, [due.id])
            report.woken += 1
        elif due.kind is Subscription and end_subscription(
            services, customer=due.customer, subscription=due.id
        ):
            report.ended += 1
        else:
            report.unchanged += 1
    return report
