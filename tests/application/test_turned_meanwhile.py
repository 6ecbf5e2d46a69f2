"""A call that sets something at Stripe, and lands after the opposite was decided and done."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import perform_effect
from shared.application.refresh_subscription import refresh_subscription
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import DisputeOutcome
from shared.domain.effects import EffectKind, EffectStatus
from shared.domain.errors import OutcomeUnknownError
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices

CALLS = {
    "subscription": ("pause_collection", "resume_collection"),
    "invoice": ("set_auto_advance", "set_auto_advance"),
}


@pytest.fixture
def services() -> FakeServices:
    made = services_with_annual_plan()
    made.billing.invoices["in_open"] = replace(
        paid_invoice(), id="in_open", status="open", lines=()
    )
    return made


def dispute(services: FakeServices, name: str, outcome: DisputeOutcome) -> None:
    services.billing.disputes[name] = replace(chargeback(outcome=outcome), id=name)
    handle_dispute(services, dispute=name, event=f"evt_{name}_{outcome}", event_type="t")


def cancel(services: FakeServices, key: str) -> str:
    quote = quoted(services, Timing.AT_PERIOD_END)
    return str(confirm(services, quote["id"], key).body["id"])


def withdraw(services: FakeServices, cancellation: str) -> None:
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=cancellation)


def work_of_others(services: FakeServices) -> None:
    """What nobody has begun yet, carried out once."""
    for _ in range(2):
        for kind in EffectKind:
            for effect in services.effects(CUSTOMER, kind):
                if effect.status is EffectStatus.PENDING and not effect.attempts:
                    perform_effect(services, customer=CUSTOMER, effect_id=effect.id)


class Stall:
    """The first such call is on its way for so long that the account turns meanwhile.

    Unheard, its answer is lost, and its worker with it.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, services: FakeServices, *, heard: bool
    ) -> None:
        self._patch, self._services, self._heard = monkeypatch, services, heard

    def begin(self, call: str, turn: Callable[[], object]) -> None:
        asked = getattr(self._services.billing, call)

        def late(*args: Any, **kwargs: Any) -> None:
            self._patch.undo()
            turn()
            work_of_others(self._services)
            asked(*args, **kwargs)
            if not self._heard:
                raise OutcomeUnknownError("cut")

        self._patch.setattr(self._services.billing, call, late)

    def end(self) -> None:
        """Everything is carried out, what waits for its turn as well."""
        for _ in range(4):
            self._services.run_effects()
            self._services.clock.advance(minutes=6)
            self._services.run_due_work()


@pytest.fixture(params=[True, False], ids=["heard", "unheard"])
def stall(
    monkeypatch: pytest.MonkeyPatch, services: FakeServices, request: pytest.FixtureRequest
) -> Stall:
    return Stall(monkeypatch, services, heard=request.param)


@pytest.mark.parametrize("stalled", CALLS)
def test_a_stop_that_lands_after_the_account_is_reinstated_is_undone(
    services: FakeServices, stall: Stall, stalled: str
) -> None:
    dispute(services, "du_1", DisputeOutcome.UNDECIDED)
    turn = lambda: dispute(services, "du_1", DisputeOutcome.WON)  # noqa: E731
    stall.begin(CALLS[stalled][0], turn)
    stall.end()
    assert (services.billing.paused, services.billing.held) == (set(), set())


@pytest.mark.parametrize("stalled", CALLS)
def test_a_start_that_lands_after_another_chargeback_is_undone_until_that_is_won(
    services: FakeServices, stall: Stall, stalled: str
) -> None:
    dispute(services, "du_1", DisputeOutcome.UNDECIDED)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == ({SUBSCRIPTION}, {"in_open"})
    dispute(services, "du_1", DisputeOutcome.WON)
    turn = lambda: dispute(services, "du_2", DisputeOutcome.UNDECIDED)  # noqa: E731
    stall.begin(CALLS[stalled][1], turn)
    stall.end()
    assert (services.billing.paused, services.billing.held) == ({SUBSCRIPTION}, {"in_open"})
    dispute(services, "du_2", DisputeOutcome.WON)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == (set(), set())


def test_what_was_held_is_not_collected_any_more_once_its_subscription_has_ended(
    services: FakeServices,
) -> None:
    """Stripe has stopped it with the end; the chargeback that is won is none of its business."""
    dispute(services, "du_1", DisputeOutcome.UNDECIDED)
    services.run_effects()
    services.billing.cancel_now(SUBSCRIPTION)
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    dispute(services, "du_1", DisputeOutcome.WON)
    services.run_effects()
    assert services.billing.held == {"in_open"}


def test_an_end_that_lands_after_it_was_taken_back_is_unset(
    services: FakeServices, stall: Stall
) -> None:
    cancellation = cancel(services, "key-1")
    turn = lambda: withdraw(services, cancellation)  # noqa: E731
    stall.begin("set_cancel_at_period_end", turn)
    stall.end()
    assert services.billing.known_subscriptions[SUBSCRIPTION].cancels_at is None


def test_a_take_back_that_lands_after_the_next_cancellation_leaves_its_end(
    services: FakeServices, stall: Stall
) -> None:
    cancellation = cancel(services, "key-1")
    services.run_effects()
    withdraw(services, cancellation)
    stall.begin("set_cancel_at_period_end", lambda: cancel(services, "key-2"))
    stall.end()
    assert services.billing.known_subscriptions[SUBSCRIPTION].cancels_at == YEAR_END
