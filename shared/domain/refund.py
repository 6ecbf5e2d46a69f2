"""Deciding a refund: every clause is looked at, the worst outcome holds, money comes last."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.domain import clauses as c
from shared.domain.allocation import allocate_return
from shared.domain.approval import APPROVED, rule_approval
from shared.domain.cancellation_terms import decide_cancellation
from shared.domain.course import Course, look_at_everything
from shared.domain.deadlines import rule_deadlines
from shared.domain.decision import (
    Decision,
    Deduction,
    LineDecision,
    Reason,
    Ruled,
    ruling,
)
from shared.domain.facts import Case, SettleAs
from shared.domain.money import ZERO
from shared.domain.policy import Policy
from shared.domain.quote import quote_document
from shared.domain.reductions import gateway_fees, named_deductions
from shared.domain.settlement import NamedCap, Settlement, settle
from shared.domain.situation import situation

__all__ = ["decide_refund", "quote_document"]

AMOUNT_ASKED = "amount_asked"
PAYING = (c.Outcome.GRANTED, c.Outcome.NEEDS_APPROVAL)
SEVERITY = {outcome: rank for rank, outcome in enumerate(c.Outcome)}


def decide_refund(policy: Policy, case: Case) -> Decision:
    """What the policy makes of the case: pure and total.

    Every clause of the policy has at least one entry in the trace. Where several outcomes apply,
    the worst holds; a statute that grants a withdrawal stands over all clauses.
    """
    course = look_at_everything(situation(policy, case))
    found = min([r.outcome for r in course.rulings if r.outcome], key=SEVERITY.__getitem__)
    reasons = tuple(
        dict.fromkeys([Reason(r.clause, r.code) for r in course.rulings if r.outcome is found])
    )
    outcome, settlement = _settle(course, found)
    rulings, deadlines = rule_deadlines(
        course.deadlines,
        course.s,
        granted=outcome is c.Outcome.GRANTED,
        statute=course.statute,
    )
    settle_as = _settle_as(course)
    net, tax = settlement.net, settlement.tax
    back = allocate_return(case.invoices, net + tax, settle_as)
    cancellation, cancellation_rulings = decide_cancellation(
        course.cancellations, course.s, given_back_from=_given_back_from(course, outcome)
    )
    return Decision(
        outcome=outcome,
        amount=net,
        tax=tax,
        currency=course.s.currency,
        settle_as=settle_as,
        reasons=reasons,
        lines=_line_decisions(course, settlement, reasons),
        deductions=settlement.deductions,
        caps=settlement.caps,
        allocation=back.allocation,
        account_credit=back.account_credit,
        manual_transfer=back.manual_transfer,
        cancellation=cancellation,
        deadlines=deadlines,
        trace=(
            *course.rulings,
            *rulings,
            *cancellation_rulings,
            *policy.on[case.request.ground].silent,
        ),
        policy=policy.cited,
    )


def _given_back_from(course: Course, outcome: c.Outcome) -> datetime | None:
    """The first instant whose price goes back; None where the service may go on."""
    ends_service = course.statute is not None or (
        course.formula is not None and course.formula.ends_service
    )
    if not ends_service or outcome not in PAYING:
        return None
    starts = [x.refunded_from for x in course.shares if x.fraction and x.refunded_from is not None]
    return min(starts, default=course.s.case.request.effective_at)


def _settle(course: Course, outcome: c.Outcome) -> tuple[c.Outcome, Settlement]:
    """The money where the outcome has any; approvals that suffice turn a bound into a grant."""
    if outcome not in PAYING:
        if course.approval is not None:
            course.rulings.append(
                ruling(course.approval, Ruled.NOT_APPLICABLE, "approval_not_reached")
            )
        return outcome, Settlement(tuple((0, 0) for _ in course.shares), (), ())
    deductions, fees = _deductions(course), _kept_fees(course)
    caps = list(course.caps)
    asked = course.s.case.request.amount_asked
    if asked is not None:
        caps.append(NamedCap(AMOUNT_ASKED, asked))
    settlement = settle(course.s, course.shares, deductions, fees, caps)
    if course.approval is None:
        return outcome, settlement
    if outcome is c.Outcome.GRANTED:
        course.rulings.append(ruling(course.approval, Ruled.NOT_APPLICABLE, "approval_not_needed"))
        return outcome, settlement
    bound = settlement.net + settlement.tax
    consent = rule_approval(course.approval, course.s, bound)
    course.rulings.append(consent.ruling)
    if not consent.suffices:
        return outcome, settlement
    if consent.amount < bound:
        caps.append(NamedCap(APPROVED, consent.amount))
        settlement = settle(course.s, course.shares, deductions, fees, caps)
    return c.Outcome.GRANTED, settlement


def _deductions(course: Course) -> Sequence[Deduction]:
    """What comes off; nothing ever does from a statutory right."""
    if course.statute is not None:
        return ()
    return (
        *course.deductions,
        *named_deductions(course.named, course.s),
    )


def _kept_fees(course: Course) -> Sequence[int]:
    """The fees kept of each invoice; none of what a statute gives back."""
    return () if course.statute is not None else gateway_fees(course.s, course.shares)


def _settle_as(course: Course) -> SettleAs:
    """As the customer asked where that is allowed; else as a refund, unless only credit is."""
    asked = course.s.case.request.settle_as
    if course.statute is not None or course.formula is None:
        return asked or SettleAs.REFUND
    allowed = course.formula.settle_as
    if asked in allowed:
        return asked
    return SettleAs.REFUND if SettleAs.REFUND in allowed else SettleAs.CREDIT


def _line_decisions(
    course: Course, settlement: Settlement, reasons: Iterable[Reason]
) -> tuple[LineDecision, ...]:
    """Each line with the clauses that decided about it."""
    general = tuple(dict.fromkeys(reason.clause for reason in reasons))
    clauses: dict[str, tuple[str, ...]] = {}
    for entry in course.rulings:
        for name in entry.left_out:
            earlier = clauses.get(name, general)
            clauses[name] = earlier if entry.clause in earlier else (*earlier, entry.clause)
    paying = bool(settlement.caps)
    lines = [
        LineDecision(
            share.view.line.id,
            share.view.line.amount,
            share.fraction if paying else ZERO,
            net,
            tax,
            clauses.get(share.view.line.id, general),
        )
        for share, (net, tax) in zip(course.shares, settlement.lines, strict=True)
    ]
    return tuple(lines)
