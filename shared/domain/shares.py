"""Shares: what exactly is due on each line, before anything is rounded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from shared.domain import clauses as c
from shared.domain.decision import Ruling
from shared.domain.facts import Incident
from shared.domain.money import ONE, ZERO
from shared.domain.periods import Period, ratio, total_length, union
from shared.domain.proration import Unused, unused_time
from shared.domain.situation import InvoiceLine, Situation, used_part

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LineShare:
    """An exact share of a line, net and tax in minor units.

    ``fraction`` is the part of the line that is due; what was already given back for the same
    ground is off ``net`` and ``tax``. ``refunded_from`` is where a share of time begins.
    """

    view: InvoiceLine
    fraction: Fraction
    net: Fraction
    tax: Fraction
    refunded_from: datetime | None
    unused: Unused | None


def line_share(
    view: InvoiceLine,
    fraction: Fraction,
    *,
    refunded_from: datetime | None = None,
    unused: Unused | None = None,
) -> LineShare:
    """A fraction of the line, less what it has already given back."""
    line = view.line
    if not fraction:
        return LineShare(view, ZERO, ZERO, ZERO, refunded_from, unused)
    net = _less(fraction * line.amount, line.returned.amount)
    tax = _less(fraction * line.tax, line.returned.tax) if line.tax else ZERO
    return LineShare(view, fraction, net, tax, refunded_from, unused)


def _less(share: Fraction, returned: int) -> Fraction:
    return max(share - returned, ZERO) if returned else share


def available_parts(s: Situation, rulings: Iterable[Ruling]) -> Mapping[str, Fraction]:
    """Which part of each line is left after what the rules left out; credits never have any."""
    parts = {v.line.id: ZERO if v.line.amount < 0 else ONE for v in s.lines}
    for entry in rulings:
        for name, part in entry.left_out.items():
            parts[name] = min(parts[name], ONE - part)
    return parts


def unused_share(view: InvoiceLine, s: Situation, available: Fraction) -> LineShare:
    """The time from the end of the service on; of prepaid usage, what was not used."""
    at, period = s.case.request.effective_at, view.line.period
    used = used_part(view, s.case.request.received_at)
    if view.until is None or period is None:
        prepaid = view.line.used_amount is not None
        return line_share(view, min(available, ONE - used) if prepaid else ZERO)
    proration = s.settings.proration
    unused = unused_time(period, view.until, at, basis=proration.basis, zone=proration.time_zone)
    metered = view.line.used_amount is not None or used
    fraction = ONE - used if metered and at < view.until else unused.fraction
    if available is not ONE:
        fraction = min(fraction, available)
    return line_share(view, fraction, refunded_from=unused.refunded_from, unused=unused)


def overcharge_share(view: InvoiceLine, available: Fraction) -> LineShare:
    """What the line cost above what it should have cost."""
    line = view.line
    if line.expected_amount is None or line.expected_amount >= line.amount:
        return line_share(view, ZERO)
    fraction = Fraction(line.amount - line.expected_amount, line.amount)
    return line_share(view, min(fraction, available))


def full_share(view: InvoiceLine, available: Fraction) -> LineShare:
    """All of the line, save what a mid-cycle credit took back."""
    period = view.line.period
    if view.until is None or period is None or view.until == period.end:
        return line_share(view, available)
    return line_share(view, available * ratio(view.until - period.start, period.length))


def disruption_share(
    view: InvoiceLine, available: Fraction, incidents: Iterable[Incident]
) -> LineShare:
    """The time in which the line's services were down, each by its weight."""
    period = view.line.period
    if not available or view.until is None or period is None:
        return line_share(view, ZERO)
    own = Period(period.start, view.until)
    spans = [(i.services, span) for i in incidents if (span := i.period.clip(own))]
    services: list[tuple[str | None, int]] = [(x.name, x.weight) for x in view.line.services] or [
        (None, 1)
    ]
    down = ZERO
    for name, weight in services:
        hit = union(span for names, span in spans if name is None or not names or name in names)
        down += ratio(total_length(hit), period.length) * weight
    whole = sum(weight for _, weight in services)
    return line_share(view, available * down / whole)


def counts(clause: c.Disruption, incident: Incident, received_at: datetime) -> bool:
    """Whether an incident is one that the clause gives something for."""
    if incident.attribution not in clause.attributions:
        return False
    if incident.period.length < clause.at_least_minutes * MINUTE:
        return False
    if clause.reported_within_hours is None:
        return True
    reported_at = incident.reported_at or received_at
    return (reported_at - incident.period.start) <= clause.reported_within_hours * HOUR
