"""A table restored to an earlier time: nothing leaves twice."""

import copy
from typing import Any

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.perform_effect import perform_effect
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_cancellation import show_cancellation
from shared.domain.cancellation import Timing
from shared.domain.errors import UnavailableError
from shared.domain.refund_operation import RefundFacts
from tests.application.builders import CUSTOMER, SUBSCRIPTION, services_with_annual_plan
from tests.fakes.services import FakeServices

REFUND = 97479


def confirm(services: FakeServices) -> str:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    cancellation: str = answer.body["id"]
    return cancellation


def backups_of_a_whole_life(services: FakeServices) -> tuple[str, list[dict[Any, Any]]]:
    """The table as it was after the confirmation and after each effect."""
    cancellation = confirm(services)
    backups = [copy.deepcopy(services.store.table)]
    while services.waker.woken:
        customer, effect, _ = services.waker.woken.pop(0)
        perform_effect(services, customer=customer, effect_id=effect)
        backups.append(copy.deepcopy(services.store.table))
    return cancellation, backups


@pytest.mark.parametrize("days_later", [0, 3], ids=["at once", "when Stripe forgot the keys"])
def test_whatever_the_backup_shows_there_is_one_refund_and_one_credit_note(
    days_later: int,
) -> None:
    cancellation, backups = backups_of_a_whole_life(services_with_annual_plan())
    assert len(backups) > 5
    for moment in range(len(backups)):
        services = services_with_annual_plan()
        cancellation, again = backups_of_a_whole_life(services)
        services.store.table = again[moment]
        services.incarnation = 2
        services.billing.forget_keys()
        services.clock.advance(days=days_later, minutes=20)
        for _ in range(30):
            services.run_due_work()
            services.run_effects()
            services.clock.advance(minutes=10)
        assert [r.amount for r in services.billing.refunds.values()] == [REFUND]
        assert len(services.billing.credit_notes) == 1
        done = show_cancellation(services, customer=CUSTOMER, cancellation=cancellation)
        assert done["state"] == "executed"


def test_without_the_fence_a_restore_refunds_twice() -> None:
    """The test of the test: the same life with the incarnation left as it was."""
    services = services_with_annual_plan()
    _, backups = backups_of_a_whole_life(services)
    services.store.table = backups[0]
    services.billing.forget_keys()
    services.clock.advance(days=3)
    for _ in range(30):
        services.run_due_work()
        services.run_effects()
        services.clock.advance(minutes=10)
    assert len(services.billing.refunds) == 2


def test_a_look_up_that_fails_makes_an_old_sending_none_of_this_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The backup was made while the refund was on its way; the first look-up after it is cut."""
    services = services_with_annual_plan()
    backups: list[dict[Any, Any]] = []
    refund_payment = services.billing.refund_payment

    def kept(**arguments: Any) -> RefundFacts:
        backups.append(copy.deepcopy(services.store.table))
        return refund_payment(**arguments)

    monkeypatch.setattr(services.billing, "refund_payment", kept)
    backups_of_a_whole_life(services)
    services.store.table = backups[0]
    services.incarnation = 2
    services.billing.forget_keys()
    services.billing.fail_before["refunds_of"] = [UnavailableError("cut")]
    for _ in range(30):
        services.run_due_work()
        services.run_effects()
        services.clock.advance(minutes=10)
    assert not services.billing.fail_before["refunds_of"]
    assert len(services.billing.refunds) == 1
