"""An account: standing with its causes, and one balance per currency."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Standing(StrEnum):
    """What the account may have."""

    GOOD = "good"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"


class CauseKind(StrEnum):
    """Why an account is not in good standing; all but PAST_DUE suspend it."""

    DISPUTE = "dispute"
    VIOLATION = "violation"
    NON_PAYMENT = "non_payment"
    PAST_DUE = "past_due"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why the standing is not good; each is lifted on its own.

    `id` is the dispute, the invoice or the staff's suspension. While `stops_collection`, nothing
    is charged by itself.
    """

    kind: CauseKind
    id: str
    since: datetime
    stops_collection: bool = False
    clause: str = ""

    @property
    def suspends(self) -> bool:
        """Whether service is off because of it."""
        return self.kind is not CauseKind.PAST_DUE


@dataclass(frozen=True, slots=True)
class Balance:
    """What the customer owes (`owed`) and what is being argued over (`in_dispute`), minor units.

    `owed` is negative where the company has to give something back: a bank decided for it after
    the customer had paid what was lost.
    """

    currency: str
    owed: int = 0
    in_dispute: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """The head of a customer's partition; every commit moves its audit sequence.

    `paused_subscriptions` and `held_invoices` are what a suspension stopped at Stripe, so that a
    reinstatement starts exactly these again and nothing that somebody else had stopped.
    `activated_at` is when the first payment for a subscription was seen, None before.
    """

    customer: str
    causes: tuple[Cause, ...] = ()
    balances: tuple[Balance, ...] = ()
    audit_sequence: int = 0
    paused_subscriptions: tuple[str, ...] = ()
    held_invoices: tuple[str, ...] = ()
    activated_at: datetime | None = None

    @property
    def standing(self) -> Standing:
        """Suspended while a cause is left that suspends, past due while another one is."""
        if self.is_suspended:
            return Standing.SUSPENDED
        return Standing.PAST_DUE if self.causes else Standing.GOOD

    @property
    def is_suspended(self) -> bool:
        """Whether service is off."""
        return any(cause.suspends for cause in self.causes)

    @property
    def stops_collection(self) -> bool:
        """Whether nothing is charged by itself while this lasts."""
        return any(cause.stops_collection for cause in self.causes)

    def cause(self, kind: CauseKind, cause_id: str) -> Cause | None:
        """That cause, if it is there."""
        return next((c for c in self.causes if (c.kind, c.id) == (kind, cause_id)), None)

    def with_cause(self, cause: Cause) -> "Account":
        """The account with `cause`; the same account when it is there already."""
        if self.cause(cause.kind, cause.id):
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
        if not owed and not in_dispute:
            return self
        old = self.balance(currency)
        new = replace(old, owed=old.owed + owed, in_dispute=old.in_dispute + in_dispute)
        others = tuple(b for b in self.balances if b.currency != currency)
        return replace(self, balances=(*others, new))
