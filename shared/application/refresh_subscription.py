"""Bring the projection of a subscription up to what Stripe has now.

The record is read before Stripe is asked, and written under the version it was read with, so an
older answer can never overwrite a newer one, whatever order the events come in.
"""

from dataclasses import replace
from datetime import datetime

from shared.application.change import Change, transact
from shared.application.end_subscription import end
from shared.application.serve_items import follow_items
from shared.domain.effects import EffectKind
from shared.domain.subscription import (
    Subscription,
    SubscriptionFacts,
    SubscriptionItem,
    SubscriptionStatus,
)
from shared.ports import Services


def refresh_subscription(services: Services, *, customer: str, subscription: str) -> bool:
    """Fetch and set; whether anything had moved."""

    def decide(change: Change) -> bool:
        known = change.load(Subscription, subscription)
        seen = services.billing.subscription(subscription)
        if seen is None or seen.customer != customer:
            return False
        if known is not None and known.ended_at:
            return False
        if seen.status is SubscriptionStatus.ENDED and known is not None:
            # Set to end here: that instant stands, unless somebody ended it earlier at Stripe.
            at = min(filter(None, (known.ends_at, seen.ended_at or change.now)))
            end(change, project(known, seen), at)
            return True
        projected = project(known, seen)
        if projected == known:
            return False
        change.put(projected)
        follow_items(change, known, projected, seen.created_at)
        if known is None and change.account.stops_collection:
            # It came while nothing may be charged: it is stopped like those that were there.
            change.effect(EffectKind.PLAN_COLLECTION, {"stop": True})
        return True

    return transact(services, customer, "stripe", decide)


def project(known: Subscription | None, seen: SubscriptionFacts) -> Subscription:
    """What Stripe has, joined with what we have decided: an end of ours stays ours."""
    ours = known is not None and known.cancellation is not None
    ends_at = known.ends_at if known and ours else seen.cancels_at
    ends = {item.id: item.access_until for item in known.items} if known and ours else {}
    return Subscription(
        id=seen.id,
        customer=seen.customer,
        status=seen.status,
        items=tuple(_with_end(item, ends, ends_at, seen) for item in seen.items),
        cancellation=known.cancellation if known else None,
        ends_at=ends_at,
        ended_at=seen.ended_at if known is None else None,
    )


def _with_end(
    item: SubscriptionItem,
    ends: dict[str, datetime | None],
    ends_at: datetime | None,
    seen: SubscriptionFacts,
) -> SubscriptionItem:
    return replace(item, access_until=ends.get(item.id, ends_at) or seen.ended_at)
