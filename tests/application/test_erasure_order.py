"""Erasure and what comes first: holds, disputes, cases, debts; in whatever order they come."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application.cases.open_case import OpenCase, open_case
from shared.application.cases.withdraw_case import withdraw_case
from shared.application.change import Change, transact
from shared.application.handle_dispute import handle_dispute
from shared.application.privacy.hold_data import lift_hold, place_hold
from shared.domain.dispute import DisputeOutcome
from shared.domain.errors import (
    ConflictError,
)
from shared.domain.facts import Ground
from shared.domain.privacy import Deferral, PrivacyChoices
from shared.domain.privacy import Ground as ErasureGround
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.domain.subscription import Subscription
from tests.application.builders import CUSTOMER, SUBSCRIPTION, chargeback
from tests.application.erasing import CANARY, STAFF, ann, canaries, erase, pass_days, shown
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return ann()


HINDRANCES = tuple(Deferral)


def hinder(services: FakeServices, what: str) -> None:
    match what:
        case "legal_hold":
            place_hold(services, CUSTOMER, "court-7/26", STAFF)
        case "open_dispute":
            _dispute(services, f"du_{len(services.billing.disputes) + 1}", DisputeOutcome.UNDECIDED)
        case "unpaid_balance":
            _owe(services, 500)
        case "running_subscription":
            _subscription(services, runs=True)
        case "open_case":
            wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR, statement=CANARY)
            open_case(services, customer=CUSTOMER, wanted=wanted, by=f"customer:{CUSTOMER}")
        case "money_under_way":
            _refund(services)


def clear(services: FakeServices, what: str) -> None:
    match what:
        case "legal_hold":
            known = services.store.get(PrivacyChoices, CUSTOMER)
            assert known is not None
            for hold in known.record.holds:
                lift_hold(services, CUSTOMER, hold.id, STAFF)
        case "open_dispute":
            _dispute(services, f"du_{len(services.billing.disputes)}", DisputeOutcome.WON)
        case "unpaid_balance":
            _owe(services, -500)
        case "running_subscription":
            _subscription(services, runs=False)
        case "open_case":
            for case in services.store.all_of(RefundCase, CUSTOMER):
                if case.record.is_open:
                    withdraw_case(services, customer=CUSTOMER, case=case.record.id)
        case "money_under_way":
            _refunded(services)


def _refunded(services: FakeServices) -> None:
    def decide(change: Change) -> None:
        for stored in services.store.all_of(RefundOperation, CUSTOMER):
            known = change.load(RefundOperation, stored.record.id)
            if known is not None:
                change.put(known.step(RefundStatus.SUCCEEDED))

    transact(services, CUSTOMER, "test", decide)


def _refund(services: FakeServices) -> None:
    def decide(change: Change) -> None:
        change.put(
            RefundOperation(
                id=services.ids.new(),
                customer=CUSTOMER,
                cancellation="c",
                invoice="in_1",
                payment="pi_other",
                amount=100,
                currency="usd",
                status=RefundStatus.PENDING,
                reserved_at=change.now,
            )
        )

    transact(services, CUSTOMER, "test", decide)


def _dispute(services: FakeServices, dispute: str, outcome: DisputeOutcome) -> None:
    """A dispute that is over does not open again: each time it is another one."""
    services.billing.disputes[dispute] = replace(chargeback(outcome=outcome), id=dispute)
    handle_dispute(services, dispute=dispute, event=services.ids.new(), event_type="t")


def _owe(services: FakeServices, amount: int) -> None:
    def decide(change: Change) -> None:
        change.account = change.account.with_balance("usd", owed=amount)
        change.audit("test", "test")

    transact(services, CUSTOMER, "test", decide)


def _subscription(services: FakeServices, *, runs: bool) -> None:
    """One that has ended does not run again: each time it is another one."""

    def decide(change: Change) -> None:
        known = change.load(Subscription, SUBSCRIPTION)
        assert known is not None
        if runs:
            name = services.ids.new()
            change.put(replace(known, id=name, ends_at=None, ended_at=None, cancellation=None))
            return
        for stored in services.store.all_of(Subscription, CUSTOMER):
            other = change.load(Subscription, stored.record.id)
            if other is not None and other.ended_at is None:
                change.put(replace(other, ended_at=change.now))

    transact(services, CUSTOMER, "test", decide)


@pytest.mark.parametrize("what", HINDRANCES)
def test_an_erasure_is_put_off_says_why_and_goes_on_afterwards(services: FakeServices, what: str):
    hinder(services, what)
    request = erase(services)
    pass_days(services, 20)

    answer = shown(services, request)
    assert answer["state"] == "deferred"
    assert what in [one["code"] for one in answer["deferred_because"]]
    assert services.vault.ledger == {}
    told = [mail for mail in services.mailer.sent if mail["template"] == "erasure_deferred"]
    assert len(told) == 1, "the person is told once for one reason"

    clear(services, what)
    pass_days(services, 2)
    assert shown(services, request)["state"] == "answered"
    assert canaries(services) == []


@pytest.mark.parametrize("order", list(permutations(["hold", "erasure", "dispute"])), ids="-".join)
def test_whatever_comes_first_nothing_under_hold_or_dispute_is_erased(
    services: FakeServices, order: tuple[str, ...]
):
    for step in order:
        match step:
            case "hold":
                hinder(services, "legal_hold")
            case "dispute":
                hinder(services, "open_dispute")
            case _:
                erase(services)
        pass_days(services, 1)
    pass_days(services, 16)
    assert services.vault.ledger == {}
    clear(services, "open_dispute")
    pass_days(services, 2)
    assert services.vault.ledger == {}, "the hold still stands"
    clear(services, "legal_hold")
    pass_days(services, 2)
    assert canaries(services) == []


@pytest.mark.parametrize("what", HINDRANCES)
def test_what_comes_up_after_an_erasure_has_begun_is_in_time_until_the_key_goes(
    services: FakeServices, what: str
):
    request = erase(services)
    services.clock.advance(days=14)
    services.run_due_work()
    assert shown(services, request)["state"] == "erasing"
    hinder(services, what)
    services.run_effects()

    answer = shown(services, request)
    assert answer["state"] == "deferred"
    assert what in [one["code"] for one in answer["deferred_because"]]
    assert services.vault.ledger == {}
    clear(services, what)
    pass_days(services, 2)
    assert canaries(services) == []


def test_a_hold_that_comes_at_the_last_moment_is_in_time(services: FakeServices):
    request = erase(services)
    services.clock.advance(days=14)
    services.run_due_work()
    services.store.before_commit.append(lambda: hinder(services, "legal_hold"))
    services.run_effects()

    assert shown(services, request)["state"] == "deferred"
    assert services.vault.ledger == {}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("erase"), st.sampled_from(list(ErasureGround))),
        st.tuples(st.just("hinder"), st.sampled_from(HINDRANCES)),
        st.tuples(st.just("clear"), st.sampled_from(HINDRANCES)),
        st.tuples(st.just("days"), st.integers(1, 20)),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_no_order_of_hold_erasure_dispute_and_term_erases_too_early_or_never(
    steps: list[tuple[str, Any]],
):
    """Erased only while nothing hinders it, and once nothing does, in its time."""
    services = ann()
    hindered: set[str] = set()
    asked = False
    for kind, value in steps:
        if services.vault.ledger:
            break
        if kind == "erase":
            try:
                erase(services, value)
                asked = True
            except ConflictError:
                assert asked
        elif kind == "hinder" and value not in hindered:
            hinder(services, value)
            hindered.add(value)
        elif kind == "clear" and value in hindered:
            clear(services, value)
            hindered.discard(value)
        elif kind == "days":
            pass_days(services, value)
        if services.vault.ledger:
            assert asked
            assert not hindered
    for value in sorted(hindered if not services.vault.ledger else ()):
        clear(services, value)
    pass_days(services, 16)

    assert bool(services.vault.ledger) is asked
    assert (canaries(services) == []) is asked
