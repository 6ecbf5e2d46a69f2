"""Approval: when people have agreed to what the policy leaves to them."""

from dataclasses import dataclass

from shared.domain import clauses as c
from shared.domain.approval_limits import Need, suffices
from shared.domain.decision import Ruled, Ruling, ruling
from shared.domain.facts import Approval
from shared.domain.situation import Situation

APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Consent:
    """What people agreed to: the amount, and how the approval clause rules on it."""

    amount: int
    suffices: bool
    ruling: Ruling


def rule_approval(clause: c.ApprovalRule, s: Situation, bound: int) -> Consent:
    """Whether the approvals suffice, for the least amount that they name.

    An agent may approve up to the limit alone; above it somebody else, an approver, must agree.
    """
    limit = clause.agent_limits.get(s.currency or "", 0)
    valid = [a for a in s.case.approvals if _is_valid(clause, a, s)]
    amount = min([bound, *(a.amount for a in valid if a.amount is not None)])
    need = Need.ONE_PERSON if amount <= limit else Need.TWO_PEOPLE
    agreed = suffices(need, [(a.by, a.role) for a in valid])
    saw = {
        "bound": bound,
        "agent_limit": limit,
        "approvals": len(s.case.approvals),
        "valid": len(valid),
        "amount": amount if valid else None,
    }
    if agreed:
        return Consent(amount, agreed, ruling(clause, Ruled.PASSED, "approval_passed", saw))
    outcome = c.Outcome.NEEDS_APPROVAL
    entry = ruling(clause, Ruled.NEEDS_PERSON, "approval_missing", saw, outcome=outcome)
    return Consent(bound, agreed, entry)


def _is_valid(clause: c.ApprovalRule, approval: Approval, s: Situation) -> bool:
    """It gives a reason, and all evidence was reviewed where the pack asks for it."""
    reviewed = s.case.request.evidence <= approval.evidence_reviewed
    reason = (approval.reason or "").strip()
    return bool(reason) and (reviewed or not clause.review_evidence)
