"""Formulas: which clause gives how much on which line, and whether anybody must agree."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from shared.domain import clauses as c
from shared.domain.decision import Ruled, Ruling, ruling
from shared.domain.facts import Attribution, Incident, Line
from shared.domain.money import ZERO
from shared.domain.periods import seconds
from shared.domain.proration import DAY, Basis
from shared.domain.shares import (
    LineShare,
    counts,
    disruption_share,
    full_share,
    overcharge_share,
    unused_shares,
)
from shared.domain.situation import InvoiceLine, Situation

Shares = tuple[LineShare, ...]
Parts = Mapping[str, Fraction]


def rule_formula(clause: c.Formula, s: Situation, parts: Parts) -> tuple[list[Ruling], Shares]:
    """The shares of all lines, and an entry for each line that could give something back."""
    match clause.share:
        case c.Share.UNUSED_TIME:
            shares = unused_shares(s, parts)
            return _entries(clause, s, shares), shares
        case c.Share.FULL_AMOUNT:
            shares = tuple(full_share(view, parts[view.line.id]) for view in s.lines)
            return _entries(clause, s, shares), shares
        case c.Share.OVERCHARGE:
            return _overcharge(clause, s, parts)
        case c.Share.DISRUPTION:
            assert isinstance(clause, c.Disruption)
            return _disruption(clause, s, parts)


def nothing(s: Situation) -> Shares:
    """No share on any line."""
    return tuple(LineShare(view, ZERO) for view in s.lines)


def _entries(clause: c.Formula, s: Situation, shares: Shares) -> list[Ruling]:
    """What the formula saw on each line; a case without any line still has one entry."""
    ruled = Ruled.PASSED if clause.outcome is c.Outcome.GRANTED else Ruled.NEEDS_PERSON
    says = f"formula_{clause.share}"
    entries = [
        ruling(clause, ruled, says, _saw(share, s), outcome=clause.outcome, code=clause.code)
        for share in shares
        if share.view.line.amount >= 0
    ]
    if entries:
        return entries
    says = "formula_no_lines"
    return [ruling(clause, ruled, says, outcome=clause.outcome, code=clause.code)]


def _saw(share: LineShare, s: Situation) -> dict[str, Any]:
    saw: dict[str, Any] = {"line": share.view.line.id, "fraction": str(share.fraction)}
    if share.view.line.differences:
        saw["because"] = [
            {"kind": d.kind, "arithmetic": d.arithmetic, "amount": d.amount, "tax": d.tax}
            for d in share.view.line.differences
        ]
    if share.unused is None:
        return saw
    if s.settings.proration.basis is Basis.SECOND:
        saw["unused_seconds"] = seconds(share.unused.length)
    else:
        saw["unused_days"] = share.unused.length // DAY
    return saw


def _overcharge(clause: c.Formula, s: Situation, parts: Parts) -> tuple[list[Ruling], Shares]:
    """Against what the lines should have cost; where nobody said, nothing can be compared."""
    if not any(_expected(view.line) for view in s.lines):
        unknown = ruling(
            clause,
            Ruled.NEEDS_PERSON,
            "formula_overcharge_unknown",
            # While the error itself is not verified, that is what is asked for.
            outcome=c.Outcome.NEEDS_VERIFICATION if s.case.request.verified else None,
            code="expected_amount_unknown",
        )
        return [unknown], nothing(s)
    shares = tuple(overcharge_share(view, parts[view.line.id]) for view in s.lines)
    return _entries(clause, s, shares), shares


def _expected(line: Line) -> bool:
    return line.expected_amount is not None or line.expected_tax is not None


def _disruption(clause: c.Disruption, s: Situation, parts: Parts) -> tuple[list[Ruling], Shares]:
    received_at = s.case.request.received_at
    incidents = s.case.incidents
    counted = [i for i in incidents if counts(clause, i, received_at)]
    saw = {"incidents": len(incidents), "counted": len(counted)}
    outcome, code, says = _disruption_outcome(clause, s, counted)
    if outcome not in (c.Outcome.GRANTED, c.Outcome.NEEDS_APPROVAL):
        ruled = Ruled.FAILED if outcome is c.Outcome.DENIED else Ruled.NEEDS_PERSON
        return [ruling(clause, ruled, says, saw, outcome=outcome, code=code)], nothing(s)
    shares = tuple(disruption_share(v, parts[v.line.id], counted) for v in s.lines)
    ruled = Ruled.PASSED if outcome is c.Outcome.GRANTED else Ruled.NEEDS_PERSON
    entries = [
        ruling(clause, ruled, says, saw | _saw(share, s), outcome=outcome, code=code)
        for share in shares
        if share.view.line.amount >= 0
    ]
    return entries, shares


def _disruption_outcome(
    clause: c.Disruption, s: Situation, counted: list[Incident]
) -> tuple[c.Outcome, str, str]:
    """The outcome, its code and its words."""
    if s.case.request.verified is False:
        return c.Outcome.DENIED, f"{clause.code}_not_confirmed", "disruption_refuted"
    if not s.case.incidents and clause.unrecorded is not c.Outcome.DENIED:
        return clause.unrecorded, f"{clause.code}_not_verified", "disruption_unrecorded"
    unknown = [i for i in s.case.incidents if i.attribution is None] + [
        i for i in counted if clause.sla_entitles and i.beyond_sla is None
    ]
    if unknown:
        return c.Outcome.NEEDS_VERIFICATION, "incident_unclear", "disruption_unclear"
    if not any(_hits(incident, view) for incident in counted for view in s.lines):
        return c.Outcome.DENIED, "no_qualifying_incident", "disruption_absent"
    if not clause.sla_entitles or all(
        i.attribution is Attribution.VENDOR and i.beyond_sla for i in counted
    ):
        return clause.outcome, clause.code, "disruption_passed"
    return c.Outcome.NEEDS_APPROVAL, f"{clause.code}_discretionary", "disruption_discretionary"


def _hits(incident: Incident, view: InvoiceLine) -> bool:
    period = view.line.period
    return period is not None and incident.period.clip(period) is not None
