"""One transaction on one customer's partition: load, decide, commit, wake the effects.

Every change that concerns an account moves the account's version, so two decisions on the same
customer can never both be made from the same state: one commits, the other loads again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from shared.domain.account import Account
from shared.domain.effects import SWEEP_AFTER, Effect, EffectKind, EffectStatus
from shared.domain.errors import (
    ConflictingWriteError,
    FairexitError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.lifecycles import must_follow
from shared.domain.records import AuditEntry
from shared.ports import Check, Delete, Put, Services, Write

R = TypeVar("R")
T = TypeVar("T")
# Which record of a decision: its kind, and its key within the partition.
Place = tuple[type, tuple[str, ...]]

# Contention is per customer. Twelve tries take about three seconds; whoever loses them all meets a
# storm and comes back later.
TRIES = 12
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


def present(services: Services) -> datetime:
    """The present in whole seconds, which is how Stripe counts."""
    return services.clock.now().replace(microsecond=0)


class Change:
    """What one decision reads and writes. Nothing is written before `commit`."""

    def __init__(self, services: Services, customer: str, actor: str) -> None:
        self.services = services
        self.customer = customer
        self.now = present(services)
        self._actor = actor
        self._versions: dict[Place, int] = {}
        self._read: dict[Place, Any] = {}
        self._puts: dict[Place, Any] = {}
        self._beside: list[Write] = []
        self._audit: list[tuple[str, str, Mapping[str, Any]]] = []
        self.effects: list[Effect] = []
        self.account = self.load(Account) or Account(customer)

    @property
    def knows_customer(self) -> bool:
        """Whether the customer had an account here before this change."""
        return self._versions[Account, ()] > 0

    def load(self, kind: type[R], *key: str) -> R | None:
        """The customer's record of `kind`, remembering the version it was read under.

        Loaded again it is what was read first, or what is to be written: under a later version the
        commit would pass, with all that was decided before on an earlier one.
        """
        return self._load((kind, key), self.customer, *key)

    def load_of(self, owner: str, kind: type[R], *key: str) -> R | None:
        """A record in another partition, remembered likewise; write it back with `put_of`."""
        return self._load((kind, (f"of {owner}", *key)), owner, *key)

    def _load(self, place: tuple[type[R], tuple[str, ...]], owner: str, *key: str) -> R | None:
        if place in self._puts:
            written: R = self._puts[place]
            return written
        if place not in self._read:
            stored = self.services.store.get(place[0], owner, *key)
            self._versions[place] = stored.version if stored else 0
            self._read[place] = stored.record if stored else None
        read: R | None = self._read[place]
        return read

    def put_of(self, owner: str, record: Any, *key: str) -> None:
        """Write a record of another partition in the same transaction."""
        self._write((type(record), (f"of {owner}", *key)), record)

    def put(self, record: Any, *key: str) -> None:
        """Write `record` whole; it was loaded under the same key, or is new.

        Raises:
            BrokenInvariantError: it takes back what is known of it.
        """
        if not key and hasattr(record, "id"):
            key = (record.id,)
        self._write((type(record), key), record)

    def _write(self, place: Place, record: Any) -> None:
        must_follow(self._puts.get(place, self._read.get(place)), record)
        self._puts[place] = record

    def delete(self, record: Any, *key: str) -> None:
        """Remove `record`, loaded under this key."""
        place = (type(record), key or (record.id,))
        self._beside.append(Delete(record, self._versions[place]))

    def beside(self, write: Write) -> None:
        """A write to an item of another partition, in the same transaction."""
        self._beside.append(write)

    def effect(self, kind: EffectKind, params: Mapping[str, Any]) -> str:
        """An effect to be carried out after the commit; its id."""
        effect = Effect(
            id=self.services.ids.new(),
            customer=self.customer,
            kind=kind,
            params=params,
            status=EffectStatus.PENDING,
            created_at=self.now,
            next_attempt_at=self.now + SWEEP_AFTER,
            environment=self.services.environment,
            sent_in=self.services.incarnation,
        )
        self.put(effect)
        self.effects.append(effect)
        return effect.id

    def mail(self, template: str, values: Mapping[str, str], *, optional: bool = False) -> None:
        """A mail to the customer, once the change is committed.

        An `optional` one, which no duty asks for, is not sent to whoever has objected.
        """
        params = {"template": template, "values": values}
        self.effect(EffectKind.SEND_MAIL, params | ({"optional": True} if optional else {}))

    def publish(self, name: str, detail: Mapping[str, Any]) -> None:
        """A domain event, once the change is committed."""
        self.effect(EffectKind.PUBLISH_EVENT, {"name": name, "detail": detail})

    def alert(self, what: str, subject: str, detail: str) -> None:
        """Something waits for a person: an event on the bus, and an alarm, once it is committed."""
        params = {"what": what, "subject": subject, "detail": detail}
        self.effect(EffectKind.ALERT, params)

    def post(
        self, what: str, books: tuple[Book, Book], amount: int, currency: str, **why: Any
    ) -> None:
        """A ledger entry of `amount` minor units from the first book to the second."""
        if amount == 0:
            return
        entry_id = self.services.ids.new()
        source, target = books
        self.put(
            LedgerEntry(
                id=entry_id,
                customer=self.customer,
                at=self.now,
                what=what,
                source=source,
                target=target,
                amount=amount,
                currency=currency,
                cause=why["cause"],
                evidence=tuple(why.get("evidence", ())),
                rate=why.get("rate"),
            )
        )

    def audit(self, what: str, why: str, **details: Any) -> None:
        """A line in the account's audit trail."""
        self._audit.append((what, why, details))

    def commit(self) -> None:
        """Write everything in one transaction, or nothing when there is nothing to write.

        Raises:
            ConflictingWriteError: something that was read has moved.
        """
        if not self._puts and not self._audit and not self._beside:
            return
        for what, why, details in self._audit:
            self.account = replace(self.account, audit_sequence=self.account.audit_sequence + 1)
            sequence = self.account.audit_sequence
            entry = AuditEntry(self.customer, sequence, self.now, self._actor, what, why, details)
            self.put(entry, f"{sequence:010d}")
        self._write((Account, ()), self.account)
        own = [Put(record, self._versions.get(place, 0)) for place, record in self._puts.items()]
        self.services.store.commit([*own, *self._beside])

    def overtaken(self) -> bool:
        """Whether another commit came after the first read.

        Records are read one by one, so a decision that was overtaken may have seen a state that
        never was: half from before that commit, half from after it.
        """
        stored = self.services.store.get(Account, self.customer)
        return (stored.version if stored else 0) != self._versions[Account, ()]

    def check(self, record: Any, *key: str) -> Check:
        """A demand that `record`, loaded here, has not moved."""
        return Check(record, self._versions[type(record), key or (record.id,)])


def transact(
    services: Services,
    customer: str,
    actor: str,
    decide: Callable[[Change], T],
    *,
    wake_in: int = 0,
) -> T:
    """Run `decide` on fresh state until its commit meets no other writer, then wake its effects.

    A refusal or a broken invariant counts only if what it was read from still stands: two records
    may have been read on either side of another writer's commit.

    Args:
        services: the ports.
        customer: whose partition.
        actor: who decides, for the audit trail.
        decide: reads through the change and writes to it; may run several times.
        wake_in: the seconds until its effects are woken, where many commit at the same time.

    Raises:
        UnavailableError: too many writers at once; nothing was written.
    """
    for attempt in range(TRIES):
        change = Change(services, customer, actor)
        try:
            result = decide(change)
            change.commit()
        except FairexitError as error:
            if not isinstance(error, ConflictingWriteError) and not change.overtaken():
                raise
        else:
            wake(services, change.effects, delay_seconds=wake_in)
            return result
        pause_before_try(services, attempt)
    raise UnavailableError(f"too many writers on {customer}")


def pause_before_try(services: Services, attempt: int) -> None:
    """Let the rivals of a lost try come back apart."""
    services.clock.pause(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))


def wake(services: Services, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None:
    """Tell the consumers; when that fails the sweeper finds the effects by their due time."""
    if not effects:
        return
    try:
        services.waker.wake(effects, delay_seconds=delay_seconds)
    except (UnavailableError, OutcomeUnknownError):
        return


def wake_stored(services: Services, customer: str, effect: str) -> None:
    """Tell the consumer of an effect of which only the id is known."""
    stored = services.store.get(Effect, customer, effect)
    if stored is not None:
        wake(services, [stored.record])
