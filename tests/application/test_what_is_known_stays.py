"""A decision that would take back what is known of a record writes nothing at all."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from shared.application.change import Change, transact
from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.application.turn_switch import turn_switch
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError, UnavailableError
from shared.domain.lifecycles import LIFECYCLES
from shared.domain.records import Quote
from shared.ports import Put
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.test_money_gate import stored_refund
from tests.fakes.services import FakeServices
from tests.unit.domain.blank import AT, blank


def first_refused(kind: type[Any]) -> tuple[Any, Any]:
    """A record, and what may not be written over it."""
    life = LIFECYCLES[kind]
    about = {"id": "x"} if "id" in kind.__dataclass_fields__ else {}
    known = blank(kind, customer=CUSTOMER, **about)
    for name, steps in life.steps.items():
        of_state: Any = type(getattr(known, name))
        states = list(of_state)
        for old, new in product(states, repeat=2):
            if old is not new and new not in steps.get(old, ()):
                return replace(known, **{name: old}), replace(known, **{name: new})
    if life.rises:
        (name,) = life.rises
        return replace(known, **{name: 5}), replace(known, **{name: 4})
    name = life.fixed[-1]
    old = AT if name.endswith("_at") else "known"
    return replace(known, **{name: old}), replace(known, **{name: None})


@pytest.mark.parametrize("kind", LIFECYCLES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("of", [None, CUSTOMER], ids=["own", "of another partition"])
def test_nothing_is_written_that_takes_back_what_is_known(kind: type[Any], of: str | None) -> None:
    services = FakeServices()
    before, after = first_refused(kind)
    services.store.commit([Put(before, 0)])
    known = dict(services.store.table)
    key = (after.id,) if hasattr(after, "id") else ()

    def take_back(change: Change) -> None:
        change.mail("subscription_ended", {})
        if of is None:
            assert change.load(kind, *key) == before
            change.put(after, *key)
        else:
            assert change.load_of(of, kind, *key) == before
            change.put_of(of, after, *key)

    with pytest.raises(BrokenInvariantError):
        transact(services, CUSTOMER if of is None else "cus_other", "test", take_back)
    assert (services.store.table, services.waker.woken) == (known, [])


def test_the_account_is_held_to_it_too() -> None:
    services = services_with_annual_plan()
    known = dict(services.store.table)

    def take_back(change: Change) -> None:
        change.account = replace(change.account, audit_sequence=-1)
        change.put(blank(Quote, id="q", customer=CUSTOMER))

    with pytest.raises(BrokenInvariantError):
        transact(services, CUSTOMER, "test", take_back)
    assert services.store.table == known


def test_what_was_put_before_in_the_same_decision_counts() -> None:
    """A decision that goes on with an older copy of a record would lose its own step."""
    services = FakeServices()

    def forget(change: Change) -> None:
        old, new = (
            replace(blank(Quote, id="q", customer=CUSTOMER), used_by=by) for by in (None, "c")
        )
        change.put(new)
        change.put(old)

    with pytest.raises(BrokenInvariantError):
        transact(services, CUSTOMER, "test", forget)


def stop(services: FakeServices) -> None:
    turn_switch(services, money_moves=False, reason="drill", by="admin")


def busy(services: FakeServices) -> None:
    services.billing.fail_before["refund_payment"] = [UnavailableError("busy")]


ATTEMPTS: dict[str, tuple[Callable[[FakeServices], Any], Callable[..., Any]]] = {
    "sending": (lambda _: None, perform_effect),
    "retrying": (busy, perform_effect),
    "waiting_until": (stop, perform_effect),
    "tried": (lambda _: None, count_failed_attempt),
}


@pytest.mark.parametrize("step", ATTEMPTS)
def test_no_attempt_takes_its_effect_back(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a step of ours would make of it."""
    services = services_with_annual_plan()
    meanwhile, attempt = ATTEMPTS[step]
    effect = stored_refund(services, "01A")
    meanwhile(services)
    right = getattr(Effect, step)

    def wrong(self: Effect, *args: Any, **kwargs: Any) -> Effect:
        made: Effect = right(self, *args, **kwargs)
        return replace(made, epoch=9)

    monkeypatch.setattr(Effect, step, wrong)
    with pytest.raises(BrokenInvariantError, match="then 9"):
        attempt(services, customer=CUSTOMER, effect_id=effect)
    (kept,) = services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)
    assert kept.epoch < 9
    assert services.billing.refunds == {}
