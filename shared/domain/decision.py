"""The decision: what a case comes to, and the trace of every clause that was looked at.

All of it are named tuples: as fixed as frozen dataclasses, and made in a third of the time.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from shared.domain.clauses import Clause, Outcome
from shared.domain.facts import SettleAs

NOTHING_SEEN: Mapping[str, Any] = MappingProxyType({})
NONE_LEFT_OUT: Mapping[str, Fraction] = MappingProxyType({})


class Ruled(StrEnum):
    """How a clause ruled."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    NEEDS_PERSON = "needs_person"


class Ruling(NamedTuple):
    """One entry of the trace: a clause, what it saw, how it ruled, and what follows.

    ``says`` names the template that puts it into words; ``outcome`` is what the clause asks for,
    None where it has no objection; ``code`` is its reason. ``left_out`` says which part of which
    lines, by id, cannot be refunded because of it.
    """

    clause: str
    kind: str
    ruled: Ruled
    says: str
    saw: Mapping[str, Any] = NOTHING_SEEN
    outcome: Outcome | None = None
    code: str = ""
    left_out: Mapping[str, Fraction] = NONE_LEFT_OUT


def ruling(
    clause: Clause,
    ruled: Ruled,
    says: str,
    saw: Mapping[str, Any] = NOTHING_SEEN,
    *,
    outcome: Outcome | None = None,
    code: str = "",
    left_out: Mapping[str, Fraction] = NONE_LEFT_OUT,
) -> Ruling:
    """A clause's entry in the trace."""
    return Ruling(clause.id, clause.kind, ruled, says, saw, outcome, code, left_out)


class Reason(NamedTuple):
    """Why the outcome is what it is."""

    clause: str
    code: str


class LineDecision(NamedTuple):
    """What a line gives back, of which base, by which clauses."""

    id: str
    base: int
    fraction: Fraction
    amount: int
    tax: int
    clauses: tuple[str, ...]


class Deduction(NamedTuple):
    """An amount that came off, for what, by which clause."""

    clause: str
    what: str
    amount: int


class AppliedCap(NamedTuple):
    """An upper limit, and whether it bound."""

    cap: str
    limit: int
    applied: bool


class Allocation(NamedTuple):
    """What goes back on a payment."""

    payment: str
    amount: int


class CancellationTerms(NamedTuple):
    """When the cancellation takes effect, until when the service may be used, what it spares."""

    effective_at: datetime
    access_until: datetime
    renewal_avoided: bool


class Deadlines(NamedTuple):
    """What is promised by when; None where nothing is."""

    review_by: datetime | None = None
    payout_by: datetime | None = None
    callback_between: tuple[datetime, datetime] | None = None


class PolicyVersion(NamedTuple):
    """Which text decided."""

    id: str
    version: str
    digest: str


class Decision(NamedTuple):
    """What a case comes to; amounts in minor units of ``currency``, net, and tax apart.

    ``currency`` is None only where the case has no invoice.
    """

    outcome: Outcome
    amount: int
    tax: int
    currency: str | None
    settle_as: SettleAs
    reasons: tuple[Reason, ...]
    lines: tuple[LineDecision, ...]
    deductions: tuple[Deduction, ...]
    caps: tuple[AppliedCap, ...]
    allocation: tuple[Allocation, ...]
    account_credit: int
    manual_transfer: int
    cancellation: CancellationTerms | None
    deadlines: Deadlines
    trace: tuple[Ruling, ...]
    policy: PolicyVersion

    @property
    def total(self) -> int:
        """Net and tax together."""
        return self.amount + self.tax
