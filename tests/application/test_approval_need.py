"""Grants add up over changes, exactly, whoever runs beside them."""

import pytest

from shared.application.approval_need import (
    approval_need,
    limits_in_force,
    note_grant_by_person,
    note_grant_to_customer,
)
from shared.application.change import Change, transact
from shared.application.turn_switch import set_limits
from shared.domain.approval_limits import DEFAULT_LIMITS, AmountLimits, ApprovalLimits, Need
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.errors import ConflictError
from shared.domain.records import AuditEntry
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


def grant(
    services: FakeServices, amount: int, *, to: str = "cus_ann", by: str | None = "agnes"
) -> Need:
    """Grant it, whatever it needs; what it needed."""

    def decide(change: Change) -> Need:
        need = approval_need(change, amount=amount, currency="usd", person=by)
        note_grant_to_customer(change, amount=amount, currency="usd")
        if by:
            note_grant_by_person(change, by, amount=amount, currency="usd")
        return need

    return transact(services, to, "staff", decide)


def test_parts_for_one_customer_add_up_whoever_grants_them(services: FakeServices) -> None:
    people = ["agnes", "abel", None, "anna"]
    assert [grant(services, 9_000, by=by) for by in people] == [
        Need.ONE_PERSON,
        Need.ONE_PERSON,
        Need.TWO_PEOPLE,
        Need.TWO_PEOPLE,
    ]


def test_parts_by_one_person_add_up_over_customers(services: FakeServices) -> None:
    needs = [grant(services, 5_001, to=f"cus_{number}") for number in range(4)]
    assert needs == [Need.ONE_PERSON] * 3 + [Need.TWO_PEOPLE]


def test_two_grants_by_one_person_side_by_side_both_count(services: FakeServices) -> None:
    """For another customer, so that nothing but the person's own record can tell them apart."""
    for number in range(2):
        grant(services, 5_001, to=f"cus_{number}")
    seen: list[Need] = []
    services.store.before_commit = [lambda: seen.append(grant(services, 5_001, to="cus_rival"))]
    assert grant(services, 5_001, to="cus_last") is Need.TWO_PEOPLE
    assert seen == [Need.ONE_PERSON]


def test_limits_are_changed_by_an_audited_command(services: FakeServices) -> None:
    limits = ApprovalLimits((("usd", AmountLimits(1, 2, 3, 4)),))
    set_limits(services, limits=limits, reason="pilot", by="admin")
    assert limits_in_force(services) == limits
    assert grant(services, 3) is Need.TWO_PEOPLE
    assert [grant(services, amount, to=f"cus_{amount}") for amount in (1, 4)][1] is Need.ADMIN
    (entry,) = [one.record for one in services.store.all_of(AuditEntry, OPERATIONS)]
    assert (entry.what, entry.why, entry.actor) == ("limits_set", "pilot", "admin")


def test_before_the_switch_was_turned_limits_stand_and_cannot_be_set(
    services: FakeServices,
) -> None:
    del services.store.table["CUST#operations", "CONTROLS"]
    assert limits_in_force(services) == DEFAULT_LIMITS
    with pytest.raises(ConflictError):
        set_limits(services, limits=DEFAULT_LIMITS, reason="r", by="admin")


def test_levers_of_a_release_without_limits_are_read_with_the_default_ones(
    services: FakeServices,
) -> None:
    del services.store.table["CUST#operations", "CONTROLS"]["limits"]
    stored = services.store.get(Controls, OPERATIONS)
    assert stored is not None
    assert stored.record.limits == DEFAULT_LIMITS
