"""A life in which the process dies at most once: before or after one of its port calls."""

import sys
from collections.abc import Callable
from typing import Any

from shared.application.perform_effect import perform_effect
from shared.domain.errors import RejectedError
from tests.fakes.services import FakeServices

PORTS = ("store", "billing", "waker", "mailer", "bus")
SWEEPS = 20


class Killed(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


class Mortal:
    """A port of which one call, counted over all ports of a life, is the last of its process."""

    def __init__(self, port: Any, life: "Life") -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member):
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            self._life.come_to("before", name, _place())
            answer = member(*args, **kwargs)
            self._life.come_to("after", name, _place())
            return answer

        return call


def _place() -> str:
    """The use case that calls, as `application/file.py:line`."""
    frame = sys._getframe(2)
    while frame.f_back is not None and "/shared/application/" not in frame.f_code.co_filename:
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/shared/')[2]}:{frame.f_lineno}"


class Life:
    """One life of what these services serve; the process dies at call `at`, on the side `when`."""

    def __init__(self, services: FakeServices, at: int = 0, when: str = "") -> None:
        self.services = services
        self.calls: list[str] = []
        self.places: set[str] = set()
        self._at, self._when = at, when
        self._mortal = FakeServices()
        self._mortal.__dict__.update(self.services.__dict__)
        for port in PORTS:
            setattr(self._mortal, port, Mortal(getattr(self.services, port), self))

    def come_to(self, when: str, name: str, place: str) -> None:
        if when == "before":
            self.calls.append(name)
            self.places.add(place)
        if (len(self.calls), when) == (self._at, self._when):
            self._at = 0
            raise Killed

    def do(self, work: Callable[[FakeServices], Any]) -> Any:
        """Work in a process of its own, again when it dies or loses an answer."""
        for _ in range(3):
            try:
                return work(self._mortal)
            except Killed:
                continue
            except RejectedError:
                return None  # what the first try has done already
        raise AssertionError("nobody dies twice")

    def carry_on(self, sweeps: int = SWEEPS) -> None:
        """Messages are delivered, again where their worker died; the schedule goes round."""
        for _ in range(sweeps):
            while self.services.waker.woken:
                message = self.services.waker.woken[0]
                self.services.clock.advance(seconds=message[2])
                self.do(lambda services, m=message: _perform(services, m))  # type: ignore[misc]
                self.services.waker.woken.remove(message)
            self.services.clock.advance(minutes=10)
            self.do(lambda services: services.run_due_work())


def _perform(services: FakeServices, message: tuple[str, str, int]) -> None:
    perform_effect(services, customer=message[0], effect_id=message[1])
