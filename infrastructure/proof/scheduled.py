"""A subscription whose cancellation is set to its end, as it stands in the table."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.account import Account
from shared.domain.cancellation import Cancellation, CancellationState, ItemEnd, Timing
from shared.domain.subscription import Subscription, SubscriptionItem, SubscriptionStatus
from shared.ports import Put


def scheduled(customer: str, name: str, item: SubscriptionItem) -> list[Put]:
    """The records of a customer whose one item ends with its period."""
    end = item.period_end
    cancellation = Cancellation(
        id=f"cancellation of {name}",
        customer=customer,
        subscription=name,
        quote="quote",
        timing=Timing.AT_PERIOD_END,
        state=CancellationState.SCHEDULED,
        requested_at=end - timedelta(days=1),
        effective_at=end,
        items=(ItemEnd(item.id, end),),
    )
    renewing = Subscription(name, customer, SubscriptionStatus.ACTIVE, (item,))
    ending = renewing.ending({item.id: end}, cancellation.id)
    return [Put(record, 0) for record in (Account(customer), ending, cancellation)]
