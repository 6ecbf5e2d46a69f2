"""One run of one function: its ports, its own clock, and its death."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.functions import SECRET, SETTINGS
from infrastructure.proof.simulated.hub import MINUTE, SECOND, Killed
from shared.adapters import dynamodb_items as items
from shared.adapters import policy_files
from shared.domain.effects import Effect
from shared.domain.errors import (
    BrokenInvariantError,
    ConflictingWriteError,
    ErasedError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.ports import Check, DueKey, Page, Policies, Put, Stored

if TYPE_CHECKING:
    from infrastructure.proof.simulated.mutations import Api
    from infrastructure.proof.simulated.queues import Message
    from infrastructure.proof.simulated.world import World

R = TypeVar("R")

FUNCTION_TIMEOUT = 60 * SECOND
# How far a worker's clock may be off; with the latest execution of a request at Stripe it must
# stay below the settle time of an effect.
MOST_SKEW = 2 * MINUTE
_LATENCY = 30
_STALL = 90 * SECOND


class Worker:
    """A function's run, from its event to its end or its death."""

    def __init__(self, world: World, *, timeout: int = FUNCTION_TIMEOUT) -> None:
        self.world = world
        self._hub = world.hub
        self._deadline = world.hub.now + timeout
        skewed = world.oracle.draw("worker") is Fault.CLOCK_SKEWED
        self.offset = world.chance(2 * MOST_SKEW) - MOST_SKEW if skewed else 0
        self.incarnation = world.incarnation
        self.site = ""

    def enter(self, place: str, name: str) -> Fault | None:
        """Before the effect of a port call: what goes wrong with it."""
        world = self.world
        fault = world.oracle.draw(place)
        if world.sites is not None:
            self.site = f"{name} in {_caller()}"
            world.sites.reach(self.site, fault, world.oracle.number)
        self._hub.wait(1 + world.chance(_LATENCY))
        if fault is Fault.CRASH_BEFORE:
            raise Killed
        if fault is Fault.STALL:
            self._hub.wait(SECOND + world.chance(_STALL))
        self._die_at_timeout()
        return fault

    def leave(self, fault: Fault | None) -> None:
        """After the effect of a port call, before our code hears of it."""
        if fault is Fault.CRASH_AFTER:
            if self.world.sites is not None:
                self.world.sites.died_after(self.site)
            raise Killed
        self.pass_time(1 + self.world.chance(_LATENCY))

    def pass_time(self, milliseconds: int) -> None:
        """Wait; a function that waits too long is ended."""
        self._hub.wait(milliseconds)
        self._die_at_timeout()

    def time_left(self) -> int:
        """Milliseconds until the function is ended."""
        return max(0, self._deadline - self._hub.now)

    def _die_at_timeout(self) -> None:
        if self._hub.now > self._deadline:
            raise Killed


def _caller() -> str:
    """Where in our own code a port was called."""
    frame = sys._getframe(2)  # noqa: SLF001 - the interpreter's own way of asking
    while frame.f_back is not None and "/shared/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/shared/')[2]}:{frame.f_lineno}"


class Clock:
    """`shared.ports.Clock`, as right as the worker's own."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def now(self) -> datetime:
        """See `Clock`."""
        return self._worker.world.hub.instant(self._worker.offset)

    def pause(self, longest_seconds: float) -> None:
        """See `Clock`."""
        self._worker.pass_time(1 + self._worker.world.chance(int(longest_seconds * 1000)))

    def wait(self, seconds: float) -> None:
        """See `Clock`."""
        self._worker.pass_time(int(seconds * 1000))


class Ids:
    """`shared.ports.Ids`: shaped as ULIDs, in order."""

    def __init__(self, world: World) -> None:
        self._world = world

    def new(self) -> str:
        """See `Ids`."""
        self._world.ids += 1
        return f"{self._world.ids:026d}"


class Store:
    """`shared.ports.Store`, with what can go wrong on the way to the table and back."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._table = worker.world.table

    def get(self, kind: type[R], *key: str) -> Stored[R] | None:
        """See `Store`."""
        fault = self._enter("read", "get")
        found = self._table.get(kind, *key)
        self._worker.leave(fault)
        return found

    def get_many(self, kind: type[R], keys: Sequence[tuple[str, ...]]) -> list[Stored[R]]:
        """See `Store`."""
        fault = self._enter("read", "get_many")
        found = [stored for key in keys if (stored := self._table.get(kind, *key)) is not None]
        self._worker.leave(fault)
        return found

    def all_of(self, kind: type[R], customer: str) -> list[Stored[R]]:
        """See `Store`."""
        fault = self._enter("read", "all_of")
        found = self._table.all_of(kind, customer)
        self._worker.leave(fault)
        return found

    def due(self, until: datetime, *, limit: int, part: int = 0, parts: int = 1) -> list[DueKey]:
        """See `Store`."""
        fault = self._enter("due", "due")
        world = self._worker.world
        lag = 1 + world.chance(2 * MINUTE) if fault is Fault.INDEX_STALE else 0
        shards = items.DUE_SHARDS[part::parts]
        found = self._table.candidates(
            world.hub.now, items.sortable(until), shards=shards, limit=limit, lag=lag
        )
        self._worker.leave(fault)
        return found

    def queued(self, queue: str, *, limit: int, after: str | None) -> Page[DueKey]:
        """See `Store`."""
        fault = self._enter("due", "queued")
        found = self._table.queued(queue, limit=limit, after=after)
        self._worker.leave(fault)
        return found

    def commit(self, writes: Sequence[Put | Check]) -> None:
        """See `Store`."""
        fault = self._enter("commit", "commit")
        world = self._worker.world
        if fault is Fault.COMMIT_CUT:
            raise OutcomeUnknownError("table: cut")
        if fault is Fault.COMMIT_CONFLICTS:
            raise ConflictingWriteError("TransactionConflict")
        self._table.commit(
            world.hub.now, writes, incarnation=self._worker.incarnation, livemode=False
        )
        self._worker.leave(fault)
        if fault is Fault.COMMIT_ANSWER_LOST:
            raise OutcomeUnknownError("table: cut")
        if fault is Fault.COMMIT_OWN_WRITE_CONFLICTS:
            raise ConflictingWriteError("ConditionalCheckFailed")

    def _enter(self, place: str, name: str) -> Fault | None:
        fault = self._worker.enter(place, name)
        if fault is Fault.TABLE_THROTTLED:
            raise UnavailableError("table: throttled")
        return fault


class Waker:
    """`shared.ports.EffectWaker`: messages that may be lost, and calls that fail either way."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def wake(self, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None:
        """See `EffectWaker`."""
        fault = self._worker.enter("wake", "wake")
        world = self._worker.world
        if fault is Fault.WAKE_FAILS:
            raise UnavailableError("queue: throttled")
        if fault is not Fault.MESSAGE_LOST:
            for effect in effects:
                body = {"customer": effect.customer, "effect": effect.id}
                world.lanes[effect.lane].send(body, delay=delay_seconds * SECOND)
        self._worker.leave(fault)


class Events:
    """`shared.ports.EventQueue`: what was put may come twice, when its answer is lost."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def put(self, envelope: Mapping[str, Any]) -> None:
        """See `EventQueue`."""
        fault = self._worker.enter("queue", "put")
        if fault is Fault.QUEUE_FAILS:
            raise UnavailableError("queue: throttled")
        self._worker.world.events.send(dict(envelope))
        self._worker.leave(fault)

    def park(self, envelope: Mapping[str, Any], reason: str) -> None:
        """See `EventQueue`; Stripe sends nothing here that has to be parked."""
        raise AssertionError(f"parked because of {reason}: {envelope}")


class Outbox:
    """`shared.ports.Mailer` and `EventBus`: what was sent, under which id."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def send(
        self,
        *,
        to: str,
        template: str,
        values: Mapping[str, str],
        message_id: str,
        customer: str,
        language: str | None = None,
    ) -> None:
        """See `Mailer`."""
        del to, customer, language
        self._out("send", message_id, template, values)

    def publish(self, name: str, detail: Mapping[str, Any]) -> None:
        """See `EventBus`."""
        self._out("publish", detail["id"], name, detail)

    def _out(self, how: str, name: str, what: str, content: Mapping[str, Any]) -> None:
        fault = self._worker.enter("send", how)
        if fault is Fault.SEND_FAILS:
            raise UnavailableError(f"{how}: throttled")
        self._worker.world.watch.sent(how, name, what, content)
        self._worker.leave(fault)
        if fault is Fault.SEND_ANSWER_LOST:
            raise OutcomeUnknownError(f"{how}: cut")


class Vault:
    """`shared.ports.Vault`: what was sealed opens in its own place, until its key is gone."""

    def __init__(self, world: World) -> None:
        self._destroyed = world.destroyed

    def seal(self, content: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """See `Vault`."""
        self._refuse(customer)
        return f"{customer}/{kind}/{record}|".encode() + content

    def open(self, sealed: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """See `Vault`."""
        self._refuse(customer)
        place, _, content = sealed.partition(b"|")
        if place != f"{customer}/{kind}/{record}".encode():
            raise BrokenInvariantError("sealed for another place")
        return content

    def destroy(self, customer: str, *, at: datetime) -> None:
        """See `Vault`."""
        self._destroyed.setdefault(customer, at)

    def destroyed(self) -> Iterator[Any]:
        """See `Vault`; nobody who lives here reads the ledger of erasures."""
        return iter(())

    def _refuse(self, customer: str) -> None:
        if customer in self._destroyed:
            raise ErasedError(customer)


class Ports:
    """`shared.ports.Services` for one worker."""

    environment = "proof"
    livemode = False
    staff_address = "staff@example.com"
    policies: Policies = policy_files
    settings = SETTINGS

    def __init__(self, worker: Worker, billing: Api) -> None:
        self.worker = worker
        # Not typed: what no lifetime calls of this port need not be simulated.
        self.billing: Any = billing
        self.clock = Clock(worker)
        self.ids = Ids(worker.world)
        self.store = Store(worker)
        self.vault = Vault(worker.world)
        self.waker = Waker(worker)
        self.mailer = self.bus = Outbox(worker)
        self.events = Events(worker)
        # The messages that it was given.
        self.held: dict[str, Message] = {}

    @staticmethod
    def webhook_secrets() -> list[str]:
        """Those that are valid now."""
        return [SECRET]

    @property
    def policy(self) -> str:
        """See `Services`."""
        return self.worker.world.policy

    @property
    def incarnation(self) -> int:
        """See `Services`."""
        return self.worker.incarnation
