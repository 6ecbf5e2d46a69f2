"""End a subscription whose time has come: the same commit, whoever noticed first."""

from dataclasses import replace
from datetime import datetime

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.serve_items import follow_items
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.effects import EffectKind
from shared.domain.subscription import Subscription
from shared.ports import Services


def end_subscription(
    services: Services, *, customer: str, subscription: str, wake_in: int = 0
) -> bool:
    """End `subscription` if its end has come; whether it did.

    Access was judged by the stored end all along, so running late or twice moves nothing. What
    follows at Stripe is woken in `wake_in` seconds.
    """

    def decide(change: Change) -> bool:
        known = change.load(Subscription, subscription)
        if known is None or known.due_at is None or change.now < known.due_at:
            return False
        end(change, known, known.due_at)
        return True

    return transact(services, customer, "schedule", decide, wake_in=wake_in)


def end(change: Change, known: Subscription, at: datetime) -> None:
    """Put the end of `known` at `at` into `change`, with everything that follows from it."""
    cancellation = known.cancellation and change.load(Cancellation, known.cancellation)
    if cancellation and cancellation.state is CancellationState.SCHEDULED:
        change.put(cancellation.step(CancellationState.EXECUTED))
    ended = replace(known.ended(at), cancellation=known.cancellation)
    change.put(ended)
    follow_items(change, known, ended, at)
    reference = {"subscription": known.id, "cancellation": known.cancellation}
    # Stripe ends it by itself; this makes sure, and takes away what would be billed later.
    change.effect(EffectKind.CANCEL_SUBSCRIPTION, reference)
    change.effect(EffectKind.SWEEP_CHARGES, reference | {"end": at.isoformat()})
    announce_end(change, known.id, known.cancellation, at)
    change.audit(
        "subscription_ended",
        "the end that was set has come",
        subscription=known.id,
        ended_at=at.isoformat(),
    )


def announce_end(change: Change, subscription: str, cancellation: str | None, at: datetime) -> None:
    """The mail and the domain event of an end."""
    shown = at.strftime("%Y-%m-%d %H:%M:%S UTC")
    change.mail("subscription_ended", {"subscription": subscription, "ended_at": shown})
    change.publish(
        "SubscriptionEnded",
        {"subscription": subscription, "cancellation": cancellation, "ended_at": instant(at)},
    )
