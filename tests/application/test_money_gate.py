"""The switch and the caps: what they hold back, and what they never do."""

from datetime import timedelta
from typing import Any

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.perform_effect import Performed, perform_effect
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_account import check_access
from shared.application.show_cancellation import show_cancellation
from shared.application.turn_switch import set_caps, turn_switch
from shared.domain.cancellation import Timing
from shared.domain.controls import (
    DEFAULT_CAPS,
    OPERATIONS,
    Controls,
    RefundCap,
    Scope,
    Spent,
    Window,
)
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import OutcomeUnknownError
from shared.domain.payment import Payment
from shared.domain.records import AuditEntry
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.ports import Put
from tests.application.annual_plan import granted
from tests.application.builders import CUSTOMER, SUBSCRIPTION, services_with_annual_plan
from tests.fakes.services import START, FakeServices

REFUND = 97479


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def cancel(services: FakeServices) -> str:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    services.run_effects()
    cancellation: str = answer.body["id"]
    return cancellation


def state(services: FakeServices, cancellation: str) -> Any:
    return show_cancellation(services, customer=CUSTOMER, cancellation=cancellation)["state"]


def sweep(services: FakeServices, minutes: int) -> None:
    for _ in range(minutes):
        services.clock.advance(minutes=1)
        services.run_due_work()
        services.run_effects()


def switch(services: FakeServices, *, money_moves: bool) -> None:
    turn_switch(services, money_moves=money_moves, reason="drill", by="admin")


def test_a_stopped_switch_lets_no_money_out_but_cancels_all_the_same(
    services: FakeServices,
) -> None:
    switch(services, money_moves=False)
    cancellation = cancel(services)
    sweep(services, 30)
    assert services.billing.called("refund_payment") == []
    assert len(services.billing.called("cancel_now")) == 1
    assert state(services, cancellation) == "executing"
    assert not check_access(services, customer=CUSTOMER)["entitled"]


def test_opening_it_again_lets_what_waits_go_on_within_two_minutes(
    services: FakeServices,
) -> None:
    switch(services, money_moves=False)
    cancellation = cancel(services)
    sweep(services, 30)
    switch(services, money_moves=True)
    sweep(services, 2)
    assert state(services, cancellation) == "executed"
    assert [r.amount for r in services.billing.refunds.values()] == [REFUND]


def test_holding_counts_as_no_attempt(services: FakeServices) -> None:
    switch(services, money_moves=False)
    cancel(services)
    sweep(services, 60)
    (effect,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    assert (effect.attempts, effect.sent_at) == (0, None)


def test_a_stopped_switch_stops_retries_too(services: FakeServices) -> None:
    services.billing.fail_before["refund_payment"] = [OutcomeUnknownError("cut")] * 2
    cancellation = cancel_until_sent(services)
    switch(services, money_moves=False)
    sweep(services, 30)
    assert len(services.billing.called("refund_payment")) == 1
    assert state(services, cancellation) == "executing"


def cancel_until_sent(services: FakeServices) -> str:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    call = ClientCall("r", "k", quote["id"])
    answer = cancel_subscription(
        services, customer=CUSTOMER, request=ConfirmQuote(quote["id"]), call=call
    )
    while not services.billing.called("refund_payment"):
        customer, effect, _ = services.waker.woken.pop(0)
        perform_effect(services, customer=customer, effect_id=effect)
    services.waker.woken.clear()
    cancellation: str = answer.body["id"]
    return cancellation


def test_without_a_switch_nothing_moves(services: FakeServices) -> None:
    del services.store.table["CUST#operations", "CONTROLS"]
    cancel(services)
    sweep(services, 10)
    assert services.billing.called("refund_payment") == []


def test_every_turn_of_the_switch_is_in_the_audit_trail(services: FakeServices) -> None:
    switch(services, money_moves=False)
    switch(services, money_moves=True)
    trail = [stored.record for stored in services.store.all_of(AuditEntry, OPERATIONS)]
    assert [(e.what, e.why, e.actor) for e in trail] == [
        ("switch_stopped", "drill", "admin"),
        ("switch_opened", "drill", "admin"),
    ]


def cap(services: FakeServices, *caps: RefundCap) -> None:
    set_caps(services, caps=caps, reason="drill", by="admin")


@pytest.mark.parametrize(
    "limit",
    [
        RefundCap(Scope.CUSTOMER, Window.HOUR, count=0),
        RefundCap(Scope.EVERYONE, Window.HOUR, count=9, amounts=(("usd", REFUND - 1),)),
    ],
    ids=["by count", "by amount"],
)
def test_a_reached_cap_delays_to_the_next_window(services: FakeServices, limit: RefundCap) -> None:
    cap(services, limit)
    cancellation = cancel(services)
    (effect,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    assert effect.next_attempt_at == START.replace(hour=13) + timedelta(seconds=1)
    assert state(services, cancellation) == "executing"
    cap(services)
    sweep(services, 61)
    assert state(services, cancellation) == "executed"


def test_a_cap_that_just_fits_delays_nothing(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.EVERYONE, Window.DAY, count=1, amounts=(("usd", REFUND),)))
    assert state(services, cancel(services)) == "executed"


def test_a_retry_takes_nothing_of_a_cap_again(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.EVERYONE, Window.DAY, count=1))
    services.billing.fail_after["refund_payment"] = [OutcomeUnknownError("cut")] * 3
    assert state(services, cancel(services)) == "executed"
    key = (OPERATIONS, "day", "2026-03-10T00:00:00.000000+00:00")
    stored = services.store.get(Spent, *key)
    assert stored is not None
    assert (stored.record.count, stored.record.amounts) == (1, (("usd", REFUND),))


def test_refunds_side_by_side_never_take_more_than_a_cap(services: FakeServices) -> None:
    """Another worker spends the last place between the reading and the commit."""
    cap(services, RefundCap(Scope.EVERYONE, Window.DAY, count=1))
    rivals = [stored_refund(services, name) for name in ("01A", "01B")]

    def the_rival_goes_first() -> None:
        outcome = perform_effect(services, customer=CUSTOMER, effect_id=rivals[1])
        assert outcome is Performed.DONE

    services.store.before_commit = [the_rival_goes_first]
    assert perform_effect(services, customer=CUSTOMER, effect_id=rivals[0]) is Performed.HELD
    assert len(services.billing.called("refund_payment")) == 1


def stored_refund(services: FakeServices, name: str, **nature: Any) -> str:
    operation = RefundOperation(
        id=name,
        customer=CUSTOMER,
        cancellation=f"c{name}",
        invoice="in_1",
        payment=f"pi_{name}",
        amount=100,
        currency="usd",
        status=RefundStatus.RESERVED,
        reserved_at=START,
    )
    effect = Effect(
        id=f"effect{name}",
        customer=CUSTOMER,
        kind=EffectKind.REFUND_PAYMENT,
        params={"refund": name, "payment": f"pi_{name}", "amount": 100, "currency": "usd"} | nature,
        status=EffectStatus.PENDING,
        created_at=START,
        next_attempt_at=START,
        environment="test",
    )
    payment = Payment(f"pi_{name}", CUSTOMER, "usd", 1000, reserved=100)
    services.billing.refund_status = "pending"
    services.store.commit(
        [Put(one, 0) for one in (operation, effect, payment, *granted(operation))]
    )
    return effect.id


def attempt(services: FakeServices, effect: str) -> Performed:
    return perform_effect(services, customer=CUSTOMER, effect_id=effect)


def test_the_cap_of_one_person_holds_that_persons_refunds_only(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.AGENT, Window.HOUR, count=1))
    by = ["agnes", "agnes", "abel", None]
    effects = [
        stored_refund(services, f"01{number}", decided_by=person)
        for number, person in enumerate(by)
    ]
    assert [attempt(services, effect) for effect in effects] == [
        Performed.DONE,
        Performed.HELD,
        Performed.DONE,
        Performed.DONE,
    ]


def test_a_statutory_refund_passes_all_caps_and_counts_in_them(services: FakeServices) -> None:
    cap(services, *(RefundCap(scope, Window.DAY, count=1) for scope in Scope))
    nature = {"decided_by": "agnes"}
    first, statutory, third = (
        stored_refund(services, "01A", **nature),
        stored_refund(services, "01B", **nature, statutory=True),
        stored_refund(services, "01C", **nature),
    )
    outcomes = [attempt(services, effect) for effect in (first, statutory, third)]
    assert outcomes == [Performed.DONE, Performed.DONE, Performed.HELD]
    spent = services.store.get(Spent, OPERATIONS, "day", "2026-03-10T00:00:00.000000+00:00")
    assert spent is not None
    assert spent.record.count == 2


def test_the_switch_holds_a_statutory_refund_too(services: FakeServices) -> None:
    switch(services, money_moves=False)
    assert attempt(services, stored_refund(services, "01A", statutory=True)) is Performed.HELD


def test_a_stack_that_is_opened_for_the_first_time_has_caps(services: FakeServices) -> None:
    del services.store.table["CUST#operations", "CONTROLS"]
    assert turn_switch(services, money_moves=True, reason="first", by="admin").caps == DEFAULT_CAPS


def test_the_switch_is_one_record(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.CUSTOMER, Window.DAY, count=3))
    switch(services, money_moves=False)
    stored = services.store.get(Controls, OPERATIONS)
    assert stored is not None
    assert (stored.record.money_moves, len(stored.record.caps)) == (False, 1)
