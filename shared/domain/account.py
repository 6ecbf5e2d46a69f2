"""An account: standing with its causes, and one balance per currency."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """What the account may have."""

    GOOD = "good"
    SUSPENDED = "suspended"


class CauseKind(StrEnum):
    """Why an account can be suspended."""

    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for suspension; each is lifted on its own."""

    kind: CauseKind
    id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """What the customer owes (`owed`) and what is being argued over (`in_dispute`), minor units."""

    currency: str
    owed: int = 0
    in_dispute: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """The head of a customer's partition; every commit moves its audit sequence.

    `paused_subscriptions` and `held_invoices` are what a suspension stopped at Stripe, so that a
    reinstatement starts exactly these again and nothing that somebody else had stopped.
    """

    customer: str
    causes: tuple[Cause, ...] = ()
    balances: tuple[Balance, ...] = ()
    audit_sequence: int = 0
    paused_subscriptions: tuple[str, ...] = ()
    held_invoices: tuple[str, ...] = ()

    @property
    def standing(self) -> Standing:
        """Suspended while any cause is left."""
        return Standing.SUSPENDED if self.causes else Standing.GOOD

    def with_cause(self, cause: Cause) -> "Account":
        """The account with `cause`; the same account when it is there already."""
        if any((held.kind, held.id) == (cause.kind, cause.id) for held in self.causes):
            return self
        return replace(self, causes=(*self.causes, cause))

    def without_cause(self, kind: CauseKind, cause_id: str) -> "Account":
        """The account with that cause lifted."""
        left = tuple(c for c in self.causes if (c.kind, c.id) != (kind, cause_id))
        return replace(self, causes=left)

    def balance(self, currency: str) -> Balance:
        """The balance in `currency`, zero when there was never one."""
        return next((b for b in self.balances if b.currency == currency), Balance(currency))

    def with_balance(self, currency: str, *, owed: int = 0, in_dispute: int = 0) -> "Account":
        """The account with its balance in `currency` moved by these amounts (minor units)."""
        old = self.balance(currency)
        new = replace(old, owed=old.owed + owed, in_dispute=old.in_dispute + in_dispute)
        others = tuple(b for b in self.balances if b.currency != currency)
        return replace(self, balances=(*others, new))
