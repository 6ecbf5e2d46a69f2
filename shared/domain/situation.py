"""The situation: a case under a policy, with what every rule would otherwise work out again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from shared.domain.facts import Case, Invoice, Line, LineKind
from shared.domain.money import ONE, ZERO, grain_of
from shared.domain.policy import Policy
from shared.domain.settings import Settings, overridden


class InvoiceLine(NamedTuple):
    """A line and the invoice it stands on.

    ``until`` is the end of the span that is still the line's own: its period's end, or the instant
    from which a mid-cycle credit took the rest back. None where the line has no span of time.
    """

    line: Line
    invoice: int
    until: datetime | None


class Situation(NamedTuple):
    """A case under a policy."""

    policy: Policy
    case: Case
    settings: Settings
    currency: str | None
    grain: int
    lines: tuple[InvoiceLine, ...]

    @property
    def cycle_end(self) -> datetime | None:
        """When the last paid cycle ends; None where nothing was sold for a span of time."""
        ends = [
            view.until
            for view in self.lines
            if view.until is not None and view.line.kind is LineKind.SUBSCRIPTION
        ]
        return max(ends, default=None)


def used_part(view: InvoiceLine, at: datetime) -> Fraction:
    """Which part of a line of usage was used by an instant; nothing of any other line.

    Usage of a period that is over, or of none, is used up unless the line says otherwise.
    """
    line = view.line
    if line.used_amount is not None:
        return Fraction(line.used_amount, line.amount) if line.amount > 0 else ONE
    if line.kind is not LineKind.USAGE:
        return ZERO
    return ONE if view.until is None or view.until <= at else ZERO


def situation(policy: Policy, case: Case) -> Situation:
    """The case under the policy, its overrides applied."""
    currency = case.invoices[0].currency if case.invoices else None
    return Situation(
        policy,
        case,
        overridden(policy.settings, case.overrides),
        currency,
        1 if currency is None else grain_of(currency),
        tuple(_invoice_lines(case.invoices)),
    )


def _invoice_lines(invoices: tuple[Invoice, ...]) -> Iterable[InvoiceLine]:
    taken_back = _taken_back(invoices)
    for index, invoice in enumerate(invoices):
        for line in invoice.lines:
            period = line.period
            if line.amount < 0 or period is None or period.start == period.end:
                yield InvoiceLine(line, index, None)
            else:
                until = period.end
                if line.id in taken_back:
                    until = max(period.start, min(until, taken_back[line.id]))
                yield InvoiceLine(line, index, until)


def _taken_back(invoices: tuple[Invoice, ...]) -> Mapping[str, datetime]:
    """From when on a mid-cycle credit took each credited line back."""
    starts: dict[str, datetime] = {}
    for invoice in invoices:
        for line in invoice.lines:
            if line.amount < 0 and line.period is not None:
                for name in line.credits:
                    starts[name] = min(line.period.start, starts.get(name, line.period.start))
    return starts
