"""Cancelling at Stripe: set to end, taken back, or now."""

from shared.application.change import Change
from shared.application.document_return import document_credits
from shared.application.effects.performer import Go, Performer, Result, Skip, Verdict, key_of
from shared.application.end_subscription import announce_end
from shared.application.plan_refunds import send_refunds
from shared.application.settle_promise import hand_over, settle
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.effects import Effect, EffectKind
from shared.domain.refund_operation import RefundOperation
from shared.domain.subscription import Subscription, SubscriptionStatus
from shared.ports import Services


def _wanted(services: Services, effect: Effect, state: CancellationState) -> bool:
    stored = services.store.get(Cancellation, effect.customer, effect.params["cancellation"])
    return stored is not None and stored.record.state is state


def _may_schedule(services: Services, effect: Effect) -> Verdict:
    if not _wanted(services, effect, CancellationState.SCHEDULED):
        return Skip("taken back or executed before it was set at Stripe")
    return Go()


def _schedule(services: Services, effect: Effect) -> Result:
    subscription = effect.params["subscription"]
    services.billing.set_cancel_at_period_end(subscription, cancel=True, key=key_of(effect))
    return {}


def _after_schedule(change: Change, effect: Effect, _result: Result) -> None:
    """Taken back while the call was out: undo what has just been done."""
    known = change.load(Cancellation, effect.params["cancellation"])
    if known and known.state is CancellationState.WITHDRAWN:
        change.effect(EffectKind.UNSCHEDULE_CANCELLATION, effect.params)


def _not_scheduled(change: Change, effect: Effect, reason: str) -> None:
    """Taken back meanwhile: whatever has come of it at Stripe is undone."""
    known = change.load(Cancellation, effect.params["cancellation"])
    if known and known.state is CancellationState.WITHDRAWN:
        change.effect(EffectKind.UNSCHEDULE_CANCELLATION, effect.params)
    else:
        _not_cancelled(change, effect, reason)


def _may_unschedule(services: Services, effect: Effect) -> Verdict:
    stored = services.store.get(Subscription, effect.customer, effect.params["subscription"])
    if stored and stored.record.cancellation:
        return Skip("cancelled again since")
    return Go()


def _unschedule(services: Services, effect: Effect) -> Result:
    subscription = effect.params["subscription"]
    services.billing.set_cancel_at_period_end(subscription, cancel=False, key=key_of(effect))
    return {}


def _after_unschedule(change: Change, effect: Effect, _result: Result) -> None:
    """It renews: an end that was read at Stripe while this was on its way is ours, and gone.

    Cancelled again while the call was out, it may have unset that end, which is set once more.
    """
    known = change.load(Subscription, effect.params["subscription"])
    if known is None or known.ended_at:
        return
    if known.cancellation:
        again = {"subscription": known.id, "cancellation": known.cancellation}
        change.effect(EffectKind.SCHEDULE_CANCELLATION, again)
    elif known.ends_at:
        change.put(known.renewing())


def _not_unscheduled(change: Change, effect: Effect, reason: str) -> None:
    """The customer was told that it goes on, and it ends: nobody but a person can make it good."""
    change.alert("withdrawal_not_kept", effect.params["cancellation"], reason)


def _already_ended(services: Services, effect: Effect) -> Result | None:
    seen = services.billing.subscription(effect.params["subscription"])
    if seen is None or seen.status is SubscriptionStatus.ENDED:
        return {"ended_at": seen.ended_at.isoformat() if seen and seen.ended_at else None}
    return None


def _cancel(services: Services, effect: Effect) -> Result:
    """Look first: cancelling takes no idempotency key, and what has ended cannot be cancelled."""
    if (ended := _already_ended(services, effect)) is not None:
        return ended
    services.billing.cancel_now(effect.params["subscription"])
    return {}


def _after_cancel(change: Change, effect: Effect, _result: Result) -> None:
    """Stripe bills no more: now the charges for later go, and the promised money comes."""
    cancellation_id = effect.params.get("cancellation")
    cancellation = cancellation_id and change.load(Cancellation, cancellation_id)
    if not cancellation or cancellation.state is not CancellationState.EXECUTING:
        return
    end = max(item.access_until for item in cancellation.items)
    reference = {"subscription": cancellation.subscription, "cancellation": cancellation.id}
    change.effect(EffectKind.SWEEP_CHARGES, reference | {"end": end.isoformat()})
    document_credits(change, cancellation)
    found = [change.load(RefundOperation, refund) for refund in cancellation.refunds]
    send_refunds(change, [operation for operation in found if operation])
    announce_end(change, cancellation.subscription, cancellation.id, end)
    settle(change, cancellation)


def _not_cancelled(change: Change, effect: Effect, reason: str) -> None:
    cancellation_id = effect.params.get("cancellation")
    known = cancellation_id and change.load(Cancellation, cancellation_id)
    if known:
        hand_over(change, known)
    change.audit("cancellation_not_executed", reason, effect=effect.id)


PERFORMERS = {
    EffectKind.SCHEDULE_CANCELLATION: Performer(
        send=_schedule,
        may_send=_may_schedule,
        adopt=_after_schedule,
        overtaken=_after_schedule,
        reject=_not_scheduled,
        hand_over=_not_scheduled,
    ),
    EffectKind.UNSCHEDULE_CANCELLATION: Performer(
        send=_unschedule,
        may_send=_may_unschedule,
        adopt=_after_unschedule,
        overtaken=_after_unschedule,
        reject=_not_unscheduled,
        hand_over=_not_unscheduled,
    ),
    EffectKind.CANCEL_SUBSCRIPTION: Performer(
        send=_cancel,
        look_up=_already_ended,
        adopt=_after_cancel,
        reject=_not_cancelled,
        hand_over=_not_cancelled,
    ),
}
