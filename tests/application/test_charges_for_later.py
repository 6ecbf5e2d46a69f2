"""Charges for later: what is taken away, however often it is found, comes back once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.application.perform_effect import perform_effect
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.effects import EffectKind
from shared.domain.errors import OutcomeUnknownError
from shared.domain.invoice import PendingCharge
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices

ACROSS = PendingCharge(
    id="ii_0",
    subscription=SUBSCRIPTION,
    amount=3000,
    currency="usd",
    description="minutes",
    period_start=YEAR_END - timedelta(days=10),
    period_end=YEAR_END + timedelta(days=20),
)


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def cancel(services: FakeServices) -> str:
    body = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body
    return str(body["id"])


def perform_last(services: FakeServices, kind: EffectKind) -> None:
    *_, effect = services.effects(CUSTOMER, kind)
    perform_effect(services, customer=CUSTOMER, effect_id=effect.id)


def billed(services: FakeServices) -> int:
    return sum(charge.amount for charge in services.billing.charges.values())


def many(services: FakeServices) -> None:
    """More than one sweep takes away."""
    for number in range(41):
        name = f"ii_{number}"
        services.billing.charges[name] = replace(ACROSS, id=name)


def test_more_charges_than_one_sweep_takes_away_all_go(services: FakeServices) -> None:
    many(services)
    cancel(services)
    services.run_effects(rounds=500)
    assert {one.period_end for one in services.billing.charges.values()} == {YEAR_END}
    assert billed(services) == 41 * 1000


def test_what_the_next_sweep_finds_again_is_earned_once(services: FakeServices) -> None:
    many(services)
    asked = cancel(services)
    for _ in range(2):
        perform_last(services, EffectKind.SWEEP_CHARGES)
    services.run_effects(rounds=500)
    assert billed(services) == 41 * 1000
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)
    services.run_effects(rounds=500)
    assert billed(services) == 41 * 3000


def test_what_is_found_again_at_the_end_is_earned_once(services: FakeServices) -> None:
    services.billing.charges["ii_0"] = ACROSS
    cancel(services)
    perform_last(services, EffectKind.SWEEP_CHARGES)
    # It could not be taken away until the end has come.
    services.clock.instant = services.billing.now = YEAR_END
    services.run_due_work()
    perform_last(services, EffectKind.SWEEP_CHARGES)
    services.run_effects()
    assert len(services.effects(CUSTOMER, EffectKind.REMOVE_CHARGE)) == 2
    assert billed(services) == 1000


def test_what_was_taken_away_unheard_comes_back_with_the_take_back(
    services: FakeServices,
) -> None:
    services.billing.charges["ii_0"] = ACROSS
    asked = cancel(services)
    perform_last(services, EffectKind.SWEEP_CHARGES)
    (removal,) = services.effects(CUSTOMER, EffectKind.REMOVE_CHARGE)
    services.billing.fail_after["remove_charge"] = [OutcomeUnknownError("cut")]
    perform_effect(services, customer=CUSTOMER, effect_id=removal.id)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=asked)
    services.run_effects()
    assert billed(services) == 3000


def test_what_is_billed_ahead_stands_once_the_cancellation_is_taken_back(
    services: FakeServices,
) -> None:
    cancellation = cancel(services)
    ahead = replace(
        paid_invoice(start=YEAR_END, end=YEAR_END + timedelta(days=365)),
        id="in_open",
        status="open",
        payments=(),
    )
    services.billing.invoices[ahead.id] = ahead
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
    services.run_effects()
    assert services.billing.invoices[ahead.id].status == "open"
