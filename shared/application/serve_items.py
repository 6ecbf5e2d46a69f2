"""Keep the list of who is served with what, in the commit that moves a subscription."""

from dataclasses import replace
from datetime import datetime

from shared.application.change import Change
from shared.domain.served_item import ItemTerms, ServedItem
from shared.domain.subscription import Subscription, SubscriptionItem


def follow_items(
    change: Change, known: Subscription | None, now: Subscription, since: datetime
) -> None:
    """Put what the items of a subscription say now into `change`.

    Args:
        change: the decision that moves the subscription.
        known: as it was, None when it is new.
        now: as it is from now on.
        since: when the subscription began, which is when items that came with it began to serve.
    """
    left = {(item.id, item.product) for item in now.items}
    before = {item.id: item for item in known.items} if known else {}
    for item in now.items:
        served = change.load(ServedItem, _key(item.id, item.product))
        if served is None:
            begun = since if known is None else change.now
            terms = (ItemTerms(begun, item.price, item.quantity),)
            served = ServedItem(
                id=_key(item.id, item.product),
                customer=now.customer,
                item=item.id,
                subscription=now.id,
                product=item.product,
                due_at=begun,
                terms=terms,
            )
        agreed = _since(before.get(item.id), item, change.now)
        follows = served.with_terms(item.price, item.quantity, agreed)
        change.put(replace(follows, until=item.access_until))
    for item in known.items if known else ():
        if (item.id, item.product) not in left:
            _stop(change, _key(item.id, item.product))


def _since(before: SubscriptionItem | None, item: SubscriptionItem, now: datetime) -> datetime:
    """When the item's terms began to hold: with its period, where that is new as well.

    A change at the start of a period is heard of after it; what was billed for that period was
    billed on the new terms.
    """
    begun = before is not None and before.period_start < item.period_start <= now
    return item.period_start if begun else now


def _stop(change: Change, key: str) -> None:
    served = change.load(ServedItem, key)
    if served is not None and (served.until is None or served.until > change.now):
        change.put(replace(served, until=change.now))


def _key(item: str, product: str) -> str:
    return f"{item}:{product}"
