"""A call that stops or starts collection, and stalls while the account turns the other way."""

from dataclasses import replace
from typing import Any

import pytest

from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import perform_effect
from shared.domain.dispute import DisputeOutcome
from shared.domain.effects import EffectKind, EffectStatus
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
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
    made.billing.invoices["in_open"] = replace(paid_invoice(), id="in_open", status="open")
    return made


def dispute(services: FakeServices, name: str, outcome: DisputeOutcome) -> None:
    services.billing.disputes[name] = replace(chargeback(outcome=outcome), id=name)
    handle_dispute(services, dispute=name, event=f"evt_{name}_{outcome}", event_type="t")


def work_of_others(services: FakeServices) -> None:
    """What nobody has begun yet, carried out once."""
    for _ in range(2):
        for kind in EffectKind:
            for effect in services.effects(CUSTOMER, kind):
                if effect.status is EffectStatus.PENDING and not effect.attempts:
                    perform_effect(services, customer=CUSTOMER, effect_id=effect.id)


def stall(monkeypatch: pytest.MonkeyPatch, services: FakeServices, call: str, turn: Any) -> None:
    """The first such call is on its way for so long that the account turns meanwhile."""
    asked = getattr(services.billing, call)

    def late(*args: Any, **kwargs: Any) -> None:
        monkeypatch.undo()
        turn()
        work_of_others(services)
        asked(*args, **kwargs)

    monkeypatch.setattr(services.billing, call, late)


@pytest.mark.parametrize("stalled", CALLS)
def test_a_stop_that_lands_after_the_account_is_reinstated_is_undone(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, stalled: str
) -> None:
    dispute(services, "du_1", DisputeOutcome.UNDECIDED)
    turn = lambda: dispute(services, "du_1", DisputeOutcome.WON)  # noqa: E731
    stall(monkeypatch, services, CALLS[stalled][0], turn)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == (set(), set())


@pytest.mark.parametrize("stalled", CALLS)
def test_a_start_that_lands_after_another_chargeback_is_undone_until_that_is_won(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch, stalled: str
) -> None:
    dispute(services, "du_1", DisputeOutcome.UNDECIDED)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == ({SUBSCRIPTION}, {"in_open"})
    dispute(services, "du_1", DisputeOutcome.WON)
    turn = lambda: dispute(services, "du_2", DisputeOutcome.UNDECIDED)  # noqa: E731
    stall(monkeypatch, services, CALLS[stalled][1], turn)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == ({SUBSCRIPTION}, {"in_open"})
    dispute(services, "du_2", DisputeOutcome.WON)
    services.run_effects()
    assert (services.billing.paused, services.billing.held) == (set(), set())
