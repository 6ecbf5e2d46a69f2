"""SQS: at least once, in no order, with a dead-letter queue that somebody empties days later."""

from __future__ import annotations

import heapq
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.functions import Consumer, invoke
from infrastructure.proof.simulated.hub import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

Body = dict[str, Any]
VISIBILITY = 6 * MINUTE
RETENTION = 4 * DAY
LATENCY = 20
# A poisoned message comes round at these ages, in a lifetime whose operator empties the queue.
REDRIVES = (26 * HOUR, 3 * DAY, 9 * DAY)
# A message that is poisoned for good would come round for ever.
MOST_REDRIVES = 40


@dataclass(slots=True)
class Message:
    """One message; a copy that is delivered besides shares nothing with it."""

    id: str
    body: Body
    sent_at: int
    receives: int = 0
    visible_at: int = 0

    def come_back(self, when: int) -> None:
        """Be received again at that time, by whoever asks then."""
        self.visible_at = when

    def record(self) -> dict[str, Any]:
        """As Lambda hands it to its consumer."""
        return {
            "messageId": self.id,
            "receiptHandle": self.id,
            "body": json.dumps(self.body),
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "eventSource": "aws:sqs",
        }


class Queue:
    """A standard queue, and the handler that consumes it with so many workers."""

    def __init__(self, world: World, consumer: Consumer) -> None:
        self._world = world
        self._consumer = consumer
        self._free = consumer.workers
        self._waiting: list[tuple[int, int, Message]] = []
        self._order = itertools.count()
        self.redriven = 0

    def send(self, body: Body, *, delay: int = 0) -> None:
        """Take a message; what happens to it then is chance."""
        world = self._world
        fault = world.oracle.draw("message")
        if fault is Fault.MESSAGE_LATE:
            delay += world.chance(world.chance(3 * DAY) + 1)
        if fault is Fault.MESSAGE_TWICE:
            later = delay + world.chance(5 * SECOND + world.chance(10 * MINUTE))
            self._show(self._message(body), world.hub.now + later)
        self._show(self._message(body), world.hub.now + delay + LATENCY)

    def _message(self, body: Body) -> Message:
        return Message(f"m{next(self._order)}", body, self._world.hub.now)

    def _show(self, message: Message, when: int) -> None:
        """Let a message be received from then on."""
        message.visible_at = when
        heapq.heappush(self._waiting, (when, next(self._order), message))
        self._world.hub.at(when, self.poll)

    def poll(self) -> None:
        """Give what is there to a worker, if one is free."""
        world = self._world
        now, down = world.hub.now, world.down_until
        while self._free and not world.is_paused and (batch := self._due(now)):
            if down > now:
                for message in batch:
                    self._show(message, down + world.chance(MINUTE))
                continue
            for message in batch:
                message.receives += 1
                message.visible_at = now + VISIBILITY
            self._free -= 1
            self._receive(batch)

    def _due(self, now: int) -> list[Message]:
        """Of the messages that can be received, a batch."""
        found: list[Message] = []
        while self._waiting and self._waiting[0][0] <= now and len(found) < self._consumer.batch:
            _, _, message = heapq.heappop(self._waiting)
            if now - message.sent_at > RETENTION:
                continue
            if message.receives >= self._consumer.most:
                self._redrive_some_day(message)
            else:
                found.append(message)
        return found

    def _receive(self, batch: list[Message]) -> None:
        world = self._world
        failed = {message.id for message in batch}

        def consume() -> None:
            ports = world.ports()
            ports.held = {message.id: message for message in batch}
            event = {"Records": [message.record() for message in batch]}
            answer = invoke(ports, self._consumer.function, event)
            # Until a batch is answered, all of it comes back.
            failed.clear()
            failed.update(one["itemIdentifier"] for one in answer["batchItemFailures"])

        def ended(error: BaseException | None) -> None:
            world.watch.ended(error)
            for message in batch:
                if message.id in failed:
                    self._show(message, message.visible_at)
            self._free += 1
            self.poll()

        world.hub.work(world.hub.now, consume, ended)

    def _redrive_some_day(self, message: Message) -> None:
        world = self._world
        if not world.redrives or self.redriven > MOST_REDRIVES:
            return

        def redrive() -> None:
            self.redriven += 1
            self._show(self._message(message.body), world.hub.now)

        world.hub.after(REDRIVES[world.chance(len(REDRIVES))], redrive)
