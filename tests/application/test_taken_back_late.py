"""A cancellation that is taken back while its end is on its way, or has come, at Stripe."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.application.perform_effect import perform_effect
from shared.application.refresh_subscription import refresh_subscription
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Cancellation, CancellationState, Timing
from shared.domain.effects import EffectKind
from shared.domain.errors import OutcomeUnknownError, RefusedError
from shared.domain.invoice import PendingCharge
from shared.domain.subscription import Subscription, SubscriptionStatus
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    services_with_annual_plan,
)
from tests.application.test_charges_for_later import billed, perform_last
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def cancelled(services: FakeServices, key: str = "key-1") -> str:
    """A cancellation for the end of the cycle, of which Stripe has not heard yet."""
    return str(confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"], key).body["id"])


def known(services: FakeServices) -> Subscription:
    stored = services.store.get(Subscription, CUSTOMER, SUBSCRIPTION)
    assert stored is not None
    return stored.record


def test_an_end_that_was_read_before_stripe_heard_of_the_take_back_ends_nothing(
    services: FakeServices,
) -> None:
    cancellation = cancelled(services)
    services.run_effects()
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    # An event comes before the effect: Stripe still has the end that was taken back.
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert known(services).ends_at == YEAR_END
    services.run_effects()
    assert known(services).ends_at is None
    assert known(services).items[0].access_until is None


def test_an_end_that_somebody_else_has_set_is_carried_out_by_stripe_alone(
    services: FakeServices,
) -> None:
    seen = services.billing.known_subscriptions[SUBSCRIPTION]
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(seen, cancels_at=YEAR_END)
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    # Taken back in the dashboard, and the event of that is late.
    services.billing.known_subscriptions[SUBSCRIPTION] = seen
    services.clock.instant = YEAR_END + timedelta(minutes=1)
    assert services.run_due_work()["ended"] == 0
    services.run_effects()
    assert services.billing.known_subscriptions[SUBSCRIPTION].status is SubscriptionStatus.ACTIVE
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert known(services).ends_at is None


@pytest.mark.parametrize("how", ["no outcome", "refused"])
def test_what_became_of_an_end_that_was_taken_back_is_undone(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    cancellation = cancelled(services)
    (scheduled,) = services.effects(CUSTOMER, EffectKind.SCHEDULE_CANCELLATION)

    def take_back() -> None:
        withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)

    def refuse(*_asked: object, **_how: object) -> None:
        monkeypatch.undo()
        take_back()
        raise RefusedError("no", "no")

    if how == "refused":
        # Taken back while the call is out.
        monkeypatch.setattr(services.billing, "set_cancel_at_period_end", refuse)
    else:
        cut: list[Exception] = [OutcomeUnknownError("cut")] * 20
        services.billing.fail_before["set_cancel_at_period_end"] = cut
        while not services.effects(CUSTOMER, EffectKind.SCHEDULE_CANCELLATION)[0].exhausted:
            perform_effect(services, customer=CUSTOMER, effect_id=scheduled.id)
            services.clock.advance(hours=25)
        services.billing.fail_before.clear()
        take_back()
    perform_effect(services, customer=CUSTOMER, effect_id=scheduled.id)
    (scheduled,) = services.effects(CUSTOMER, EffectKind.SCHEDULE_CANCELLATION)
    assert scheduled.status == ("rejected" if how == "refused" else "needs_person")
    stored = services.store.get(Cancellation, CUSTOMER, cancellation)
    assert stored is not None
    assert stored.record.state is CancellationState.WITHDRAWN
    services.run_effects()
    undone = services.effects(CUSTOMER, EffectKind.UNSCHEDULE_CANCELLATION)
    assert [one.status for one in undone] == ["done", "done"]


@pytest.mark.parametrize("how", ["ended before", "no outcome"])
def test_a_take_back_that_stripe_does_not_keep_calls_a_person(
    services: FakeServices, how: str
) -> None:
    cancellation = cancelled(services)
    services.run_effects()
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    refusal = RefusedError("resource_missing", "it has ended")
    errors = [refusal] if how == "ended before" else [OutcomeUnknownError("cut")] * 20
    services.billing.fail_before["set_cancel_at_period_end"] = list(errors)
    if how == "ended before":
        seen = services.billing.known_subscriptions[SUBSCRIPTION]
        ended = replace(seen, status=SubscriptionStatus.ENDED, ended_at=YEAR_END)
        services.billing.known_subscriptions[SUBSCRIPTION] = ended
        refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    for _ in range(20):
        services.run_effects()
        services.clock.advance(hours=25)
        services.run_due_work()
    told = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [(one["what"], one["subject"]) for one in told] == [
        ("withdrawal_not_kept", cancellation)
    ]


def test_a_charge_that_was_put_back_unheard_and_taken_away_again_is_added_once(
    services: FakeServices,
) -> None:
    later = YEAR_END + timedelta(days=365)
    charge = PendingCharge("ii_1", SUBSCRIPTION, 500, "usd", "minutes", YEAR_END, later)
    services.billing.charges["ii_1"] = charge
    cancellation = cancelled(services)
    services.run_effects()
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    # Stripe adds it, and we hear nothing; then it is for later again, and taken away.
    services.billing.fail_after["add_charge"] = [OutcomeUnknownError("cut")]
    (added,) = services.effects(CUSTOMER, EffectKind.ADD_CHARGE)
    perform_effect(services, customer=CUSTOMER, effect_id=added.id)
    services.waker.woken.clear()
    confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"], key="again")
    services.run_effects()
    (added,) = services.effects(CUSTOMER, EffectKind.ADD_CHARGE)
    assert (added.status, services.billing.charges) == ("sent", {})
    # By now Stripe has forgotten the key.
    services.clock.advance(hours=25)
    services.billing.keys.clear()
    perform_effect(services, customer=CUSTOMER, effect_id=added.id)
    services.run_effects()
    (added,) = services.effects(CUSTOMER, EffectKind.ADD_CHARGE)
    assert (added.status, services.billing.charges) == ("done", {})
    assert [name for name, _ in services.billing.calls].count("add_charge") == 1


@pytest.mark.parametrize(
    ("begins", "earned"), [(YEAR_END, 0), (YEAR_END - timedelta(days=365), 500)]
)
@pytest.mark.parametrize("first", ["the one taken back", "the other"])
def test_a_charge_that_two_cancellations_take_away_at_once_comes_back_once(
    services: FakeServices, begins: datetime, earned: int, first: str
) -> None:
    """One is taken back while its removal is on its way; the other still sees the charge."""
    later = YEAR_END + timedelta(days=365)
    charge = PendingCharge("ii_1", SUBSCRIPTION, 1000, "usd", "minutes", begins, later)
    services.billing.charges["ii_1"] = charge
    cancellation = cancelled(services)
    perform_last(services, EffectKind.SWEEP_CHARGES)
    services.billing.fail_before["remove_charge"] = [OutcomeUnknownError("cut")]
    perform_last(services, EffectKind.REMOVE_CHARGE)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    cancellation = cancelled(services, "again")
    perform_last(services, EffectKind.SWEEP_CHARGES)
    if first == "the other":
        perform_last(services, EffectKind.REMOVE_CHARGE)
    services.run_effects(rounds=200)
    removals = services.effects(CUSTOMER, EffectKind.REMOVE_CHARGE)
    assert [one.params["charge"]["id"] for one in removals[:2]] == ["ii_1", "ii_1"]
    assert billed(services) == earned
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    services.run_effects(rounds=200)
    assert billed(services) == 1000
