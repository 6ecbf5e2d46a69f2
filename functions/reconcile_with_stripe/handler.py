"""Hold Stripe's lists against our records, once a day.

Trigger: the EventBridge schedule; a run that fails or is missed leaves no gap, since each looks at
three days. Nothing here moves money.
Outcomes: every divergence is logged and counted in `Divergences`, as repaired or needs_person; a
customer whose records could not be compared is counted as failed. What was paid since the last run
is counted by network; the month's disputes are measured, and what each network's limit leaves.
"""

from typing import Any

from shared.application.count_payments import dispute_figures
from shared.application.reconcile import Finding, reconcile
from shared.runtime.bootstrap import services_for
from shared.runtime.observability import logger, measure
from shared.runtime.settings import Effects, Stripe, Table
from shared.runtime.sqs import each, quietly


@quietly
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """One run; how many divergences had which outcome."""
    services = services_for(Table, Effects, Stripe)
    report = reconcile(services, progress=say)
    for day in report.cleared.values():
        if day.rest:
            logger().warning(
                "a day is not cleared", day=str(day.day), currency=day.currency, rest=day.rest
            )
    found: list[Finding | tuple[str, str]] = [*report.findings, *report.unread]
    outcomes = each("Divergences", found, tell)
    for name, value, apart in dispute_figures(services):
        measure(name, value, **apart)
    return outcomes


def say(step: str) -> None:
    """Log how far a run has come."""
    logger().info("reconciliation goes on", step=step)


def tell(found: Finding | tuple[str, str]) -> str:
    """Log one finding; the word under which it is counted."""
    if isinstance(found, tuple):
        customer, reason = found
        logger().error("a customer could not be compared", customer=customer, reason=reason)
        return "failed"
    one = found.divergence
    logger().warning(
        "our records and Stripe's differ",
        kind=one.kind.value,
        customer=one.customer,
        subject=one.subject,
        detail=one.detail,
        outcome=found.outcome.value,
        note=found.note,
    )
    return found.outcome.value
