"""What follows from an assessment: a question, a review, an answer, or the money."""

from dataclasses import replace
from datetime import datetime

from shared.application.cases.assess import Assessed, keep
from shared.application.cases.pay import pay
from shared.application.cases.tell import in_every_language, tell_customer, tell_staff
from shared.application.change import Change
from shared.application.step_case import put_case, step_case
from shared.domain.case_clocks import ClockKind, start_evidence, start_review
from shared.domain.clauses import Outcome
from shared.domain.policy import Policy
from shared.domain.refund_case import CaseState, RefundCase

POLICY = "policy"


def conclude(change: Change, case: RefundCase, assessed: Assessed) -> RefundCase:
    """Take the step that the policy alone can take; what it leaves to people is under review."""
    case = keep(change, case, assessed)
    outcome = assessed.decision.outcome
    if not case.ground_stated and outcome is not Outcome.NEEDS_EVIDENCE:
        # What a supposed ground comes to is no answer; that a document is missing holds for any.
        return review(change, case, assessed.facts.policy)
    match outcome:
        case Outcome.DENIED:
            return answer(change, case, assessed, CaseState.DENIED, by=POLICY)
        case Outcome.REFERRED:
            return answer(change, case, assessed, CaseState.REFERRED, by=POLICY)
        case Outcome.NEEDS_EVIDENCE:
            said = in_every_language("explanation", assessed.decision)
            tell_customer(change, case, "case_evidence_needed", said)
            return ask(change, case, assessed.facts.policy)
        case Outcome.GRANTED if assessed.decision.total and not assessed.decision.manual_transfer:
            return pay(change, case, assessed, by=POLICY)
        case _:
            return review(change, case, assessed.facts.policy)


def ask(
    change: Change, case: RefundCase, policy: Policy, kinds: tuple[str, ...] = ()
) -> RefundCase:
    """Wait for the customer: the review's clock stands still, a reminder is set."""
    clock = case.clock(ClockKind.REVIEW)
    if clock is not None:
        case = case.with_clock(clock.paused(change.now))
    case = case.with_clock(start_evidence(policy, change.now))
    case = replace(case, asked_for=kinds)
    if case.state is CaseState.NEEDS_EVIDENCE:
        return put_case(change, case)
    return step_case(change, case, CaseState.NEEDS_EVIDENCE)


def review(change: Change, case: RefundCase, policy: Policy) -> RefundCase:
    """Back to the staff: the review's clock runs on, or anew where the case was answered before."""
    clock = case.clock(ClockKind.REVIEW)
    if clock is not None and clock.stopped_at is not None:
        case = case.with_clock(start_review(policy, case.ground, change.now))
    elif clock is not None:
        case = case.with_clock(clock.resumed(change.now, policy))
    case = replace(case.stopped(change.now, ClockKind.EVIDENCE), asked_for=())
    if case.state is CaseState.UNDER_REVIEW:
        return put_case(change, case)
    return step_case(change, case, CaseState.UNDER_REVIEW)


def answer(
    change: Change,
    case: RefundCase,
    assessed: Assessed,
    state: CaseState,
    *,
    by: str,
    note: str | None = None,
) -> RefundCase:
    """The one answer of a case that gives no money, with the reasons."""
    case = replace(case, decided_at=change.now, decided_by=by)
    case = step_case(change, case, state)
    said = in_every_language("explanation", assessed.decision)
    tell_customer(
        change, case, f"case_{state.value}" + ("_by_staff" if note else ""), said, note=note
    )
    if state is CaseState.REFERRED:
        tell_staff(change, case, "staff_case_referred")
    change.audit(
        f"case_answered_{state.value}",
        f"decided by {by}",
        case=case.id,
        note=note,
        policy=assessed.document["policy"],
        reasons=[f"{r.clause}:{r.code}" for r in assessed.decision.reasons],
        facts=assessed.facts.digest,
    )
    return case


def shown_instant(at: datetime) -> str:
    """An instant as mails write it."""
    return at.strftime("%Y-%m-%d %H:%M UTC")
