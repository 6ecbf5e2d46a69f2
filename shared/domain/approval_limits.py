"""Whose consent a discretionary amount needs, and when the people who agreed are enough.

The limits bind money that nobody has a right to. An entitlement meets only the caps on how fast
refunds leave, and a statutory refund not even those. They look at what adds up lately, to one
customer and by one person, so that an amount in parts needs what it would need in one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from shared.domain.facts import Role

# How far back grants add up.
CUSTOMER_PERIOD = timedelta(days=30)
PERSON_PERIOD = timedelta(days=1)
_HOUR = timedelta(hours=1)

ADMIN = "admin"


class Need(IntEnum):
    """Whose consent is needed; the higher, the more."""

    NOBODY = 0
    ONE_PERSON = 1
    TWO_PEOPLE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class AmountLimits:
    """Limits of one currency in minor units; what is above one needs the next.

    Up to `automatic` nobody is needed, up to `second_person` one person, up to `hard` two people;
    above it one of the two is an admin. `person_day` is what one person may grant alone a day.
    """

    automatic: int
    second_person: int
    hard: int
    person_day: int


# Where no limits are set for a currency, somebody has to think of them first.
_NOTHING = AmountLimits(0, 0, 0, 0)
_FIFTY = AmountLimits(5_000, 20_000, 200_000, 100_000)
DEFAULT_AMOUNTS = (
    ("aud", _FIFTY),
    ("cad", _FIFTY),
    ("chf", _FIFTY),
    ("eur", _FIFTY),
    ("gbp", _FIFTY),
    ("inr", AmountLimits(400_000, 1_600_000, 16_000_000, 8_000_000)),
    ("jpy", AmountLimits(7_500, 30_000, 300_000, 150_000)),
    ("usd", _FIFTY),
)


@dataclass(frozen=True, slots=True)
class ApprovalLimits:
    """All limits on discretionary money, by currency, and how many grants may be waved through.

    A customer gets `automatic_count` grants in 30 days without a person; one person may make
    `hourly_count` grants above the automatic limit an hour alone.
    """

    amounts: tuple[tuple[str, AmountLimits], ...] = DEFAULT_AMOUNTS
    automatic_count: int = 1
    hourly_count: int = 3

    def of(self, currency: str) -> AmountLimits:
        """The limits of a currency; without any, every amount needs an admin."""
        return dict(self.amounts).get(currency, _NOTHING)


DEFAULT_LIMITS = ApprovalLimits()


@dataclass(frozen=True, slots=True)
class Grant:
    """Discretionary money that was granted: `amount` minor units."""

    at: datetime
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Grants:
    """What was granted lately to a customer, or by a person (`partition_of`)."""

    customer: str
    grants: tuple[Grant, ...] = ()

    def since(self, at: datetime) -> tuple[Grant, ...]:
        """Those after `at`."""
        return tuple(grant for grant in self.grants if grant.at > at)

    def plus(self, grant: Grant, period: timedelta) -> "Grants":
        """With one more, and without those that no longer add up."""
        return replace(self, grants=(*self.since(grant.at - period), grant))


def needed(
    limits: ApprovalLimits, asked: Grant, to_customer: Grants, by_person: Grants | None = None
) -> Need:
    """Whose consent `asked` needs after what was granted to the customer and by the person.

    Args:
        limits: as configured.
        asked: the amount in question, at the instant of the decision.
        to_customer: what this customer was granted before.
        by_person: what the person who decides has granted before; None where nobody does.
    """
    own = limits.of(asked.currency)
    lately = to_customer.since(asked.at - CUSTOMER_PERIOD)
    total = _total(asked, lately)
    if total > own.hard:
        return Need.ADMIN
    if total > own.second_person or (by_person and _too_much_alone(limits, asked, by_person)):
        return Need.TWO_PEOPLE
    if total > own.automatic or len(lately) >= limits.automatic_count:
        return Need.ONE_PERSON
    return Need.NOBODY


def _too_much_alone(limits: ApprovalLimits, asked: Grant, by_person: Grants) -> bool:
    today = by_person.since(asked.at - PERSON_PERIOD)
    if _total(asked, today) > limits.of(asked.currency).person_day:
        return True
    large = [g for g in (*today, asked) if g.amount > limits.of(g.currency).automatic]
    return len([g for g in large if g.at > asked.at - _HOUR]) > limits.hourly_count


def _total(asked: Grant, others: Iterable[Grant]) -> int:
    return asked.amount + sum(g.amount for g in others if g.currency == asked.currency)


def suffices(need: Need, agreed: Iterable[tuple[str, str]]) -> bool:
    """Whether those who agreed, each a (person, role), are whom `need` asks for.

    A second person is somebody else, and one of the two has to be an approver or an admin.
    """
    consents = list(agreed)
    people, roles = {person for person, _ in consents}, {role for _, role in consents}
    match need:
        case Need.NOBODY:
            return True
        case Need.ONE_PERSON:
            return bool(people)
        case Need.TWO_PEOPLE:
            return len(people) > 1 and bool(roles & {Role.APPROVER, ADMIN})
        case Need.ADMIN:
            return len(people) > 1 and ADMIN in roles
