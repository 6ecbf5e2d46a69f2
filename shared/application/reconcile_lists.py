"""Read both sides of a reconciliation: Stripe's lists at a measured pace, our partitions on demand.

Customers are found from Stripe's lists and from the due index; the table is never scanned.
"""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from shared.application.change import present
from shared.application.handle_dispute import UNASSIGNED
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation
from shared.domain.comparison import is_expected, may_differ
from shared.domain.dispute import Dispute, DisputeFacts
from shared.domain.effects import Effect
from shared.domain.errors import OutcomeUnknownError, UnavailableError
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import (
    BOOKED,
    AtStripe,
    ChangeFacts,
    CreditNoteFacts,
    Here,
    Moment,
    MovementFacts,
)
from shared.domain.records import AuditEntry
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundFacts, RefundOperation
from shared.domain.subscription import Subscription, SubscriptionFacts
from shared.ports import Services

T = TypeVar("T")
Progress = Callable[[str], None]
# By customer, by member of AtStripe.
Rows = dict[str, dict[str, list[Any]]]

# A queue's longest delay, a message's longest invisibility and a slow retry, with room to spare.
GRACE = timedelta(hours=1)
# Three looks at each day, so that a run that fails or a day that ends late leaves no gap.
MONEY_DAYS = 3
# A dispute lives for weeks and changes at its end; an inquiry closes by itself after 120 days.
DISPUTE_DAYS = 125
# Every customer with a subscription is compared in full once in as many days.
TURNS = 7
# Of the 25 requests a second that Stripe takes for an endpoint, and the 100 in all.
REQUESTS_PER_SECOND = 5
_PER_SHARD = 100
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Scope:
    """How far back a reconciliation looks, how old things must be, and how fast it reads."""

    money_days: int = MONEY_DAYS
    grace: timedelta = GRACE
    requests_per_second: int = REQUESTS_PER_SECOND
    everyone: bool = False


class Reader:
    """Stripe, read within a budget of requests a second that leaves the rest to customers."""

    def __init__(self, services: Services, per_second: int) -> None:
        self._services = services
        self._interval = 1 / per_second
        self.requests = 0

    def spend(self, requests: int = 1) -> None:
        """Take the time of as many requests."""
        self.requests += requests
        self._services.clock.wait(requests * self._interval)

    def ask(self, question: Callable[[], T]) -> T:
        """One request's answer; a reading that fails is simply done again, a little later."""
        for tries_left in range(_TRIES - 1, -1, -1):
            self.spend()
            try:
                return question()
            except (UnavailableError, OutcomeUnknownError):
                if not tries_left:
                    raise
                self.spend(int(1 / self._interval))
        raise AssertionError("the last try answers or raises")

    def all_of(self, kind: type[T], since: datetime | None) -> Iterator[T]:
        """Every object of a kind since an instant, a page a request."""
        after: str | None = None
        while True:
            page = self.ask(partial(self._services.billing.page, kind, since=since, after=after))
            yield from page.rows
            after = page.after
            if after is None:
                return


@dataclass(slots=True)
class Lists:
    """What Stripe lists, by customer, and whom to compare in full."""

    moment: Moment
    customers: dict[str, AtStripe] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def read_lists(services: Services, reader: Reader, scope: Scope, progress: Progress) -> Lists:
    """Read Stripe's lists once, the short ones whole and the subscriptions in passing."""
    now = present(services)
    since = now.replace(hour=0, minute=0, second=0) - timedelta(days=scope.money_days)
    # Read first, so that whatever changes during the reading is still found to be moving.
    young = {change.object for change in reader.all_of(ChangeFacts, now - scope.grace)}
    lists = Lists(Moment(now, scope.grace, since, frozenset(young)))
    rows: Rows = defaultdict(lambda: defaultdict(list))
    owners: dict[str, str | None] = {}
    kinds: tuple[tuple[str, type[Any], datetime], ...] = (
        ("refunds", RefundFacts, since),
        ("disputes", DisputeFacts, now - timedelta(days=DISPUTE_DAYS)),
        ("credit_notes", CreditNoteFacts, since),
    )
    for name, kind, begin in kinds:
        listed = list(reader.all_of(kind, begin))
        lists.counts[name] = len(listed)
        for row in listed:
            owners[row.id] = _file(rows, name, row)
        progress(f"{len(listed)} {name.replace('_', ' ')}")
    _read_movements(services, reader, lists, rows, owners)
    progress(f"{lists.counts['movements']} movements")
    for due in services.store.due(now - scope.grace, limit=_PER_SHARD):
        rows[due.customer]["subscriptions"] += ()
    _read_subscriptions(services, reader, lists, rows, scope)
    progress(f"{lists.counts['subscriptions']} subscriptions")
    lists.customers = {
        owner: AtStripe(**{name: tuple(found) for name, found in kinds.items()})
        for owner, kinds in sorted(rows.items())
    }
    return lists


def _file(rows: Rows, name: str, row: Any) -> str | None:
    """Put an object to its customer's; a guest's refund concerns nobody here, a dispute does."""
    owner: str | None = row.customer or (UNASSIGNED if name == "disputes" else None)
    if owner is not None:
        rows[owner][name].append(row)
    return owner


def _read_movements(
    services: Services,
    reader: Reader,
    lists: Lists,
    rows: Rows,
    owners: dict[str, str | None],
) -> None:
    """The movements of refunds and disputes; one of an older object fetches that object."""
    lists.counts["movements"] = 0
    for movement in reader.all_of(MovementFacts, lists.moment.since):
        source = movement.source
        if movement.category not in BOOKED or source is None:
            continue
        lists.counts["movements"] += 1
        if source not in owners:
            name = "refunds" if movement.category.startswith("refund") else "disputes"
            one = services.billing.refund if name == "refunds" else services.billing.dispute
            row = reader.ask(partial(one, source))
            owners[source] = _file(rows, name, row) if row else None
        owner = owners[source]
        if owner is not None:
            rows[owner]["movements"].append(movement)


def _read_subscriptions(
    services: Services,
    reader: Reader,
    lists: Lists,
    rows: Rows,
    scope: Scope,
) -> None:
    """Keep those that look different, and all of customers who are compared in full anyway."""
    lists.counts["subscriptions"] = 0
    day = lists.moment.now.toordinal()
    for facts in reader.all_of(SubscriptionFacts, None):
        lists.counts["subscriptions"] += 1
        turn = zlib.crc32(facts.customer.encode()) % TURNS == day % TURNS
        if not (scope.everyone or turn or facts.customer in rows):
            stored = services.store.get(Subscription, facts.customer, facts.id)
            if not may_differ(stored.record if stored else None, facts, lists.moment):
                continue
        rows[facts.customer]["subscriptions"].append(facts)


def load_here(services: Services, customer: str) -> Here:
    """Everything in a customer's partition that is compared; the account is read last.

    A decision in between therefore shows as a change of just now, and the customer as busy.
    """

    def records(kind: type[T]) -> tuple[T, ...]:
        return tuple(stored.record for stored in services.store.all_of(kind, customer))

    here = Here(
        customer=customer,
        subscriptions=records(Subscription),
        operations=records(RefundOperation),
        foreign=records(ForeignRefund),
        disputes=records(Dispute),
        payments=records(Payment),
        cancellations=records(Cancellation),
        cases=records(RefundCase),
        effects=records(Effect),
        ledger=records(LedgerEntry),
    )
    account = services.store.get(Account, customer)
    if account is None or customer == UNASSIGNED:
        # What is nobody's is kept for a person, and stands in nobody's books.
        return replace(here, is_known=False)
    last = services.store.get(AuditEntry, customer, f"{account.record.audit_sequence:010d}")
    return replace(here, changed_at=last.record.at if last else None)


def look_for_missing(
    services: Services, reader: Reader, here: Here, seen: AtStripe, moment: Moment
) -> AtStripe:
    """What we know and the lists did not show, asked for by its id: only then it is not there."""
    listed = {one.id for one in seen.subscriptions}
    subscriptions = [
        reader.ask(partial(services.billing.subscription, one.id))
        for one in here.subscriptions
        if one.ended_at is None and one.id not in listed
    ]
    made = {one.id for one in seen.refunds}
    names = [one.stripe_refund for one in here.operations if is_expected(one, moment)]
    names += [one.id for one in here.foreign if is_expected(one, moment)]
    refunds = [
        reader.ask(partial(services.billing.refund, name))
        for name in names
        if name and name not in made
    ]
    return replace(
        seen,
        subscriptions=(*seen.subscriptions, *filter(None, subscriptions)),
        refunds=(*seen.refunds, *filter(None, refunds)),
    )
