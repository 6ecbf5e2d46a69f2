"""The course of a decision: each clause is looked at in turn, and what it found is kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domain import clauses as c
from shared.domain.decision import Deduction, Ruled, Ruling, ruling
from shared.domain.eligibility import (
    rule_evidence,
    rule_exclusion,
    rule_ground,
    rule_line_filter,
    rule_standing,
    rule_window,
)
from shared.domain.facts import Ground
from shared.domain.formulas import Shares, nothing, rule_formula
from shared.domain.reductions import rule_issue_charge
from shared.domain.settlement import NamedCap
from shared.domain.shares import available_parts
from shared.domain.situation import Situation
from shared.domain.statutes import Statute
from shared.domain.withdrawal import KIND, rule_statute

# Outcomes with which a statute governs a withdrawal, whatever the pack says.
GOVERNS = (c.Outcome.GRANTED, c.Outcome.NEEDS_VERIFICATION)


@dataclass(slots=True)
class Course:
    """What has been found so far."""

    s: Situation
    shares: Shares = ()
    rulings: list[Ruling] = field(default_factory=list)
    deductions: list[Deduction] = field(default_factory=list)
    caps: list[NamedCap] = field(default_factory=list)
    deadlines: list[c.Deadline] = field(default_factory=list)
    cancellations: list[c.CancellationRule] = field(default_factory=list)
    formula: c.Formula | None = None
    approval: c.ApprovalRule | None = None
    named: c.NamedDeductions | None = None
    statute: Statute | None = None


def look_at_everything(s: Situation) -> Course:
    """The statutes first where a withdrawal is declared, then every clause of the pack."""
    course = Course(s)
    if s.case.request.ground is Ground.WITHDRAWAL:
        _look_at_statutes(course)
    for clause in s.policy.on[s.case.request.ground].speaking:
        if course.statute is not None and not isinstance(clause, c.Deadline):
            course.rulings.append(ruling(clause, Ruled.NOT_APPLICABLE, "statute_prevails"))
        else:
            course.rulings.extend(_look_at(clause, course))
    if not any(entry.outcome for entry in course.rulings):
        course.rulings.append(UNREACHED)
    course.shares = course.shares or nothing(s)
    return course


# No clause of the pack speaks about the ground: then it is none.
UNREACHED = Ruling(
    "policy",
    "ground",
    Ruled.FAILED,
    "ground_unreached",
    outcome=c.Outcome.DENIED,
    code="not_a_ground",
)
NO_STATUTE = Ruling(
    "statute",
    KIND,
    Ruled.FAILED,
    "statute_no_right_of_withdrawal",
    outcome=c.Outcome.DENIED,
    code="no_right_of_withdrawal",
)


def _look_at_statutes(course: Course) -> None:
    """The first statute that governs decides; where none does, each says why not."""
    denials: list[Ruling] = []
    for statute in course.s.policy.statutes:
        entry, shares = rule_statute(statute, course.s)
        if entry.outcome in GOVERNS:
            course.statute, course.shares = statute, shares
            course.rulings += [denial._replace(outcome=None) for denial in denials] + [entry]
            return
        denials.append(entry)
    course.rulings += denials or [NO_STATUTE]


def _look_at(clause: c.Clause, course: Course) -> Iterable[Ruling]:  # noqa: C901, PLR0912 - an arm a kind
    """How a clause rules; what it adds to the money is kept in the course."""
    s = course.s
    match clause:
        case c.Exclusion():
            return rule_exclusion(clause, s)
        case c.StandingRule():
            return rule_standing(clause, s)
        case c.GroundRule():
            return rule_ground(clause, s)
        case c.Window():
            return rule_window(clause, s)
        case c.EvidenceRule():
            return rule_evidence(clause, s)
        case c.LineFilter():
            return rule_line_filter(clause, s)
        case c.Formula():
            return _look_at_formula(clause, course)
        case c.IssueCharge():
            rulings, deductions = rule_issue_charge(clause, s)
            course.deductions += deductions
            return rulings
        case c.NamedDeductions():
            course.named = clause
            saw = {"deductions": len(s.case.deductions)}
            return [ruling(clause, Ruled.PASSED, "named_deductions", saw)]
        case c.Cap():
            return [_look_at_cap(clause, course)]
        case c.ApprovalRule():
            course.approval = clause
            return []
        case c.Deadline():
            course.deadlines.append(clause)
            return []
        case c.CancellationRule():
            course.cancellations.append(clause)
            return []
        case _:
            raise AssertionError(f"{clause.kind} rules on no request")


def _look_at_formula(clause: c.Formula, course: Course) -> list[Ruling]:
    """Where the rules before left nothing of any line, they are what denies the case."""
    parts = available_parts(course.s, course.rulings)
    charged = [view.line.id for view in course.s.lines if view.line.amount > 0]
    if charged and not any(parts[name] for name in charged):
        course.rulings[:] = [
            entry._replace(outcome=c.Outcome.DENIED) if entry.left_out else entry
            for entry in course.rulings
        ]
        return [ruling(clause, Ruled.NOT_APPLICABLE, "formula_nothing_left")]
    rulings, course.shares = rule_formula(clause, course.s, parts)
    course.formula = clause
    return rulings


def _look_at_cap(clause: c.Cap, course: Course) -> Ruling:
    if clause.limits is None:
        return ruling(clause, Ruled.PASSED, "cap_paid", {"cap": clause.name})
    limit = clause.limits.get(course.s.currency or "", 0)
    course.caps.append(NamedCap(clause.name, limit))
    return ruling(clause, Ruled.PASSED, "cap_limit", {"cap": clause.name, "limit": limit})
