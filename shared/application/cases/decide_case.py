"""People decide: approve within the engine's bound, decline with reasons, refer to support.

An approval binds to a digest of exactly the request that was shown. Whose consent it takes is the
more of what the policy and the limits ask for, over all that this customer and this person were
granted lately, so that an amount in parts needs what it would need in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.application.approval_need import (
    approval_need,
    note_grant_by_person,
    note_grant_to_customer,
)
from shared.application.cases.assess import Assessed, assess, keep
from shared.application.cases.conclude import answer
from shared.application.cases.notes import write_note
from shared.application.cases.pay import pay
from shared.application.cases.review_case import load_open
from shared.application.cases.state_ground import refuse_unstated
from shared.application.change import Change, transact
from shared.application.returned import effective_ground
from shared.application.step_case import put_case
from shared.domain import clauses as c
from shared.domain.approval_limits import CUSTOMER_PERIOD, Grant, Need, suffices
from shared.domain.clauses import Outcome
from shared.domain.errors import ConflictError, InvalidRequestError
from shared.domain.refund_case import CaseApproval, CaseState, RefundCase
from shared.domain.staff import StaffMember
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class Approve:
    """A consent: to the request with this digest, for at most `amount` (None: the whole bound)."""

    digest: str
    reason: str
    amount: int | None = None
    evidence_reviewed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """The case after a decision, and whose consent is still missing."""

    case: RefundCase
    need: Need | None = None


def approve(
    services: Services, *, by: StaffMember, customer: str, case: str, consent: Approve
) -> Decided:
    """Count a consent, and pay when those who agreed are enough.

    Raises:
        NotFoundError: no such case.
        ConflictError: decided already, by whom; no ground stated; another request than was shown,
            with the new figures; the same person again; nothing that could be approved; evidence
            not reviewed.
        InvalidRequestError: more than the bound.
    """

    def decide(change: Change) -> Decided:
        known = load_open(change, case)
        refuse_unstated(known)
        seen = assess(change, known)
        _refuse_unapprovable(known, seen, consent, by)
        note = write_note(change, known, "approval", by.actor, consent.reason)
        mine = _approval(change, seen, consent, by, note)
        # Whoever agreed to another request has not agreed to this one.
        earlier = tuple(a for a in known.approvals if a.digest == seen.facts.digest)
        known = replace(known, approvals=(*earlier, mine))
        decided = assess(change, known, known.approvals)
        change.audit(
            "case_approval",
            f"as {mine.role}",
            case=case,
            note=note,
            amount=mine.amount,
            facts=seen.facts.digest,
        )
        need = _need(change, known, decided, by)
        agreed = [(a.by, a.role) for a in known.approvals]
        enough = decided.decision.outcome is Outcome.GRANTED and suffices(need, agreed)
        if not enough:
            missing = need if not suffices(need, agreed) else Need.TWO_PEOPLE
            return Decided(put_case(change, keep(change, known, seen)), missing)
        granted, currency = decided.decision.total, decided.decision.currency or ""
        note_grant_to_customer(change, amount=granted, currency=currency)
        note_grant_by_person(change, by.actor, amount=granted, currency=currency)
        known = replace(keep(change, known, decided), discretionary=True)
        return Decided(pay(change, known, decided, by=by.actor, person=by.actor))

    return transact(services, customer, by.actor, decide)


def decline(
    services: Services, *, by: StaffMember, customer: str, case: str, reason: str
) -> RefundCase:
    """End a case without money; the reason goes to the customer.

    Raises:
        NotFoundError: no such case.
        ConflictError: decided already, or the customer is entitled to it as the facts stand.
    """
    return _end(
        services, by=by, customer=customer, case=case, reason=reason, state=CaseState.DENIED
    )


def refer(
    services: Services, *, by: StaffMember, customer: str, case: str, reason: str
) -> RefundCase:
    """Hand a case to support; the reason goes to the customer.

    Raises:
        NotFoundError: no such case.
        ConflictError: decided already, or the customer is entitled to it as the facts stand.
    """
    state = CaseState.REFERRED
    return _end(services, by=by, customer=customer, case=case, reason=reason, state=state)


def _end(
    services: Services,
    *,
    by: StaffMember,
    customer: str,
    case: str,
    reason: str,
    state: CaseState,
) -> RefundCase:
    def decide(change: Change) -> RefundCase:
        known = load_open(change, case, answer=state is CaseState.DENIED)
        refuse_unstated(known)
        assessed = assess(change, known)
        if assessed.decision.outcome is Outcome.GRANTED and assessed.decision.total:
            raise ConflictError(
                "entitled",
                "As the facts stand the customer is entitled to this. Record what speaks against.",
                _figures(assessed),
            )
        note = write_note(change, known, "answer", by.actor, reason)
        known = keep(change, known, assessed)
        return answer(change, known, assessed, state, by=by.actor, note=note)

    return transact(services, customer, by.actor, decide)


def _refuse_unapprovable(
    case: RefundCase, seen: Assessed, consent: Approve, by: StaffMember
) -> None:
    if consent.digest != seen.facts.digest:
        raise ConflictError(
            "facts-changed", "This is no longer the request you were shown.", _figures(seen)
        )
    if seen.decision.outcome not in (Outcome.NEEDS_APPROVAL, Outcome.GRANTED):
        raise ConflictError(
            "not-approvable",
            f"The policy makes this {seen.decision.outcome.value}: there is nothing to approve.",
            _figures(seen),
        )
    if not seen.decision.total:
        raise ConflictError("nothing-to-refund", "Nothing is left that could be given back.")
    if any(a.by == by.actor and a.digest == consent.digest for a in case.approvals):
        raise ConflictError("same-person", "You have agreed already; somebody else has to.")
    if consent.amount is not None and not 0 < consent.amount <= seen.decision.total:
        fault = {"path": "$.amount", "message": f"more than 0 and at most {seen.decision.total}"}
        raise InvalidRequestError(
            "invalid-request", "The policy sets a bound.", {"errors": [fault]}
        )
    if seen.decision.outcome is Outcome.GRANTED and consent.amount not in (
        None,
        seen.decision.total,
    ):
        # What is paid is the entitlement; a part of it would be agreed to and more than it leave.
        raise ConflictError(
            "entitled", "As the facts stand the customer is entitled to all of it.", _figures(seen)
        )
    _refuse_unreviewed(seen, consent)


def _refuse_unreviewed(seen: Assessed, consent: Approve) -> None:
    rule = _approval_rule(seen)
    missing = seen.facts.case.request.evidence - set(consent.evidence_reviewed)
    if rule is not None and rule.review_evidence and missing:
        raise ConflictError(
            "evidence-not-reviewed",
            "The policy wants all evidence that is present looked at first.",
            {"clause": rule.id, "missing": sorted(missing)},
        )


def _approval(
    change: Change, seen: Assessed, consent: Approve, by: StaffMember, note: str
) -> CaseApproval:
    return CaseApproval(
        by=by.actor,
        role=by.role.value,
        at=change.now,
        digest=seen.facts.digest,
        amount=seen.decision.total if consent.amount is None else consent.amount,
        note=note,
        evidence_reviewed=consent.evidence_reviewed,
    )


def _need(change: Change, case: RefundCase, decided: Assessed, by: StaffMember) -> Need:
    """Whose consent the amount takes: by the limits, and by the policy over all grants lately.

    What staff have found out makes an entitlement, so it too meets the limits here.
    """
    asked = _grant(change, case, decided)
    by_limits = approval_need(change, amount=asked.amount, currency=asked.currency, person=by.actor)
    need = max(Need.ONE_PERSON, by_limits)
    rule = _approval_rule(decided)
    if rule is not None and decided.decision.outcome is not Outcome.DENIED:
        total = asked.amount + _granted_alike(change, case, asked)
        if total > rule.agent_limits.get(asked.currency, 0):
            need = max(need, Need.TWO_PEOPLE)
    return need


def _granted_alike(change: Change, case: RefundCase, asked: Grant) -> int:
    """What this customer was granted lately on the same ground, in cases of their own."""
    since = asked.at - CUSTOMER_PERIOD
    cases = [stored.record for stored in change.services.store.all_of(RefundCase, case.customer)]
    return sum(
        other.amount or 0
        for other in cases
        if other.id != case.id
        and other.discretionary
        and effective_ground(other) is effective_ground(case)
        and other.currency == asked.currency
        and other.decided_at is not None
        and other.decided_at > since
    )


def _grant(change: Change, case: RefundCase, decided: Assessed) -> Grant:
    amount = decided.decision.total
    if decided.decision.outcome is not Outcome.GRANTED:
        amount = min([amount, *(a.amount for a in case.approvals)])
    return Grant(change.now, amount, decided.decision.currency or "")


def _approval_rule(assessed: Assessed) -> c.ApprovalRule | None:
    clauses = assessed.facts.policy.on[assessed.facts.case.request.ground].speaking
    return next((rule for rule in clauses if isinstance(rule, c.ApprovalRule)), None)


def _figures(seen: Assessed) -> Mapping[str, Any]:
    return {"digest": seen.facts.digest, "quote": seen.document}
