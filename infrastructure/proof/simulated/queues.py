"""SQS: at least once, in no order, with a dead-letter queue that somebody empties days later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.hub import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

Body = dict[str, Any]
VISIBILITY = 6 * MINUTE
RETENTION = 4 * DAY
# A poisoned message comes round at these ages, in a lifetime whose operator empties the queue.
REDRIVES = (26 * HOUR, 3 * DAY, 9 * DAY)


@dataclass(slots=True)
class Message:
    """One message; a copy that is delivered besides shares nothing with it."""

    body: Body
    sent_at: int
    receives: int = 0


class Queue:
    """A standard queue with its consumer: one message an invocation."""

    def __init__(self, world: World, consume: Callable[[Body], None], *, most: int) -> None:
        self._world = world
        self._consume = consume
        self._most = most
        self.dead: list[Message] = []
        self.redriven = 0

    def send(self, body: Body, *, delay: int = 0) -> None:
        """Take a message; what happens to it then is chance."""
        world = self._world
        message = Message(body, world.hub.now)
        fault = world.oracle.draw("message")
        if fault is Fault.MESSAGE_LATE:
            delay += world.chance(world.chance(3 * DAY) + 1)
        if fault is Fault.MESSAGE_TWICE:
            copy = Message(body, world.hub.now)
            self._receive_in(copy, delay + world.chance(5 * SECOND + world.chance(10 * MINUTE)))
        self._receive_in(message, delay + 20)

    def _receive_in(self, message: Message, delay: int) -> None:
        self._world.hub.after(delay, lambda: self._receive(message))

    def _receive(self, message: Message) -> None:
        world = self._world
        if world.down_until > world.hub.now:
            self._receive_in(message, world.down_until - world.hub.now + world.chance(MINUTE))
            return
        if world.hub.now - message.sent_at > RETENTION:
            return
        message.receives += 1

        def ended(error: BaseException | None) -> None:
            if error is None:
                return
            if message.receives >= self._most:
                self.dead.append(message)
                self._redrive_some_day(message)
            else:
                self._receive_in(message, VISIBILITY)

        world.hub.work(world.hub.now, lambda: self._consume(message.body), ended)

    def _redrive_some_day(self, message: Message) -> None:
        if not self._world.redrives or self.redriven > MOST_REDRIVES:
            return

        def redrive() -> None:
            self.redriven += 1
            self._receive_in(Message(message.body, self._world.hub.now), 0)

        self._world.hub.after(REDRIVES[self._world.chance(len(REDRIVES))], redrive)


# A message that is poisoned for good would come round for ever.
MOST_REDRIVES = 40
