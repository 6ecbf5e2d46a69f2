"""The projection of a subscription that decisions and access need."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """Where a subscription stands; `unrecognized` is shown and never acted on."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    ENDED = "ended"
    UNRECOGNIZED = "unrecognized"


# Service is owed in these; a past-due one keeps it until dunning or a cancellation ends it.
ENTITLED = frozenset(
    {SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
)


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    """One priced item with its own half-open billing period `[period_start, period_end)`.

    `access_until` is the instant at which service for it ends; None while it renews.
    """

    id: str
    product: str
    price: str
    quantity: int
    unit_amount: int
    currency: str
    interval: str
    period_start: datetime
    period_end: datetime
    access_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """A subscription as Stripe has it now."""

    id: str
    customer: str
    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    cancels_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    collection_paused: bool
    livemode: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A customer's subscription as last seen at Stripe, joined with what we have decided on it."""

    id: str
    customer: str
    status: SubscriptionStatus
    items: tuple[SubscriptionItem, ...]
    cancellation: str | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When an end of ours has to be carried out; None when none is set or it has been.

        An end that somebody else has set is Stripe's to carry out: what we know of it may be old.
        """
        return None if self.ended_at or self.cancellation is None else self.ends_at

    def ending(self, ends: dict[str, datetime], cancellation: str | None) -> "Subscription":
        """The subscription with an end set: `ends` maps each item to its `access_until`."""
        items = tuple(replace(item, access_until=ends[item.id]) for item in self.items)
        return replace(self, items=items, cancellation=cancellation, ends_at=max(ends.values()))

    def renewing(self) -> "Subscription":
        """The subscription with its end taken back."""
        items = tuple(replace(item, access_until=None) for item in self.items)
        return replace(self, items=items, cancellation=None, ends_at=None)

    def ended(self, at: datetime) -> "Subscription":
        """The subscription ended at `at`; an earlier end of an item stays."""
        items = tuple(
            replace(item, access_until=min(at, item.access_until or at)) for item in self.items
        )
        return replace(self, status=SubscriptionStatus.ENDED, items=items, ends_at=at, ended_at=at)

    def access_until(self) -> datetime | None:
        """The last instant of access over all items; None while any renews."""
        return latest_end(item.access_until for item in self.items)


def latest_end(ends: Iterable[datetime | None]) -> datetime | None:
    """The latest of `ends`; None (no end set) wins."""
    known = []
    for end in ends:
        if end is None:
            return None
        known.append(end)
    return max(known, default=None)


def is_entitled(item: SubscriptionItem, subscription: Subscription, now: datetime) -> bool:
    """Whether service for `item` is owed at `now`, as far as the subscription goes.

    The stored end decides alone once it is set: a job that runs late or a status that arrives
    early moves nothing.
    """
    if item.access_until is not None:
        return now < item.access_until
    return subscription.status in ENTITLED
