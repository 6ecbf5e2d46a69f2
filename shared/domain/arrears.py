"""Arrears: an invoice that was not paid, and the grace ladder that it climbs down.

The rungs are the policy's, fixed when the first attempt to collect has failed: reminders, then
suspension, then the end of the subscription. Paying takes everything back but an end.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.clauses import NonPaymentRule

# How long a look at Stripe may take before the same rung is looked at again.
LOOK_AGAIN = timedelta(hours=1)
# While nothing may be charged by itself, nobody is pressed: the ladder waits day by day.
STANDSTILL = timedelta(days=1)


class Rung(StrEnum):
    """What happens on one rung of the ladder."""

    REMIND = "remind"
    SUSPEND = "suspend"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Step:
    """A rung, and when its time has come."""

    rung: Rung
    at: datetime


@dataclass(frozen=True, slots=True)
class DunningFacts:
    """An invoice as it concerns dunning; `due` is what remains to be paid (minor units).

    `failed` says that collecting was tried in vain; who pays by themselves does so until `pay_by`.
    `first` is the invoice that starts a subscription: until it is paid there is neither service nor
    debt.
    `receivable` is our own id when we issued it for what is owed.
    """

    id: str
    number: str | None
    customer: str
    subscription: str | None
    status: str
    due: int
    paid: int
    currency: str
    failed: bool
    first: bool
    pay_by: datetime | None = None
    receivable: str | None = None
    page: str | None = None

    def is_past_due(self, now: datetime) -> bool:
        """Whether payment was asked for in vain."""
        if self.due <= 0 or self.first or self.receivable:
            return False
        late = self.failed or (self.pay_by is not None and self.pay_by < now)
        return self.status == "uncollectible" or (self.status == "open" and late)


@dataclass(frozen=True, slots=True)
class Arrears:
    """One unpaid invoice; `steps` are the rungs still to come, `clause` is who says so."""

    id: str
    customer: str
    number: str
    subscription: str | None
    due: int
    currency: str
    since: datetime
    steps: tuple[Step, ...]
    clause: str = ""
    settled_at: datetime | None = None
    looking_until: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the next rung is reached; None when none is left or it is paid."""
        if self.settled_at or not self.steps:
            return None
        return max(filter(None, (self.steps[0].at, self.looking_until)))

    def reached(self, now: datetime) -> tuple[Step, ...]:
        """The rungs whose time has come."""
        return tuple(step for step in self.steps if step.at <= now)

    def after(self, steps: tuple[Step, ...]) -> "Arrears":
        """The arrears with these rungs behind them."""
        return replace(self, steps=self.steps[len(steps) :], looking_until=None)

    def standing_still(self, now: datetime) -> "Arrears":
        """The arrears with every rung to come put off, by as much as the next one needs."""
        wait = now + STANDSTILL - self.steps[0].at
        return replace(self, steps=tuple(Step(step.rung, step.at + wait) for step in self.steps))


def ladder(rule: NonPaymentRule, since: datetime) -> tuple[Step, ...]:
    """The rungs of a policy, counted from the first attempt that failed."""
    rungs = [(days, Rung.REMIND) for days in rule.remind_after_days]
    if rule.suspend_after_days is not None:
        rungs.append((rule.suspend_after_days, Rung.SUSPEND))
    if rule.cancel_after_days is not None:
        rungs.append((rule.cancel_after_days, Rung.CANCEL))
    return tuple(Step(rung, since + timedelta(days=days)) for days, rung in sorted(rungs))
