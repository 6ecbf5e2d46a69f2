"""A cancellation: the intent, its states, and which step may follow which."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import BrokenInvariantError


class Timing(StrEnum):
    """When a cancellation takes effect."""

    AT_PERIOD_END = "at_period_end"
    IMMEDIATELY = "immediately"


class CancellationState(StrEnum):
    """The life of a cancellation."""

    SCHEDULED = "scheduled"
    EXECUTING = "executing"
    EXECUTED = "executed"
    WITHDRAWN = "withdrawn"
    NEEDS_PERSON = "needs_person"


STEPS: dict[CancellationState, frozenset[CancellationState]] = {
    CancellationState.SCHEDULED: frozenset(
        {CancellationState.WITHDRAWN, CancellationState.EXECUTED, CancellationState.NEEDS_PERSON}
    ),
    CancellationState.EXECUTING: frozenset(
        {CancellationState.EXECUTED, CancellationState.NEEDS_PERSON}
    ),
    CancellationState.NEEDS_PERSON: frozenset(
        {CancellationState.EXECUTED, CancellationState.EXECUTING}
    ),
    CancellationState.EXECUTED: frozenset({CancellationState.NEEDS_PERSON}),
    CancellationState.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """When access to one subscription item ends."""

    id: str
    access_until: datetime


@dataclass(frozen=True, slots=True)
class RemovedCharge:
    """A pending charge for time after the end, taken away and kept to be put back.

    `operation` names it where it had been put back before.
    """

    id: str
    amount: int
    currency: str
    description: str
    period_start: datetime
    period_end: datetime
    tax_rates: tuple[str, ...] = ()
    discountable: bool = True
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class AccountCredit:
    """What goes to the customer's balance for an invoice (minor units), by its credit note."""

    invoice: str
    amount: int
    currency: str
    credit_note: str | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One cancellation of one subscription, as quoted and confirmed.

    `words` is sealed: what the customer gave as reason and feedback (JSON).
    """

    id: str
    customer: str
    subscription: str
    quote: str
    timing: Timing
    state: CancellationState
    requested_at: datetime
    effective_at: datetime
    items: tuple[ItemEnd, ...]
    refunds: tuple[str, ...] = ()
    credits: tuple[AccountCredit, ...] = ()
    removed: tuple[RemovedCharge, ...] = ()
    words: bytes | None = None
    refund_case: str | None = None

    def step(self, state: CancellationState) -> "Cancellation":
        """The cancellation in `state`.

        Raises:
            BrokenInvariantError: that state does not follow this one.
        """
        if state not in STEPS[self.state]:
            raise BrokenInvariantError(f"cancellation {self.id}: {self.state} then {state}")
        return replace(self, state=state)

    def can_withdraw_until(self) -> datetime | None:
        """The end of the cycle while the customer may still take it back, else None."""
        return self.effective_at if self.state is CancellationState.SCHEDULED else None

    def can_withdraw(self, now: datetime) -> bool:
        """Whether it can be taken back at `now`."""
        until = self.can_withdraw_until()
        return until is not None and now < until
