"""Everything together: the functions of the product, run by queues, schedule and callers."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from infrastructure.proof.simulated.faults import Fault, Oracle
from infrastructure.proof.simulated.functions import (
    COMPARER,
    EVENTS,
    LANES,
    SWEEPER,
    deployed,
    invoke,
)
from infrastructure.proof.simulated.hub import EPOCH, MINUTE, Hub
from infrastructure.proof.simulated.keys import Keys
from infrastructure.proof.simulated.mutations import Api
from infrastructure.proof.simulated.queues import Queue
from infrastructure.proof.simulated.sites import Sites
from infrastructure.proof.simulated.stripe import Stripe
from infrastructure.proof.simulated.table import Table
from infrastructure.proof.simulated.watch import Watch
from infrastructure.proof.simulated.webhooks import Webhooks
from infrastructure.proof.simulated.worker import FUNCTION_TIMEOUT, Ports, Worker
from shared.application.reconcile import Report, reconcile
from shared.application.reconcile_lists import Scope

LONG_FUNCTION = 15 * MINUTE


class World:
    """One lifetime: a table, an account at Stripe, and the functions between them."""

    def __init__(self, seed: str, oracle: Oracle, *, policy: str = "voip") -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seed is the point
        self.hub = Hub(around=deployed)
        self.oracle = oracle
        self.policy = policy
        self.watch = Watch(self)
        self.table = Table(self._committed)
        self.stripe = Stripe(self.hub, oracle, self.chance, Webhooks(self).deliver)
        self.keys = Keys(self.hub)
        self.lanes = {lane: Queue(self, consumer) for lane, consumer in LANES.items()}
        self.events = Queue(self, EVENTS)
        self.sites: Sites | None = None
        self.incarnation = 1
        self.ids = 0
        self.destroyed: dict[str, datetime] = {}
        self.stripe_is_down = False
        self.down_until = 0
        # While a table is set back no function has workers but the one that takes webhooks.
        self.is_paused = False
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

    # -- the functions

    def resume(self) -> None:
        """All functions have workers again."""
        self.is_paused = False
        for queue in (self.events, *self.lanes.values()):
            queue.poll()
        self.replan()

    def sweep(self, *, part: int = 0, parts: int = 1) -> None:
        """One run of the minute's schedule, over its part of what is due."""
        invoke(self.ports(), SWEEPER, {"part": part, "parts": parts})

    def compare(self) -> None:
        """One run of the nightly comparison."""
        invoke(self.ports(timeout=LONG_FUNCTION), COMPARER, {})

    def reconcile(self, scope: Scope) -> Report:
        """The comparison as an operator's command has it, here and now; for a worker."""
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
        if self.is_paused:
            self._sweep_at = None
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
