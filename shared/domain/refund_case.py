"""A refund case: a request for money back, from its receipt to its one answer.

The policy decides what may go back; people verify, agree and answer. Each step is one row of the
table below, and every clock that the policy promises runs with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.domain.cancellation import AccountCredit
from shared.domain.case_clocks import CaseClock, ClockKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.facts import Ground, SettleAs


class CaseState(StrEnum):
    """The life of a refund case."""

    RECEIVED = "received"
    NEEDS_EVIDENCE = "needs_evidence"
    UNDER_REVIEW = "under_review"
    APPROVED = "approved"
    PAYING = "paying"
    PAID = "paid"
    DENIED = "denied"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"
    NEEDS_PERSON = "needs_person"


_DECIDED = frozenset(
    {CaseState.APPROVED, CaseState.DENIED, CaseState.REFERRED, CaseState.WITHDRAWN}
)
STEPS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.RECEIVED: _DECIDED | {CaseState.NEEDS_EVIDENCE, CaseState.UNDER_REVIEW},
    CaseState.NEEDS_EVIDENCE: _DECIDED | {CaseState.UNDER_REVIEW},
    CaseState.UNDER_REVIEW: _DECIDED | {CaseState.NEEDS_EVIDENCE},
    CaseState.APPROVED: frozenset({CaseState.PAYING, CaseState.PAID, CaseState.NEEDS_PERSON}),
    CaseState.PAYING: frozenset({CaseState.PAID, CaseState.NEEDS_PERSON}),
    # The late edge: a bank may send money back weeks after it was taken for done.
    CaseState.PAID: frozenset({CaseState.NEEDS_PERSON}),
    CaseState.NEEDS_PERSON: frozenset({CaseState.PAYING, CaseState.PAID}),
    # Somebody may look again: an exception out of goodwill, or support that finds a fault.
    CaseState.DENIED: frozenset({CaseState.UNDER_REVIEW}),
    CaseState.REFERRED: frozenset({CaseState.UNDER_REVIEW, CaseState.DENIED}),
    CaseState.WITHDRAWN: frozenset(),
}

# While somebody still has to decide: one such case a line and ground.
OPEN = frozenset({CaseState.RECEIVED, CaseState.NEEDS_EVIDENCE, CaseState.UNDER_REVIEW})
# While staff have something to do or to watch.
IN_QUEUE = OPEN | {
    CaseState.APPROVED,
    CaseState.PAYING,
    CaseState.NEEDS_PERSON,
    CaseState.REFERRED,
}


class CallbackState(StrEnum):
    """The life of a call-back slot."""

    OFFERED = "offered"
    BOOKED = "booked"
    DONE = "done"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Callback:
    """The span in which the policy promises a call back, and the instant that was agreed on."""

    state: CallbackState
    earliest: datetime
    latest: datetime
    booked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseApproval:
    """A member of staff's consent to exactly one proposal, known by its digest (minor units).

    `note` is the sealed text with the reason.
    """

    by: str
    role: str
    at: datetime
    digest: str
    amount: int
    note: str
    evidence_reviewed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundCase:
    """One request for money back.

    `invoices` are Stripe's ids; a case is about all of their lines. `findings` is what staff have
    found out, in the members of the case document. The last assessment (case document and decision)
    is the quote of the same id. Where nobody has said what the request rests on, `ground` is what
    the records suggest and `ground_stated` is False: nothing is decided on it until somebody does.
    """

    id: str
    customer: str
    ground: Ground
    state: CaseState
    invoices: tuple[str, ...]
    channel: str
    opened_at: datetime
    opened_by: str
    subscription: str | None = None
    service_date: datetime | None = None
    amount_asked: int | None = None
    settle_as: SettleAs | None = None
    policy: str = ""
    findings: Mapping[str, Any] = field(default_factory=dict)
    goodwill: bool = False
    ground_stated: bool = True
    evidence: tuple[str, ...] = ()
    approvals: tuple[CaseApproval, ...] = ()
    asked_for: tuple[str, ...] = ()
    clocks: tuple[CaseClock, ...] = ()
    callback: Callback | None = None
    amount: int | None = None
    currency: str | None = None
    discretionary: bool = False
    decided_at: datetime | None = None
    decided_by: str | None = None
    refunds: tuple[str, ...] = ()
    credits: tuple[AccountCredit, ...] = ()
    manual_transfer: int = 0
    cancellation: str | None = None

    @property
    def quote(self) -> str:
        """The id of its last assessment."""
        return self.id

    @property
    def due_at(self) -> datetime | None:
        """When the next of its clocks has something to say."""
        return min((at for clock in self.clocks if (at := clock.next_at())), default=None)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.state in OPEN

    def step(self, state: CaseState) -> "RefundCase":
        """The case in `state`.

        Raises:
            BrokenInvariantError: that state does not follow this one.
        """
        if state not in STEPS[self.state]:
            raise BrokenInvariantError(f"case {self.id}: {self.state} then {state}")
        return replace(self, state=state)

    def may_become(self, state: CaseState) -> bool:
        """Whether `state` may follow the present one."""
        return state in STEPS[self.state]

    def overlaps(self, ground: Ground | None, invoices: Iterable[str]) -> bool:
        """Whether a request asks for what this open case asks for: a line and a ground once.

        A ground that is not stated, there (None) or here, may be any.
        """
        same = not set(invoices).isdisjoint(self.invoices)
        alike = ground is None or not self.ground_stated or ground is self.ground
        return self.is_open and alike and same

    def clock(self, kind: ClockKind) -> CaseClock | None:
        """The running or last clock of a kind."""
        found = [clock for clock in self.clocks if clock.kind is kind]
        return found[-1] if found else None

    def with_clock(self, clock: CaseClock) -> "RefundCase":
        """The case with `clock` in place of the last of its kind, or added."""
        others = tuple(known for known in self.clocks if known.kind is not clock.kind)
        return replace(self, clocks=(*others, clock))

    def stopped(self, now: datetime, *kinds: ClockKind) -> "RefundCase":
        """The case with these clocks stopped; without any, all of them."""
        wanted = kinds or tuple(ClockKind)
        return replace(
            self,
            clocks=tuple(
                clock.stopped(now) if clock.kind in wanted else clock for clock in self.clocks
            ),
        )

    def queued_until(self) -> datetime | None:
        """What the staff's queue is ordered by; None when nothing is left to do."""
        if self.state not in IN_QUEUE:
            return None
        running = [clock.due_at for clock in self.clocks if clock.stopped_at is None]
        return min(running, default=self.opened_at)


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """A case's place in the staff's queue, kept apart from what its clocks wait for."""

    customer: str
    id: str
    due_at: datetime | None = None
    queue = "cases"
