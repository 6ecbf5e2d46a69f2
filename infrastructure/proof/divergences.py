"""Q13: a thousand divergences put between the two sides, each found, and nothing else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from infrastructure.proof.crowd import Crowd
from infrastructure.proof.goals import Result
from infrastructure.proof.simulated.table import Row, Table
from shared.adapters import dynamodb_items as items
from shared.application.process_stripe_event import process_stripe_event
from shared.domain.dispute import Dispute, DisputeOutcome, DisputePhase
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import DivergenceKind
from shared.domain.refund_operation import RefundStatus
from shared.domain.subscription import Subscription, SubscriptionStatus

INJECTED, LEAST_KINDS, CLEAN_ROWS = 1000, 12, 10_000
CUSTOMERS, EVENTS = 1400, 9000
Kinds = DivergenceKind
Injection = Callable[[Crowd, Any], None]


def find_divergences(injected: int = INJECTED) -> Result:
    """Put them in, compare, and match what is found with what was put in."""
    begun = time.monotonic()
    crowd = Crowd(CUSTOMERS * injected // INJECTED, "divergences")
    crowd.live(EVENTS * injected // INJECTED)
    world = crowd.life.world
    for one in crowd.events:
        process_stripe_event(world.ports(), one)
    crowd.settle()
    crowd.life.compare(repair=True)
    crowd.settle()
    clean = crowd.life.compare(repair=False)
    rows = sum(clean.counts.values()) + sum(map(len, world.table.partitions.values()))
    put_in = dict(_inject(crowd, injected))
    found = {
        (one.divergence.subject, one.divergence.kind)
        for one in crowd.life.compare(repair=False).findings
    }
    missed = [f"{kind} of {subject} was not found" for subject, kind in put_in.items()
              if (subject, kind) not in found]  # fmt: skip
    false = [f"{kind} of {name} is false" for name, kind in found if put_in.get(name) != kind]
    false += [f"{one.divergence.kind} on clean rows" for one in clean.findings]
    kinds = Counter(put_in.values())
    return Result(
        "Q13 reconciliation",
        f"{INJECTED:,} divergences of {LEAST_KINDS} kinds: all found and typed,"
        f" 0 false in {CLEAN_ROWS:,} clean rows",
        f"{len(put_in):,} of {len(kinds)} kinds, {len(missed)} missed; {len(false)} false in"
        f" {rows:,} rows",
        not missed and not false and len(kinds) >= LEAST_KINDS and len(put_in) >= injected,
        time.monotonic() - begun,
        failures=missed + false,
    )


def _inject(crowd: Crowd, number: int) -> Iterator[tuple[str, DivergenceKind]]:
    """One a customer, the kinds in turn, until there are enough."""
    table, used, made = crowd.life.world.table, set[str](), 0
    pools = {kind: _candidates(table, kind) for kind in INJECTIONS}
    while made < number and any(pools.values()):
        for kind, inject in INJECTIONS.items():
            while pools[kind] and made < number:
                record = pools[kind].pop()
                if record.customer in used:
                    continue
                used.add(record.customer)
                inject(crowd, record)
                made += 1
                yield record.id, kind
                break


def _candidates(table: Table, kind: DivergenceKind) -> list[Any]:
    of = SUBJECTS[kind]
    return [one for one in table.every(of) if FITS.get(kind, lambda _: True)(one)]


def put(crowd: Crowd, record: Any) -> None:
    """Write past every rule."""
    table = crowd.life.world.table
    pk, sk = items.key_of(record)
    version = table.partitions[pk][sk].version
    item = items.to_item(record, version=version, incarnation=1, livemode=False)
    table.partitions[pk][sk] = Row(item, version, type(record))


def remove(crowd: Crowd, record: Any) -> None:
    """Lose a record."""
    pk, sk = items.key_of(record)
    del crowd.life.world.table.partitions[pk][sk]


def _forget_entry(crowd: Crowd, record: Any) -> None:
    table = crowd.life.world.table
    entries = [one.record for one in table.all_of(LedgerEntry, record.customer)]
    remove(crowd, next(one for one in entries if one.cause == record.id))


def _reopened(crowd: Crowd, record: Dispute) -> None:
    open_ = replace(record, phase=DisputePhase.OPEN, outcome=DisputeOutcome.UNDECIDED)
    put(crowd, open_)


def _lost_at_stripe(crowd: Crowd, record: Any) -> None:
    stripe = crowd.life.world.stripe
    stripe.refunds.pop(record.id, None)
    stripe.subscriptions.pop(record.id, None)
    stripe.movements[:] = [one for one in stripe.movements if one.source != record.id]


def _at_stripe(crowd: Crowd, record: Subscription, **change: Any) -> None:
    stripe = crowd.life.world.stripe
    stripe.subscriptions[record.id] = replace(stripe.subscriptions[record.id], **change)


def _later_period(crowd: Crowd, record: Subscription) -> None:
    (item,) = crowd.life.world.stripe.subscriptions[record.id].items
    later = replace(item, period_end=item.period_end + timedelta(days=1))
    _at_stripe(crowd, record, items=(later,))


def _ends(crowd: Crowd, record: Subscription) -> None:
    _at_stripe(crowd, record, cancels_at=record.items[0].period_end)


INJECTIONS: dict[DivergenceKind, Injection] = {
    Kinds.REFUND_EVENT_MISSED: lambda c, r: put(c, replace(r, status=RefundStatus.PENDING)),
    Kinds.REFUND_UNKNOWN_HERE: remove,
    Kinds.REFUND_AMOUNT_DIFFERS: lambda c, r: put(c, replace(r, amount=r.amount + 1)),
    Kinds.REFUND_STATUS_DIFFERS: lambda c, r: put(c, replace(r, status=RefundStatus.FAILED)),
    Kinds.REFUND_UNKNOWN_AT_STRIPE: _lost_at_stripe,
    Kinds.LEDGER_DIFFERS: _forget_entry,
    Kinds.DISPUTE_UNKNOWN_HERE: remove,
    Kinds.DISPUTE_PHASE_DIFFERS: _reopened,
    Kinds.DISPUTE_FUNDS_DIFFER: lambda c, r: put(c, replace(r, booked=())),
    Kinds.SUBSCRIPTION_UNKNOWN_HERE: remove,
    Kinds.SUBSCRIPTION_UNKNOWN_AT_STRIPE: _lost_at_stripe,
    Kinds.SUBSCRIPTION_STATUS_DIFFERS: lambda c, r: _at_stripe(
        c, r, status=SubscriptionStatus.PAST_DUE
    ),
    Kinds.SUBSCRIPTION_END_DIFFERS: _ends,
    Kinds.SUBSCRIPTION_PERIOD_DIFFERS: _later_period,
    Kinds.RESERVATION_UNEXPLAINED: lambda c, r: put(c, replace(r, reserved=r.reserved + 1)),
}
_REFUNDS = (
    Kinds.REFUND_EVENT_MISSED,
    Kinds.REFUND_UNKNOWN_HERE,
    Kinds.REFUND_AMOUNT_DIFFERS,
    Kinds.REFUND_STATUS_DIFFERS,
    Kinds.REFUND_UNKNOWN_AT_STRIPE,
    Kinds.LEDGER_DIFFERS,
)
_DISPUTES = (
    Kinds.DISPUTE_UNKNOWN_HERE,
    Kinds.DISPUTE_PHASE_DIFFERS,
    Kinds.DISPUTE_FUNDS_DIFFER,
)
SUBJECTS: dict[DivergenceKind, type] = {
    **dict.fromkeys(INJECTIONS, Subscription),
    **dict.fromkeys(_REFUNDS, ForeignRefund),
    **dict.fromkeys(_DISPUTES, Dispute),
    Kinds.RESERVATION_UNEXPLAINED: Payment,
}
_succeeded = lambda one: one.status is RefundStatus.SUCCEEDED  # noqa: E731
FITS: dict[DivergenceKind, Callable[[Any], bool]] = {
    **dict.fromkeys(_REFUNDS, _succeeded),
    Kinds.DISPUTE_PHASE_DIFFERS: lambda one: one.outcome is DisputeOutcome.WON,
    Kinds.DISPUTE_FUNDS_DIFFER: lambda one: any(part.source is Book.BANK for part in one.booked),
    **{
        kind: (lambda one: one.ended_at is None)
        for kind, of in SUBJECTS.items()
        if of is Subscription
    },
}
