"""Keep the list of who is served with what, in the commit that moves a subscription."""

from dataclasses import replace
from datetime import datetime

from shared.application.change import Change
from shared.domain.served_item import ItemTerms, ServedItem
from shared.domain.subscription import Subscription


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
        follows = served.with_terms(item.price, item.quantity, change.now)
        change.put(replace(follows, until=item.access_until))
    for item in known.items if known else ():
        if (item.id, item.product) not in left:
            _stop(change, _key(item.id, item.product))


def _stop(change: Change, key: str) -> None:
    served = change.load(ServedItem, key)
    if served is not None and (served.until is None or served.until > change.now):
        change.put(replace(served, until=change.now))


def _key(item: str, product: str) -> str:
    return f"{item}:{product}"
