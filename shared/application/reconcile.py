"""Hold Stripe's lists against our records; put right what the normal paths can, name the rest.

Nothing here moves money or decides anew: a repair looks at an object again exactly as its event
would have had us do, or wakes what is due. Running it twice, or beside everything else, is safe.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from shared.application.adopt_refund import refresh_refund
from shared.application.change import wake_stored
from shared.application.end_subscription import end_subscription
from shared.application.handle_dispute import handle_dispute
from shared.application.reconcile_lists import (
    Lists,
    Progress,
    Reader,
    Scope,
    load_here,
    look_for_missing,
    read_lists,
)
from shared.application.refresh_subscription import refresh_subscription
from shared.domain.clearing import clear
from shared.domain.comparison import compare
from shared.domain.errors import FairexitError
from shared.domain.reconciliation import AtStripe, Cleared, Divergence, DivergenceKind, Repair
from shared.ports import Services

# The most requests that one repair makes of Stripe.
_REPAIR_REQUESTS = 5
_TELL_EVERY = 100


class Outcome(StrEnum):
    """What became of a divergence."""

    REPAIRED = "repaired"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Finding:
    """A divergence and what became of it; `note` says why a repair did not help."""

    divergence: Divergence
    outcome: Outcome
    note: str = ""


@dataclass(slots=True)
class Report:
    """One reconciliation: what was read, what was compared, and what differs.

    `busy` are customers of whom something was under way, `unread` those whose records or objects
    could not be read, with the reason.
    """

    since: datetime
    now: datetime
    counts: dict[str, int]
    compared: int = 0
    busy: int = 0
    requests: int = 0
    findings: list[Finding] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    cleared: dict[tuple[date, str], Cleared] = field(default_factory=dict)


def reconcile(
    services: Services,
    scope: Scope | None = None,
    *,
    repair: bool = True,
    progress: Progress = lambda _: None,
) -> Report:
    """Compare, repair, and report.

    Args:
        services: the ports.
        scope: how far, how old, how fast; the daily run's when left out.
        repair: whether to put right what the normal paths can.
        progress: hears of each step, for a person who waits.
    """
    scope = scope or Scope()
    reader = Reader(services, scope.requests_per_second)
    lists = read_lists(services, reader, scope, progress)
    report = Report(lists.moment.since, lists.moment.now, lists.counts)
    for number, (customer, seen) in enumerate(lists.customers.items(), start=1):
        try:
            _compare(services, reader, lists, report, customer, seen, repair=repair)
        except FairexitError as error:
            report.unread.append((customer, str(error)))
        if number % _TELL_EVERY == 0:
            found = len(report.findings)
            progress(f"{number} of {len(lists.customers)} customers, {found} divergences")
    report.requests = reader.requests
    return report


def _compare(
    services: Services,
    reader: Reader,
    lists: Lists,
    report: Report,
    customer: str,
    seen: AtStripe,
    *,
    repair: bool,
) -> None:
    moment = lists.moment
    here = load_here(services, customer)
    if here.is_busy(moment):
        report.busy += 1
        return
    report.compared += 1
    seen = look_for_missing(services, reader, here, seen, moment)
    divergences = compare(here, seen, moment)
    findings = [_settle(services, reader, one, repair=repair) for one in divergences]
    if any(finding.outcome is Outcome.REPAIRED for finding in findings):
        here = load_here(services, customer)
        left = {(one.kind, one.subject) for one in compare(here, seen, moment)}
        findings = [_confirmed(finding, left) for finding in findings]
    report.findings += findings
    for row in clear(here, seen, moment) if here.is_known else ():
        place = (row.day, row.currency)
        known = report.cleared.get(place)
        report.cleared[place] = known.plus(row) if known else row


def _settle(services: Services, reader: Reader, divergence: Divergence, *, repair: bool) -> Finding:
    if divergence.repair is None or not repair:
        return Finding(divergence, Outcome.NEEDS_PERSON)
    reader.spend(_REPAIR_REQUESTS)
    try:
        REPAIRS[divergence.repair](services, divergence.customer, divergence.subject)
    except FairexitError as error:
        return Finding(divergence, Outcome.NEEDS_PERSON, str(error))
    return Finding(divergence, Outcome.REPAIRED)


def _confirmed(finding: Finding, left: set[tuple[DivergenceKind, str]]) -> Finding:
    """A repair counts when the difference is gone; what was only woken shows at the next run."""
    one = finding.divergence
    if one.repair is Repair.WAKE_EFFECT or (one.kind, one.subject) not in left:
        return finding
    return Finding(one, Outcome.NEEDS_PERSON, finding.note or "the normal path changed nothing")


def _handle_dispute(services: Services, customer: str, dispute: str) -> None:
    del customer
    event = f"reconciliation-{services.ids.new()}"
    handle_dispute(services, dispute=dispute, event=event, event_type="reconciliation")


REPAIRS: dict[Repair, Callable[[Services, str, str], object]] = {
    Repair.REFRESH_REFUND: lambda services, _, refund: refresh_refund(services, refund=refund),
    Repair.HANDLE_DISPUTE: _handle_dispute,
    Repair.REFRESH_SUBSCRIPTION: lambda services, customer, subscription: refresh_subscription(
        services, customer=customer, subscription=subscription
    ),
    Repair.WAKE_EFFECT: wake_stored,
    Repair.END_SUBSCRIPTION: lambda services, customer, subscription: end_subscription(
        services, customer=customer, subscription=subscription
    ),
}
