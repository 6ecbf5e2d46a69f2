"""Every kind of effect that moves money, about to be sent; its doubles; and records set otherwise.

What stands in the table is changed behind the back of the product, as a bug or a hand would.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shared.adapters import dynamodb_items as items
from shared.application.adopt_refund import refresh_refund
from shared.application.client_keys import ClientCall
from shared.application.collect_owed import collect_owed
from shared.application.handle_dispute import handle_dispute
from shared.application.perform_effect import perform_effect
from shared.application.replan_refund import replan_refund
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import AccountCredit, Cancellation, Timing
from shared.domain.dispute import DisputeOutcome
from shared.domain.effects import Effect, EffectKind
from shared.domain.refund_operation import RefundOperation
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import CUSTOMER, chargeback
from tests.application.replanning import CREDIT, GONE
from tests.application.test_found_by_proof import pending_charge
from tests.handlers.conftest import HandlerServices

# The ids of the fakes begin so; in those of a double other letters stand there.
IDS = "0" * 20
# A credit that nobody has promised.
CREDITS = (AccountCredit("in_1", 5, "usd"),)


def cancelled(services: HandlerServices) -> None:
    confirm(services, quoted(services)["id"])


def replanned(services: HandlerServices) -> None:
    cancelled(services)
    services.run_effects()
    seen = services.billing.refunds["re_0"]
    services.billing.refunds["re_0"] = replace(seen, status="failed", failure=GONE)
    refresh_refund(services, refund="re_0")
    services.run_effects()
    operation = seen.operation or ""
    replan_refund(services, customer=CUSTOMER, refund=operation, plan=CREDIT, by="agent")


def taken_back(services: HandlerServices) -> None:
    services.billing.charges["ii_1"] = pending_charge()
    made = confirm(services, quoted(services, Timing.AT_PERIOD_END)["id"]).body["id"]
    services.run_effects()
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=made)


def owing(services: HandlerServices) -> None:
    services.policy = "rtc"
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    services.run_effects(rounds=200)
    collect_owed(services, CUSTOMER, "usd", "agent", ClientCall("r", "k", "b"))


# What leads to each, and the call that it makes at Stripe.
MAKERS: dict[EffectKind, tuple[Callable[[HandlerServices], None], str]] = {
    EffectKind.REFUND_PAYMENT: (cancelled, "refund_payment"),
    EffectKind.ISSUE_CREDIT_NOTE: (cancelled, "issue_credit_note"),
    EffectKind.GIVE_CREDIT: (replanned, "give_account_credit"),
    EffectKind.ADD_CHARGE: (taken_back, "add_charge"),
    EffectKind.DRAFT_DEBT: (owing, "draft_debt"),
    EffectKind.FILL_DEBT: (owing, "fill_debt"),
    EffectKind.SEND_DEBT: (owing, "send_debt"),
}


def about_to_send(services: HandlerServices, kind: EffectKind) -> Effect:
    """The one effect of this kind, stored and not sent; all that leads to it is done."""
    MAKERS[kind][0](services)
    while services.waker.woken:
        customer, name, _ = services.waker.woken.pop(0)
        if of(services, Effect, name).kind is not kind:
            perform_effect(services, customer=customer, effect_id=name)
    (effect,) = services.effects(CUSTOMER, kind)
    return effect


def double(services: HandlerServices, effect: Effect, mark: str, customer: str) -> dict[str, str]:
    """The same of other ids, for this customer: the message of its effect."""
    own = {name: f"{name[:-1]}{mark}" for name in ("pi_1", "ii_1", "in_debt0")}
    names = {CUSTOMER: customer, IDS: mark * 20} | own
    services.billing.debts |= _renamed(services.billing.debts, names)
    for item in list(services.store.table.values()):
        copied = _renamed(item, names)
        services.store.table.setdefault((copied["pk"], copied["sk"]), copied)
    return {"customer": customer, "effect": _renamed(effect.id, names)}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {_renamed(name, names): _renamed(one, names) for name, one in value.items()}
    return [_renamed(one, names) for one in value] if isinstance(value, list | tuple) else value


def of(services: HandlerServices, kind: type[Any], *key: str) -> Any:
    """A record of the customer's; the only one without a key, of those that are no doubles."""
    if not key:
        found = [one.record for one in services.store.all_of(kind, CUSTOMER)]
        return next(one for one in found if one.id.startswith((IDS, "pi_1")))
    stored = services.store.get(kind, CUSTOMER, *key)
    assert stored is not None
    return stored.record


def tamper(services: HandlerServices, record: Any, **change: Any) -> None:
    """Set members of a stored record, as nobody may."""
    item = services.store.table[items.key_of(record)]
    services.store.table[items.key_of(record)] = items.to_item(
        replace(record, **change), version=item["version"], incarnation=1, livemode=False
    )


def lose(services: HandlerServices, record: Any) -> None:
    """Take a record away."""
    del services.store.table[items.key_of(record)]


def removal(services: HandlerServices) -> Effect:
    """What took a charge away."""
    found = services.effects(CUSTOMER, EffectKind.REMOVE_CHARGE)
    return next(one for one in found if one.id.startswith(IDS))


def replacement(services: HandlerServices) -> RefundOperation:
    """The refund that goes another way."""
    found = [one.record for one in services.store.all_of(RefundOperation, CUSTOMER)]
    return next(one for one in found if one.replaces and one.id.startswith(IDS))


def promise(services: HandlerServices) -> Cancellation:
    """The cancellation that promised it."""
    made: Cancellation = of(services, Cancellation)
    return made
