"""Virtual time and the workers that live in it: one runs, until it waits for something.

A worker is a greenlet, so that the code it runs is ours as it stands, plain and synchronous.
"""

import heapq
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

from greenlet import getcurrent, greenlet

EPOCH = datetime(2026, 3, 2, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


class Killed(BaseException):
    """The process is gone. Nothing in the code under proof may stop this on its way up."""


class EndlessError(Exception):
    """More has happened than a lifetime can hold: something repeats without an end."""


Ended = Callable[[BaseException | None], None]


class Hub:
    """The clock (milliseconds since `EPOCH`) and what is to happen, in the order of time.

    `around` is what surrounds every run.
    """

    def __init__(
        self, *, around: Callable[[], AbstractContextManager[None]], most_steps: int = 400_000
    ) -> None:
        self._around = around
        self.now = 0
        self._until = 0
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._loop = getcurrent()
        self._steps_left = most_steps
        # Time stands still for whoever asks from outside: threads that share a simulated account.
        self.is_still = False

    def most_steps(self, number: int) -> None:
        """Allow as many more, where many customers live at once."""
        self._steps_left = number

    def instant(self, offset: int = 0) -> datetime:
        """The present as an aware instant, on a clock that is `offset` milliseconds off."""
        return EPOCH + timedelta(milliseconds=self.now + offset)

    def at(self, when: int, act: Callable[[], object]) -> None:
        """Let `act` happen at `when`, at once and whole."""
        heapq.heappush(self._heap, (max(when, self.now), next(self._order), act))

    def after(self, delay: int, act: Callable[[], object]) -> None:
        """Let `act` happen in `delay` milliseconds."""
        self.at(self.now + delay, act)

    def work(self, when: int, job: Callable[[], object], ended: Ended) -> None:
        """Start a worker at `when`; `ended` hears of its end: None, its death, or its error."""

        def live() -> None:
            try:
                job()
            except (Killed, Exception) as error:  # noqa: BLE001 - as a process's end would
                ended(error)
            else:
                ended(None)

        def start() -> None:
            self._loop = getcurrent()
            greenlet(live).switch()

        self.at(when, start)

    def wait(self, milliseconds: int) -> None:
        """Let as much time pass for the worker that is running; others may run meanwhile."""
        if self.is_still:
            return
        self._count()
        wake = self.now + milliseconds
        me = getcurrent()
        if me is self._loop:
            # Nobody's worker: a step of the world itself, which is whole.
            return
        if wake <= self._until and not (self._heap and self._heap[0][0] <= wake):
            self.now = wake
            return
        heapq.heappush(self._heap, (wake, next(self._order), me.switch))
        self._loop.switch()

    def run(self, until: int) -> None:
        """Let everything happen that is due up to `until`."""
        with self._around():
            self._run(until)

    def _run(self, until: int) -> None:
        self._loop, self._until = getcurrent(), until
        while self._heap and self._heap[0][0] <= until:
            self.now, _, act = heapq.heappop(self._heap)
            self._count()
            act()
        self.now = max(self.now, until)

    def _count(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise EndlessError("a lifetime that does not come to rest")
