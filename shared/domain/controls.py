"""The levers of the money path: one switch, caps on how fast refunds leave, limits on approval.

They are one record, read strongly before each new call that moves money and changed only through
the audited command. Where there is no record, nothing moves: a table that has just been made or
restored is opened by a person.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.approval_limits import DEFAULT_LIMITS, ApprovalLimits

# The partition of what concerns no single customer, with its own audit trail.
OPERATIONS = "operations"


class Window(StrEnum):
    """How long a cap counts; windows begin on the full hour or at midnight, UTC."""

    HOUR = "hour"
    DAY = "day"


class Scope(StrEnum):
    """Whose refunds a cap adds up."""

    EVERYONE = "everyone"
    CUSTOMER = "customer"
    # Only what a person has decided, under that person.
    AGENT = "agent"


def partition_of(person: str) -> str:
    """The partition of what one member of staff has granted and sent."""
    return f"person:{person}"


_LENGTH = {Window.HOUR: timedelta(hours=1), Window.DAY: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class RefundCap:
    """At most `count` refunds, and at most `amounts` (minor units by currency), a window.

    A currency without an amount is capped by the count alone.
    """

    scope: Scope
    window: Window
    count: int
    amounts: tuple[tuple[str, int], ...] = ()

    def ever_lets(self, amount: int, currency: str) -> bool:
        """Whether such a refund fits into a window that nothing else has used."""
        return self.count > 0 and amount <= dict(self.amounts).get(currency, amount)


# What a stack begins with: a burst ends long before it has emptied the account.
DEFAULT_CAPS = (
    RefundCap(
        Scope.EVERYONE,
        Window.HOUR,
        count=200,
        amounts=(("eur", 1_000_000), ("gbp", 1_000_000), ("usd", 1_000_000)),
    ),
)


@dataclass(frozen=True, slots=True)
class Controls:
    """The levers as they stand."""

    customer: str
    money_moves: bool
    reason: str
    changed_by: str
    changed_at: datetime
    caps: tuple[RefundCap, ...] = ()
    limits: ApprovalLimits = DEFAULT_LIMITS

    def switched(self, *, money_moves: bool, reason: str, by: str, at: datetime) -> "Controls":
        """The levers with the switch turned."""
        return replace(self, money_moves=money_moves, reason=reason, changed_by=by, changed_at=at)


@dataclass(frozen=True, slots=True)
class Spent:
    """What refunds have used of one window: a customer's, a person's, or everyone's."""

    customer: str
    window: Window
    since: datetime
    count: int = 0
    amounts: tuple[tuple[str, int], ...] = ()

    @property
    def forget_at(self) -> datetime:
        """When nothing asks for it any more."""
        return self.since + timedelta(days=35)

    def plus(self, amount: int, currency: str) -> "Spent":
        """The window with one more refund in it."""
        amounts = dict(self.amounts)
        amounts[currency] = amounts.get(currency, 0) + amount
        return replace(self, count=self.count + 1, amounts=tuple(sorted(amounts.items())))

    def exceeds(self, cap: RefundCap) -> bool:
        """Whether this is more than `cap` allows."""
        limits = dict(cap.amounts)
        return self.count > cap.count or any(
            amount > limits[currency] for currency, amount in self.amounts if currency in limits
        )


def window_of(cap: RefundCap, now: datetime) -> tuple[datetime, datetime]:
    """The begin and end of the window that `now` is in."""
    since = now.replace(minute=0, second=0, microsecond=0)
    if cap.window is Window.DAY:
        since = since.replace(hour=0)
    return since, since + _LENGTH[cap.window]
