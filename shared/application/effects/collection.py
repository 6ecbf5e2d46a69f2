"""Stopping and starting collection at Stripe for a whole account.

What to stop is looked up after the suspension is committed, so that looking never delays it. Each
step checks again what the account's standing is now: a stop that comes late meets a reinstated
account and does nothing, and the other way round; what a call that stalled has undone is set again.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace

from shared.application.change import Change
from shared.application.dun import follow_bill
from shared.application.effects.performer import Go, Performer, Result, Skip, Verdict, key_of
from shared.domain.account import Account
from shared.domain.arrears import DunningFacts
from shared.domain.effects import Effect, EffectKind
from shared.domain.subscription import Subscription, SubscriptionStatus
from shared.ports import Services

_STOPS = (EffectKind.PAUSE_COLLECTION, EffectKind.HOLD_INVOICE)


def _if_stopped(services: Services, effect: Effect) -> Verdict:
    return _if(services, effect, stopped=True)


def _if_going_on(services: Services, effect: Effect) -> Verdict:
    return _if(services, effect, stopped=False)


def _if(services: Services, effect: Effect, *, stopped: bool) -> Verdict:
    stored = services.store.get(Account, effect.customer)
    now = stored is not None and stored.record.stops_collection
    says = "stops" if now else "does not stop"
    return Go() if now is stopped else Skip(f"the account {says} collection")


def _may_release(services: Services, effect: Effect) -> Verdict:
    """What Stripe has stopped for good, because the service has ended, is not collected after all.

    It would take money for time after the end.
    """
    for invoice in services.billing.open_invoices(effect.customer):
        name = invoice.subscription if invoice.id == effect.params["invoice"] else None
        bought = name and services.store.get(Subscription, effect.customer, name)
        if bought and bought.record.ended_at is not None:
            return Skip("its subscription has ended")
    return _if_going_on(services, effect)


def _may_plan(services: Services, effect: Effect) -> Verdict:
    return _if(services, effect, stopped=effect.params["stop"])


def _plan(services: Services, effect: Effect) -> Result:
    """What there is to stop now; starting again needs no reading."""
    if not effect.params["stop"]:
        return {}
    subscriptions = services.billing.subscriptions(effect.customer)
    invoices = services.billing.open_invoices(effect.customer)
    return {
        "subscriptions": [
            s.id
            for s in subscriptions
            if s.status is not SubscriptionStatus.ENDED and not s.collection_paused
        ],
        "invoices": [invoice.id for invoice in invoices if invoice.collects],
    }


def _after_plan(change: Change, effect: Effect, result: Result) -> None:
    if effect.params["stop"]:
        _stop(change, list(result["subscriptions"]), list(result["invoices"]))
    else:
        _start(change)


def _stop(change: Change, subscriptions: list[str], invoices: list[str]) -> None:
    for subscription in subscriptions:
        change.effect(EffectKind.PAUSE_COLLECTION, {"subscription": subscription})
    for invoice in invoices:
        change.effect(EffectKind.HOLD_INVOICE, {"invoice": invoice})
    account = change.account
    change.account = replace(
        account,
        paused_subscriptions=_with(account.paused_subscriptions, subscriptions),
        held_invoices=_with(account.held_invoices, invoices),
    )


def _with(known: tuple[str, ...], more: list[str]) -> tuple[str, ...]:
    return (*known, *(one for one in more if one not in known))


def _start(change: Change) -> None:
    account = change.account
    change.account = replace(account, paused_subscriptions=(), held_invoices=())
    _go_on(change, account.paused_subscriptions, account.held_invoices)


def _go_on(change: Change, subscriptions: Iterable[str], invoices: Iterable[str]) -> None:
    for subscription in subscriptions:
        change.effect(EffectKind.RESUME_COLLECTION, {"subscription": subscription})
    for invoice in invoices:
        change.effect(EffectKind.RELEASE_INVOICE, {"invoice": invoice})


def _after_call(change: Change, effect: Effect, result: Result) -> None:
    """While the call was out the account may have turned, and the call have undone what came of it.

    What it changed is then set once more, as the account says now.
    """
    if result.get("ended") or change.account.stops_collection is (effect.kind in _STOPS):
        return
    subscription, invoice = effect.params.get("subscription"), effect.params.get("invoice")
    subscriptions, invoices = [subscription] if subscription else [], [invoice] if invoice else []
    if change.account.stops_collection:
        _stop(change, subscriptions, invoices)
    else:
        _go_on(change, subscriptions, invoices)


def _pause(services: Services, effect: Effect) -> Result:
    services.billing.pause_collection(effect.params["subscription"], key=key_of(effect))
    return {}


def _resume(services: Services, effect: Effect) -> Result:
    services.billing.resume_collection(effect.params["subscription"], key=key_of(effect))
    return {}


def _find_ended(services: Services, effect: Effect) -> Result | None:
    """What has ended bills nothing more, and Stripe refuses to change it."""
    seen = services.billing.subscription(effect.params["subscription"])
    ended = seen is None or seen.status is SubscriptionStatus.ENDED
    return {"ended": True} if ended else None


def _hold(services: Services, effect: Effect) -> Result:
    services.billing.set_auto_advance(effect.params["invoice"], on=False, key=key_of(effect))
    return {}


def _release(services: Services, effect: Effect) -> Result:
    services.billing.set_auto_advance(effect.params["invoice"], on=True, key=key_of(effect))
    return {}


def _look(services: Services, effect: Effect) -> Result:
    """How an unpaid invoice stands now; a reading, nothing is changed yet."""
    bill = services.billing.dunning(effect.params["invoice"])
    return {"bill": asdict(bill) if bill else None}


def _after_look(change: Change, _effect: Effect, result: Result) -> None:
    if result["bill"]:
        follow_bill(change, DunningFacts(**result["bill"]))


PERFORMERS = {
    EffectKind.LOOK_AT_INVOICE: Performer(send=_look, adopt=_after_look),
    EffectKind.PLAN_COLLECTION: Performer(send=_plan, may_send=_may_plan, adopt=_after_plan),
    EffectKind.PAUSE_COLLECTION: Performer(
        send=_pause,
        look_up=_find_ended,
        may_send=_if_stopped,
        adopt=_after_call,
        overtaken=_after_call,
    ),
    EffectKind.RESUME_COLLECTION: Performer(
        send=_resume,
        look_up=_find_ended,
        may_send=_if_going_on,
        adopt=_after_call,
        overtaken=_after_call,
    ),
    EffectKind.HOLD_INVOICE: Performer(
        send=_hold, may_send=_if_stopped, adopt=_after_call, overtaken=_after_call
    ),
    EffectKind.RELEASE_INVOICE: Performer(
        send=_release, may_send=_may_release, adopt=_after_call, overtaken=_after_call
    ),
}
