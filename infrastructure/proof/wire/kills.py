"""Q6: Lambda workers of the deployed stack are killed at random instants while customers act.

Only workers die, by SIGKILL; the emulator keeps AWS in memory, as AWS keeps it for us.
"""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from infrastructure.cli.dlq_command import queues_of
from infrastructure.local.errors import LaunchError
from infrastructure.local.redelivery import quick_redelivery
from infrastructure.local.stack import Stack, start_stack
from infrastructure.local.workers import Worker, kill, workers
from infrastructure.proof.goals import Result
from infrastructure.proof.wire.lives import KINDS, Kind, Life, begin
from infrastructure.proof.wire.promises import STEPS, judge
from infrastructure.proof.wire.servers import Servers
from infrastructure.proof.wire.services import WireServices
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.application.reconcile import reconcile
from shared.application.reconcile_lists import Scope
from shared.domain.effects import Effect, EffectStatus
from shared.ports import Services, Store

KILLS, PEOPLE, SEED = 200, 5, 6
# Most die with an event in their hands, so long after they were chosen at the most, and after so
# many other events at the most.
AT_WORK, LONGEST_AIM, MOST_OTHERS = 0.9, 0.06, 5
PATIENT_SECONDS, LOOK_SECONDS = 1.0, 0.003
MOST_SECONDS = 300.0
SETTLE_SECONDS = 240.0
# While workers die the clock runs faster, so that the sweep finds something to do.
TICK, TICKS = timedelta(seconds=20), 1.0
PAST_THE_END = (timedelta(days=32), timedelta(hours=2))


@dataclass(slots=True)
class Storm:
    """What has happened until now."""

    stack: Stack
    kills: int
    turns: Iterator[Kind] = field(default_factory=lambda: itertools.cycle(KINDS))
    dead_letters: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    killed: list[Worker] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """Kill at random instants, of whatever function, as often as was asked for."""
        chance = random.Random(SEED)  # noqa: S311 - repeatable
        deadline = time.monotonic() + MOST_SECONDS
        try:
            while len(self.killed) < self.kills and time.monotonic() < deadline:
                victim = self._at_work(chance) if chance.random() < AT_WORK else self._any(chance)
                time.sleep(chance.random() * LONGEST_AIM)
                if victim and (died := kill(self.stack.directory, victim)):
                    self.killed.append(died)
        finally:
            self.over.set()  # whatever happened, for the others wait for it

    def _any(self, chance: random.Random) -> Worker | None:
        """Whichever, idle or starting too."""
        known = workers(self.stack.directory)
        return chance.choice(known) if known else None

    def _at_work(self, chance: random.Random) -> Worker | None:
        """One that has an event of a function in its hands, after some others had theirs.

        Counted in events and not in seconds, so that work gets done on a slow machine too.
        """
        known = workers(self.stack.directory)
        function = chance.choice(sorted({one.function for one in known})) if known else ""
        others, before = chance.randint(0, MOST_OTHERS), set[int]()
        deadline = time.monotonic() + PATIENT_SECONDS
        while time.monotonic() < deadline:
            at_work = {one.pid: one for one in known if one.state == "at_work"}
            others -= len(at_work.keys() - before)
            fitting = [one for one in at_work.values() if one.function == function]
            if fitting and others < 0:
                return chance.choice(fitting)
            before = set(at_work)
            time.sleep(LOOK_SECONDS)
            known = workers(self.stack.directory)
        return None

    def pass_time(self) -> None:
        """Let the clock run, the sweep come round, and a person look at what was given up."""
        while not self.over.wait(TICKS):
            self.dead_letters += _redrive(self.stack)
            with suppress(LaunchError):  # killed: the next one does the same work
                self.stack.advance(TICK)
                self.stack.fire_schedule()

    def people(self) -> None:
        """One customer after the other, each kind in its turn, until nobody dies any more."""
        for kind in self.turns:
            try:
                life = begin(self.stack, kind)
                self.lives.append(life)
                kind.act(life)
                life.has_acted = True
            except Exception as error:  # noqa: BLE001 - whatever it was, somebody got no answer
                self.failures.append(f"{kind.name}: {error}")
            if self.over.is_set():
                return


def kill_workers(kills: int = KILLS) -> Result:
    """Let customers come and act while workers die, then let all come to rest, and judge."""
    begun = time.monotonic()
    with _stack() as stack:
        storm = Storm(stack, kills)
        with ThreadPoolExecutor(PEOPLE + 2) as pool:
            jobs = [pool.submit(storm.kill), pool.submit(storm.pass_time)]
            jobs += [pool.submit(storm.people) for _ in range(PEOPLE)]
        for job in jobs:
            job.result()
        try:
            storm.dead_letters += _come_to_rest(stack, storm.lives)
        except (TimeoutError, LaunchError) as trouble:
            storm.failures.append(f"no rest: {trouble}")
        failures = storm.failures + list(_judge(stack, storm.lives))
    promised = [one.amount for life in storm.lives for one in life.promises()]
    cancelled = sum(bool(life.cancellation) for life in storm.lives)
    at_work = sum(one.state == "at_work" for one in storm.killed)
    done = len(storm.killed)
    return Result(
        "Q6 process kills",
        f"{KILLS} × SIGKILL of Lambda workers, converges",
        f"{done} killed, {at_work} of them mid-invocation, over {len(storm.lives)} customers,"
        f" {cancelled} cancellations and {len(promised)} refunds,"
        f" {storm.dead_letters} dead letters redriven, {len(failures)} wrong",
        not failures and done >= kills and bool(promised),
        time.monotonic() - begun,
        faults=Counter(f"killed_{one.function}" for one in storm.killed),
        failures=failures,
    )


@contextmanager
def _stack() -> Iterator[Stack]:
    """A stack of its own, whose messages come back soon."""
    directory = Path(tempfile.mkdtemp(prefix="proof-"))
    stack = start_stack(directory=directory)
    try:
        with quick_redelivery(stack):
            yield stack
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _come_to_rest(stack: Stack, lives: Sequence[Life]) -> int:
    """Sweep, past the end of everybody's period; how many dead letters went round again."""
    store, dead = _services(stack).store, 0
    for step in (*STEPS[:2], *PAST_THE_END, *STEPS):
        stack.settle(SETTLE_SECONDS)
        dead += _redrive(stack)
        stack.advance(step)
        stack.fire_schedule()
        stack.settle(SETTLE_SECONDS)
        is_past = stack.now() > lives[-1].begun + sum(PAST_THE_END, timedelta())
        if is_past and not list(_open(store, lives)):
            break
    return dead + _redrive(stack)


def _redrive(stack: Stack) -> int:
    """Send round again what was received too often, as the runbook does."""
    sqs, sent = stack.aws("sqs"), 0
    for queue in queues_of(stack.outputs):
        while not queue.is_parked:
            answer = sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
            if not (messages := answer.get("Messages", [])):
                break
            for message in messages:
                sqs.send_message(QueueUrl=queue.source_url, MessageBody=message["Body"])
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
                sent += 1
    return sent


def _services(stack: Stack) -> WireServices:
    """The ports, beside the stack's own functions and at its time."""
    ahead = stack.now() - datetime.now(UTC)
    table = stack.outputs["TableName"]
    store = DynamoDBStore(stack.aws("dynamodb"), table, incarnation=1, livemode=False)
    servers = Servers(stack.aws_endpoint, stack.stripe_url, ahead)
    return WireServices(servers, store=store)


def _open(store: Store, lives: Sequence[Life]) -> Iterator[str]:
    """What is under way or was given up."""
    for life in lives:
        for stored in store.all_of(Effect, life.customer):
            effect = stored.record
            if effect.status is not EffectStatus.DONE:
                yield f"{life.kind.name}: {effect.kind} is {effect.status}"


def _judge(stack: Stack, lives: Sequence[Life]) -> Iterator[str]:
    """Whatever is not as it was promised, or differs from Stripe."""
    services = _services(stack)
    promises = [one for life in lives for one in life.promises()]
    yield from judge(services.store, stack.stripe, promises)
    yield from _open(services.store, lives)
    for life in lives:
        if life.has_acted and (seen := life.kind.seen(life)) != life.kind.end:
            yield f"{life.kind.name}: {life.customer} is {seen}, not {life.kind.end}"
    scope = Scope(grace=timedelta(), requests_per_second=1000, everyone=True)
    report = reconcile(cast("Services", services), scope, repair=False)
    if report.busy or report.unread or report.compared != len(lives):
        yield f"{report.compared} compared, {report.busy} under way, {report.unread} unread"
    for finding in report.findings:
        one = finding.divergence
        yield f"{one.kind}: {one.customer} {one.subject} {one.detail}"
    yield from (f"{day.day}: {day.rest} not cleared" for day in report.cleared.values() if day.rest)
    yield from (f"{where}: {count} left" for where, count in stack.waiting().items())
