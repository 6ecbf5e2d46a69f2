"""Eligibility: the rules that say whether a request counts at all, and for which lines."""

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction

from shared.domain import clauses as c
from shared.domain.calendars import days_between
from shared.domain.decision import Ruled, Ruling, ruling
from shared.domain.facts import Standing
from shared.domain.money import ONE, ZERO
from shared.domain.periods import instant_text
from shared.domain.situation import InvoiceLine, Situation, used_part


def rule_exclusion(clause: c.Exclusion, s: Situation) -> list[Ruling]:
    """Each finding that rules a refund out is a reason of its own."""
    found = clause.findings & s.case.request.findings
    incidents = s.case.incidents
    attributions = {i.attribution for i in incidents}
    if incidents and all(a in clause.attributions for a in attributions):
        found |= {clause.attributions[a] for a in attributions if a is not None}
    if not found:
        return [ruling(clause, Ruled.PASSED, "exclusion_passed")]
    return [
        ruling(
            clause,
            Ruled.FAILED,
            "exclusion_failed",
            {"finding": finding.value},
            outcome=c.Outcome.DENIED,
            code=finding.value,
        )
        for finding in sorted(found)
    ]


def rule_standing(clause: c.StandingRule, s: Situation) -> list[Ruling]:
    """The account is in good standing, and earlier invoices are paid where that is asked."""
    customer = s.case.customer
    rulings: list[Ruling] = []
    if customer.standing is Standing.SUSPENDED:
        rulings.append(
            ruling(
                clause,
                Ruled.FAILED,
                "standing_suspended",
                {"standing": customer.standing.value},
                outcome=c.Outcome.DENIED,
                code="account_suspended",
            )
        )
    earlier = _earlier_open_invoices(s) if clause.invoices_paid else []
    if earlier:
        rulings.append(
            ruling(
                clause,
                Ruled.FAILED,
                "standing_open_invoices",
                {"open_invoices": earlier},
                outcome=c.Outcome.DENIED,
                code="open_invoice",
            )
        )
    return rulings or [ruling(clause, Ruled.PASSED, "standing_passed")]


def _earlier_open_invoices(s: Situation) -> list[str]:
    own = {invoice.number for invoice in s.case.invoices}
    return sorted(number for number in s.case.customer.open_invoices if number not in own)


def rule_ground(clause: c.GroundRule, s: Situation) -> list[Ruling]:
    """What the ground leads to by itself, or once it is verified."""
    saw = {"ground": s.case.request.ground.value, "verified": s.case.request.verified}
    if clause.outcome is not c.Outcome.NEEDS_VERIFICATION:
        says = f"ground_{clause.outcome}"
        person = Ruled.NEEDS_PERSON if clause.outcome is c.Outcome.REFERRED else Ruled.FAILED
        return [ruling(clause, person, says, saw, outcome=clause.outcome, code=clause.code)]
    if s.case.request.verified is False:
        outcome = c.Outcome.DENIED
        code = f"{clause.code}_not_confirmed"
        return [ruling(clause, Ruled.FAILED, "ground_refuted", saw, outcome=outcome, code=code)]
    if s.case.request.verified:
        return [ruling(clause, Ruled.PASSED, "ground_passed", saw)]
    outcome = c.Outcome.NEEDS_VERIFICATION
    code = f"{clause.code}_not_verified"
    return [
        ruling(clause, Ruled.NEEDS_PERSON, "ground_unverified", saw, outcome=outcome, code=code)
    ]


def rule_window(clause: c.Window, s: Situation) -> list[Ruling]:
    """The request came in time; lines of invoices for which it came late are left out."""
    match clause.since:
        case c.Since.PURCHASE:
            return [_window(clause, s, s.case.customer.purchased_at, s.lines)]
        case c.Since.SERVICE_DATE:
            served = _service_date(s)
            if served is None:
                return [ruling(clause, Ruled.NOT_APPLICABLE, "window_without_event")]
            return [_window(clause, s, served, s.lines)]
        case c.Since.INVOICE_DATE:
            return _invoice_windows(clause, s)


def _invoice_windows(clause: c.Window, s: Situation) -> list[Ruling]:
    """Each invoice has its own window; the case is denied when it came late for all."""
    rulings = [
        _window(clause, s, invoice.issued_at, [v for v in s.lines if v.invoice == index])
        for index, invoice in enumerate(s.case.invoices)
    ]
    if any(entry.ruled is Ruled.PASSED for entry in rulings):
        return [entry._replace(outcome=None) for entry in rulings]
    return rulings or [ruling(clause, Ruled.NOT_APPLICABLE, "window_without_event")]


def _window(
    clause: c.Window, s: Situation, event: datetime, lines: Iterable[InvoiceLine]
) -> Ruling:
    day = days_between(event, s.case.request.received_at, s.policy.time_zone)
    saw = {"since": instant_text(event), "day": day, "last_day": clause.days}
    if day <= clause.days:
        return ruling(clause, Ruled.PASSED, "window_passed", saw)
    return ruling(
        clause,
        Ruled.FAILED,
        "window_failed",
        saw,
        outcome=c.Outcome.DENIED,
        code=clause.code,
        left_out=dict.fromkeys((view.line.id for view in lines), ONE),
    )


def _service_date(s: Situation) -> datetime | None:
    """When the service was received: as stated, else when the first line was rendered."""
    if s.case.request.service_date is not None:
        return s.case.request.service_date
    rendered = [v.line.rendered_at for v in s.lines if v.line.rendered_at is not None]
    return min(rendered, default=None)


def rule_evidence(clause: c.EvidenceRule, s: Situation) -> list[Ruling]:
    """Without evidence the case waits for the customer; that is no denial."""
    saw = {"evidence": sorted(s.case.request.evidence), "at_least": clause.at_least}
    if len(s.case.request.evidence) >= clause.at_least:
        return [ruling(clause, Ruled.PASSED, "evidence_passed", saw)]
    return [
        ruling(
            clause,
            Ruled.NEEDS_PERSON,
            "evidence_missing",
            saw,
            outcome=c.Outcome.NEEDS_EVIDENCE,
            code=clause.code,
        )
    ]


def rule_line_filter(clause: c.LineFilter, s: Situation) -> list[Ruling]:
    """Each line of which something is left out has its own entry."""
    rulings: list[Ruling] = []
    for view in s.lines:
        line = view.line
        part = _left_out(clause.when, view, s.case.request.received_at)
        if line.kind in clause.kinds and part:
            saw = {"line": line.id, "kind": line.kind.value, "left_out": str(part)}
            says = f"line_filter_{clause.when}"
            rulings.append(
                ruling(clause, Ruled.FAILED, says, saw, code=clause.code, left_out={line.id: part})
            )
    return rulings or [ruling(clause, Ruled.PASSED, "line_filter_passed")]


def _left_out(when: c.When, view: InvoiceLine, received_at: datetime) -> Fraction:
    """Which part of the line the filter leaves out."""
    match when:
        case c.When.ALWAYS:
            return ONE
        case c.When.RENDERED:
            rendered_at = view.line.rendered_at
            return ONE if rendered_at is not None and rendered_at <= received_at else ZERO
        case c.When.USED:
            return used_part(view, received_at)
