"""Whose consent a discretionary amount needs now, and remembering that it was granted.

Both in the change that grants it, so that two grants side by side never both see the room that
only one of them has.
"""

from shared.application.change import Change
from shared.domain.approval_limits import (
    CUSTOMER_PERIOD,
    DEFAULT_LIMITS,
    PERSON_PERIOD,
    ApprovalLimits,
    Grant,
    Grants,
    Need,
    needed,
)
from shared.domain.controls import OPERATIONS, Controls, partition_of
from shared.ports import Services


def approval_need(change: Change, *, amount: int, currency: str, person: str | None) -> Need:
    """Whose consent it needs to grant this customer `amount` minor units at discretion.

    `person` is who decides, whose own grants add up too; None where nobody does.
    """
    return needed(
        limits_in_force(change.services),
        Grant(change.now, amount, currency),
        change.load(Grants) or Grants(change.customer),
        _of_person(change, person) if person else None,
    )


def note_grant_to_customer(change: Change, *, amount: int, currency: str) -> None:
    """Let a discretionary grant count with this customer, in the commit that makes it."""
    known = change.load(Grants) or Grants(change.customer)
    change.put(known.plus(Grant(change.now, amount, currency), CUSTOMER_PERIOD))


def note_grant_by_person(change: Change, person: str, *, amount: int, currency: str) -> None:
    """Let a discretionary grant count with who decided on it, likewise."""
    grant = Grant(change.now, amount, currency)
    change.put_of(partition_of(person), _of_person(change, person).plus(grant, PERSON_PERIOD))


def limits_in_force(services: Services) -> ApprovalLimits:
    """As configured; those that a stack begins with where nobody has configured any."""
    stored = services.store.get(Controls, OPERATIONS)
    return stored.record.limits if stored else DEFAULT_LIMITS


def _of_person(change: Change, person: str) -> Grants:
    owner = partition_of(person)
    return change.load_of(owner, Grants) or Grants(owner)
