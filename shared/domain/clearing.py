"""The ledger beside the movements of the company's balance at Stripe: the rest must be zero.

An entry is dated when we heard of it, a movement when it happened. So entries are matched to the
movement that they give as evidence, and count on its day.
"""

from collections import defaultdict
from collections.abc import Iterator

from shared.domain.dispute import DisputeFacts
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.reconciliation import (
    BOOKED,
    AtStripe,
    Cleared,
    Divergence,
    DivergenceKind,
    Here,
    Moment,
    MovementFacts,
)
from shared.domain.refund_operation import UNDER_WAY, RefundStatus


def clear(here: Here, seen: AtStripe, moment: Moment) -> list[Cleared]:
    """What Stripe has moved for a customer, by day and currency, and what the ledger has of it."""
    quiet = _quiet(here, seen)
    return [
        Cleared(
            first.created_at.date(),
            first.currency,
            net,
            net if first.source in quiet else _booked(here, first, away=net < 0),
        )
        for first, net in _movements(seen, moment)
    ]


def unbooked(here: Here, seen: AtStripe, moment: Moment) -> Iterator[Divergence]:
    """Refunds and disputes of which the ledger does not hold what they say of themselves."""
    found = {name: detail for name, detail in _uneven(here, seen, moment) if detail}
    for name, detail in found.items():
        yield Divergence(DivergenceKind.LEDGER_DIFFERS, here.customer, name, detail)


def _uneven(here: Here, seen: AtStripe, moment: Moment) -> Iterator[tuple[str, str]]:
    for refund in here.operations:
        if refund.stripe_refund:
            done = refund.amount if refund.status is RefundStatus.SUCCEEDED else 0
            yield refund.stripe_refund, _differs(done, _sent(here, refund.id))
    for other in here.foreign:
        yield other.id, _differs(other.booked(), _sent(here, other.id))
    for facts in seen.disputes:
        known = any(one.id == facts.id for one in here.disputes)
        if known and facts.is_understood and moment.is_settled(facts.id, facts.opened_at):
            yield facts.id, _differs(_taken(facts), -_net(here, Book.BANK, facts.id))
    listed = {facts.id for facts in seen.disputes} | _quiet(here, seen)
    for first, net in _movements(seen, moment):
        comparable = any(entry.currency == first.currency for entry in _about(here, first.source))
        if first.source not in listed and (comparable or not _about(here, first.source)):
            yield first.source or "", _differs(net, _booked(here, first, away=net < 0))


def _quiet(here: Here, seen: AtStripe) -> set[str]:
    """Refunds that the ledger says nothing of, and rightly: the money is not with the customer.

    Stripe's balance moves when a refund is made; we book it when it has succeeded. One that failed
    before has moved the balance there and back, whether we had heard of it or not.
    """
    rest: dict[str, int] = defaultdict(int)
    for movement in seen.movements:
        if movement.category in BOOKED:
            rest[movement.source or ""] += movement.net
    known = [(one.stripe_refund, one.status) for one in here.operations]
    known += [(one.id, one.status) for one in here.foreign if one.claimed_by is None]
    under_way = {name for name, status in known if name and status in UNDER_WAY}
    back = {name for name, left in rest.items() if left == 0}
    return {name for name in under_way | back if not _about(here, name)}


def _differs(wanted: int, booked: int) -> str:
    return "" if wanted == booked else f"{booked} in the ledger, {wanted} at Stripe"


def _movements(seen: AtStripe, moment: Moment) -> list[tuple[MovementFacts, int]]:
    """The settled movements of refunds and disputes, one each for what went and what came back."""
    groups: dict[tuple[str | None, bool], list[MovementFacts]] = defaultdict(list)
    for movement in seen.movements:
        old = moment.is_settled(movement.source or "", movement.created_at)
        if old and movement.category in BOOKED:
            groups[movement.source, movement.net < 0].append(movement)
    return [
        (min(several, key=lambda one: one.created_at), sum(one.net for one in several))
        for several in groups.values()
    ]


def _about(here: Here, source: str | None) -> list[LedgerEntry]:
    """The entries that an object caused or shows; what was given up is even by itself."""
    given_up = {one.id for one in here.foreign if one.claimed_by}
    return [
        entry
        for entry in here.ledger
        if entry.cause not in given_up and source in (entry.cause, *entry.evidence)
    ]


def _booked(here: Here, movement: MovementFacts, *, away: bool) -> int:
    """What the ledger has of one direction of an object's movements, signed as Stripe signs it."""
    entries = [one for one in _about(here, movement.source) if one.currency == movement.currency]
    if away:
        return -sum(_leaving(entry) for entry in entries if _leaving(entry) > 0)
    return -sum(_leaving(entry) for entry in entries if _leaving(entry) < 0)


def _leaving(entry: LedgerEntry) -> int:
    """What an entry says has left the company's balance: a refund, or what a bank has taken."""
    if entry.target is Book.REFUNDED or entry.source is Book.BANK:
        return entry.amount
    return -entry.amount if Book.REFUNDED is entry.source or Book.BANK is entry.target else 0


def _sent(here: Here, cause: str) -> int:
    return _net(here, Book.REFUNDED, cause)


def _net(here: Here, book: Book, cause: str) -> int:
    mine = [entry for entry in here.ledger if entry.cause == cause]
    came = sum(entry.amount for entry in mine if entry.target is book)
    return came - sum(entry.amount for entry in mine if entry.source is book)


def _taken(facts: DisputeFacts) -> int:
    """What a dispute has cost the balance so far, countering it aside."""
    return facts.withdrawn - facts.returned + facts.fee
