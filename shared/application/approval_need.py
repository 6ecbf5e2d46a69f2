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
from shared.ports import Put, Services, Stored


def approval_need(change: Change, *, amount: int, currency: str, person: str | None) -> Need:
    """Whose consent it needs to grant this customer `amount` minor units at discretion.

    `person` is who decides, whose own grants add up too; None where nobody does.
    """
    services = change.services
    return needed(
        limits_in_force(services),
        Grant(change.now, amount, currency),
        change.load(Grants) or Grants(change.customer),
        _of_person(services, person).record if person else None,
    )


def note_grant(change: Change, *, amount: int, currency: str, person: str | None) -> None:
    """Let a discretionary grant count, in the commit that makes it."""
    grant = Grant(change.now, amount, currency)
    known = change.load(Grants) or Grants(change.customer)
    change.put(known.plus(grant, CUSTOMER_PERIOD))
    if person:
        stored = _of_person(change.services, person)
        change.beside(Put(stored.record.plus(grant, PERSON_PERIOD), stored.version))


def limits_in_force(services: Services) -> ApprovalLimits:
    """As configured; those that a stack begins with where nobody has configured any."""
    stored = services.store.get(Controls, OPERATIONS)
    return stored.record.limits if stored else DEFAULT_LIMITS


def _of_person(services: Services, person: str) -> Stored[Grants]:
    partition = partition_of(person)
    return services.store.get(Grants, partition) or Stored(Grants(partition), 0)
