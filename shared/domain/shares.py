"""Shares: what exactly is due on each line, before anything is rounded."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from shared.domain import clauses as c
from shared.domain.decision import Ruling
from shared.domain.facts import Incident
from shared.domain.money import ONE, ZERO
from shared.domain.periods import Period, ratio, total_length, union
from shared.domain.proration import Unused, unused_time
from shared.domain.situation import InvoiceLine, Situation, used_part

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# The unused time of each period, given as its start, its end and until when it is the line's own.
Spans = dict[tuple[datetime, datetime, datetime], Unused]


class LineShare(NamedTuple):
    """An exact share of a line: the part of it that is due.

    ``refunded_from`` is where a share of time begins, ``unused`` the time that it is of,
    ``tax_part`` the part of its tax where that is another one than ``fraction``.
    """

    view: InvoiceLine
    fraction: Fraction
    refunded_from: datetime | None = None
    unused: Unused | None = None
    tax_part: Fraction | None = None

    @property
    def net(self) -> Fraction:
        """What is due in minor units, less what was already given back for the same ground."""
        line = self.view.line
        return max(self.fraction * line.amount - line.returned.amount, ZERO)

    @property
    def tax(self) -> Fraction:
        """The tax that is due, likewise."""
        line = self.view.line
        return max(self.tax_fraction * line.tax - line.returned.tax, ZERO)

    @property
    def tax_fraction(self) -> Fraction:
        """The part of the line's tax that is due."""
        return self.fraction if self.tax_part is None else self.tax_part


def available_parts(s: Situation, rulings: Iterable[Ruling]) -> Mapping[str, Fraction]:
    """Which part of each line is left after what the rules left out; credits never have any."""
    parts = {v.line.id: ZERO if v.line.amount < 0 else ONE for v in s.lines}
    for entry in rulings:
        for name, part in entry.left_out.items():
            parts[name] = min(parts[name], ONE - part)
    return parts


def unused_shares(s: Situation, parts: Mapping[str, Fraction]) -> tuple[LineShare, ...]:
    """Of each line the time from the end of the service on; of prepaid usage, what was not used."""
    spans: Spans = {}  # most lines share their period
    return tuple(_unused_share(view, s, parts[view.line.id], spans) for view in s.lines)


def _unused_share(
    view: InvoiceLine,
    s: Situation,
    available: Fraction,
    spans: Spans,
) -> LineShare:
    at, period = s.case.request.effective_at, view.line.period
    used = used_part(view, s.case.request.received_at)
    if view.until is None or period is None:
        prepaid = view.line.used_amount is not None
        return LineShare(view, min(available, ONE - used) if prepaid else ZERO)
    span = period.start, period.end, view.until
    unused = spans.get(span)
    if unused is None:
        basis, zone = s.settings.proration.basis, s.settings.proration.time_zone
        unused = spans[span] = unused_time(period, view.until, at, basis=basis, zone=zone)
    metered = view.line.used_amount is not None or used
    fraction = ONE - used if metered and at < view.until else unused.fraction
    if available is not ONE:
        fraction = min(fraction, available)
    return LineShare(view, fraction, unused.refunded_from, unused)


def overcharge_share(view: InvoiceLine, available: Fraction) -> LineShare:
    """What the line cost above what it should have cost; its tax on its own where that is known."""
    line = view.line
    fraction = min(_above(line.amount, line.expected_amount), available)
    if line.expected_tax is None:
        return LineShare(view, fraction)
    return LineShare(view, fraction, tax_part=min(_above(line.tax, line.expected_tax), available))


def _above(charged: int, expected: int | None) -> Fraction:
    """The part of a charge that is above what was expected."""
    if expected is None or expected >= charged:
        return ZERO
    return Fraction(charged - expected, charged)


def full_share(view: InvoiceLine, available: Fraction) -> LineShare:
    """All of the line, save what a mid-cycle credit took back."""
    period = view.line.period
    if view.until is None or period is None or view.until == period.end:
        return LineShare(view, available)
    return LineShare(view, available * ratio(view.until - period.start, period.length))


def disruption_share(
    view: InvoiceLine, available: Fraction, incidents: Iterable[Incident]
) -> LineShare:
    """The time in which the line's services were down, each by its weight."""
    period = view.line.period
    if not available or view.until is None or period is None:
        return LineShare(view, ZERO)
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
    return LineShare(view, available * down / whole)


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
