"""Everything together: the functions of the product, run by queues, schedule and callers."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from infrastructure.proof.simulated.faults import Fault, Oracle
from infrastructure.proof.simulated.hub import EPOCH, MINUTE, Hub
from infrastructure.proof.simulated.keys import Keys
from infrastructure.proof.simulated.mutations import Api
from infrastructure.proof.simulated.queues import Body, Queue
from infrastructure.proof.simulated.sites import Sites
from infrastructure.proof.simulated.stripe import Stripe
from infrastructure.proof.simulated.table import Table
from infrastructure.proof.simulated.watch import Watch
from infrastructure.proof.simulated.worker import FUNCTION_TIMEOUT, Ports, Worker
from shared.application.do_due_work import do_due_work, find_due_work
from shared.application.perform_effect import count_failed_attempt, perform_effect
from shared.application.process_stripe_event import process_stripe_event
from shared.application.reconcile import Report, reconcile
from shared.application.reconcile_lists import Scope

T = TypeVar("T")

LONG_FUNCTION = 15 * MINUTE


class World:
    """One lifetime: a table, an account at Stripe, and the functions between them."""

    def __init__(self, seed: str, oracle: Oracle, *, policy: str = "voip") -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seed is the point
        self.hub = Hub()
        self.oracle = oracle
        self.policy = policy
        self.watch = Watch(self)
        self.table = Table(self._committed)
        self.stripe = Stripe(self.hub, oracle, self.chance, self._webhook)
        self.keys = Keys(self.hub)
        self.effects = Queue(self, self._perform, most=5)
        self.events = Queue(self, self._process, most=8)
        self.sites: Sites | None = None
        self.incarnation = 1
        self.ids = 0
        self.destroyed: dict[str, datetime] = {}
        self.stripe_is_down = False
        self.down_until = 0
        self.redrives = True
        self._sweep_at: int | None = None

    def chance(self, below: int) -> int:
        """A whole number from 0, below `below`."""
        return int(self._random.random() * below)

    def ports(self, *, timeout: int = FUNCTION_TIMEOUT) -> Any:
        """A new run of some function: `Services`, as far as lifetimes use them.

        Not typed, so that a port which no lifetime calls need not be simulated.
        """
        worker = Worker(self, timeout=timeout)
        return Ports(worker, Api(worker, self.stripe, self.keys))

    def invoke(
        self, job: Callable[[Any], T], *, timeout: int = FUNCTION_TIMEOUT, after: int = 0
    ) -> None:
        """Run a function some time; whatever becomes of it."""
        start = self.hub.now + after
        self.hub.work(start, lambda: job(self.ports(timeout=timeout)), self.watch.ended)

    # -- the functions

    def _perform(self, body: Body) -> None:
        """As the effects consumer does: a message that fails is counted first."""
        ports = self.ports()
        try:
            perform_effect(ports, customer=body["customer"], effect_id=body["effect"])
        except Exception as error:
            self.watch.failed(error)
            count_failed_attempt(ports, customer=body["customer"], effect_id=body["effect"])
            raise

    def _process(self, body: Body) -> None:
        """As the events consumer does."""
        try:
            process_stripe_event(self.ports(), body)
        except Exception as error:
            self.watch.failed(error)
            raise

    def _webhook(self, envelope: dict[str, Any]) -> None:
        """Stripe delivers; while nobody answers it comes back for three days, ever later."""
        self._deliver(envelope, self.hub.now, 1)

    def _deliver(self, envelope: dict[str, Any], first: int, tries: int) -> None:
        if self.down_until <= self.hub.now:
            self.events.send(envelope)
        elif self.hub.now - first < 3 * 24 * 60 * MINUTE:
            later = min(12 * 60, 5 * 3**tries) * MINUTE
            self.hub.after(later, lambda: self._deliver(envelope, first, tries + 1))

    def sweep(self) -> None:
        """One run of the minute's schedule."""
        ports = self.ports(timeout=FUNCTION_TIMEOUT)
        for due in find_due_work(ports):
            try:
                do_due_work(ports, due)
            except Exception as error:  # noqa: BLE001 - as the handler does: the others go on
                self.watch.failed(error)

    def reconcile(self, scope: Scope | None = None) -> Report:
        """One run of the nightly comparison, here and now; for a worker."""
        return reconcile(self.ports(timeout=LONG_FUNCTION), scope)

    # -- the schedule: a run that would find nothing is not told

    def _committed(self, old: Any, new: Any) -> None:
        self.watch.written(old, new)
        due_at = self.table.due_of(new)
        if due_at is not None:
            self.plan_sweep(datetime.fromisoformat(due_at))

    def plan_sweep(self, due_at: datetime) -> None:
        """Let the schedule run on the first full minute from `due_at` on."""
        wanted = int((due_at - EPOCH) / timedelta(milliseconds=1))
        at = max(wanted, self.hub.now + 1)
        at = -(-at // MINUTE) * MINUTE
        if self._sweep_at is None or at < self._sweep_at:
            self._sweep_at = at
            self.hub.at(at, lambda: self._run_sweep(at))

    def _run_sweep(self, planned: int) -> None:
        if self._sweep_at != planned:
            return
        if self.down_until > self.hub.now or self.oracle.draw("schedule") is Fault.SCHEDULE_MISSED:
            until = max(self.down_until, self.hub.now + (1 + self.chance(20)) * MINUTE)
            again = self._sweep_at = -(-until // MINUTE) * MINUTE
            self.hub.at(again, lambda: self._run_sweep(again))
            return

        def ended(error: BaseException | None) -> None:
            self.watch.ended(error)
            self._sweep_at = None
            self.replan()

        self.hub.work(self.hub.now, self.sweep, ended)

    def replan(self) -> None:
        """Plan the schedule by what the table says is due."""
        first = self.table.first_due()
        if first is not None:
            self.plan_sweep(datetime.fromisoformat(first))
