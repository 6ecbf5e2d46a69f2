"""Bugs, each planted in a process of its own, and hunted there until something notices it.

python -m infrastructure.proof.bugs.hunt SECONDS < NAMES      a JSON list of names
python -m infrastructure.proof.bugs.hunt SECONDS NAME         one, before our code is imported

Our code, the proof and the tests are imported and collected once; each bug is put into a fork of
that. What is no function's, a table of performers say, is planted while it is imported instead.
Prints a line of JSON for each bug.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import pytest

from infrastructure.proof.bugs.catalogue import bugs, find
from infrastructure.proof.bugs.planting import ROOT, StaleBugError, patch, plant
from infrastructure.proof.bugs.reach import HALVES, Reach, changed, reach
from infrastructure.proof.pool import PROCESSES

CHUNK = 50
# So many tests come before the proof: each holds what is written against the table of steps.
FIRST = 20
# From then on a bug counts as noticed: what it is planted in does not come to its end.
LONGEST = 150
OPTIONS = ("-q", "-p", "no:cacheprovider", "--capture=sys", f"--rootdir={ROOT}")


class Hunter:
    """A plugin of pytest that runs bugs instead of tests: each in a fork, on all cores."""

    def __init__(self, seconds: float, names: Sequence[str], out: TextIO) -> None:
        self._seconds, self._names, self._out = seconds, names, out
        self._reached: Reach = reach()
        self._items: dict[str, pytest.Item] = {}
        self._failed: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of the tests: every bug."""
        self._items = {item.nodeid: item for item in session.items}
        alive: set[int] = set()
        for name in self._names:
            if len(alive) == PROCESSES:
                alive.remove(_ended())
            alive.add(self._fork(name))
        while alive:
            alive.remove(_ended())
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What has failed."""
        if report.failed:
            self._failed.append(report.nodeid)

    def _fork(self, name: str) -> int:
        child = os.fork()
        if child:
            return child
        try:
            print(json.dumps(self._told(name)), file=self._out, flush=True)
        finally:
            # Never back into what the parent does, whatever went wrong.
            os._exit(0)

    def _told(self, name: str) -> dict[str, Any]:
        bug = find(name)
        with _limited(name, self._out) as told:
            where = changed(bug.file, bug.change)
            if not patch(bug.file, bug.change):
                here = [sys.executable, "-m", "infrastructure.proof.bugs.hunt"]
                os.dup2(self._out.fileno(), 1)
                os.execv(sys.executable, [*here, str(self._seconds), name])  # noqa: S606
            told["caught"] = _notice(self._reached, where, self._seconds, self._tested)
        return told

    def _tested(self, tests: Sequence[str]) -> str | None:
        for item in [self._items[name] for name in tests if name in self._items]:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            if self._failed:
                return f"test: {self._failed[0]}"
        return None


def hunt_alone(seconds: float, name: str, out: TextIO) -> dict[str, Any]:
    """One bug, planted before our code is imported."""
    bug = find(name)
    with _limited(name, out) as told:
        reached, where = reach(), changed(bug.file, bug.change)
        plant(bug.file, bug.change)
        told["caught"] = _notice(reached, where, seconds, _run)
    return told


@contextmanager
def _limited(name: str, out: TextIO) -> Iterator[dict[str, Any]]:
    """`caught` by what, or None, and after how many seconds; `stale` where it fits no more."""
    told: dict[str, Any] = {"name": name, "caught": None}
    begun = time.monotonic()

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        # Raised here an error would be caught, and what never ends begun anew.
        endless = {"name": name, "caught": "it never ends", "seconds": float(LONGEST)}
        print(json.dumps(endless), file=out, flush=True)
        os._exit(0)

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST)
    try:
        yield told
    except StaleBugError as stale:
        told["stale"] = str(stale)
    finally:
        signal.alarm(0)
    told["seconds"] = round(time.monotonic() - begun, 1)


def _notice(
    reached: Reach,
    where: frozenset[str],
    seconds: float,
    tested: Callable[[Sequence[str]], str | None],
) -> str | None:
    """Short tests that come through the place, the proof, the other tests, the proof for longer."""
    attempts = _attempts() if reached.by_lifetimes(where) else iter(())
    tests = reached.tests(where)
    return (
        tested(tests[:FIRST])
        or _hunt(attempts, seconds / 4)
        or tested(tests[FIRST:])
        or _hunt(attempts, seconds * 3 / 4)
    )


def _hunt(attempts: Iterator[str | None], seconds: float) -> str | None:
    """What noticed the bug: a flow, a seed, a crash point; or None."""
    until = time.monotonic() + seconds
    try:
        for caught in attempts:
            if caught or time.monotonic() > until:
                return caught
    except Exception as error:  # noqa: BLE001 - whatever breaks off, breaks the proof
        return f"broke off: {type(error).__name__}: {error}"[:160]
    return None


def _attempts() -> Iterator[str | None]:
    from infrastructure.proof import crash_points, lifetimes  # noqa: PLC0415
    from infrastructure.proof.flows import FLOWS  # noqa: PLC0415
    from infrastructure.proof.simulated.faults import PLACES  # noqa: PLC0415

    made = crash_points.Placements()
    for flow in FLOWS:
        made.place(flow, {})
        yield _first(made.failing, "flow")
    calls = [
        (flow, number, fault)
        for flow in FLOWS
        for number, place in enumerate(crash_points.places_of(flow), start=1)
        for fault in PLACES[place]
        if place in ("mutate", "refund", "event")
    ]
    random.Random("hunt").shuffle(calls)  # noqa: S311 - the same order each time
    number = 0
    while True:
        for _ in range(CHUNK):
            seed = f"hunt {number}"
            number += 1
            violations = lifetimes.schedule_of(seed)[1].live().violations
            if violations:
                yield f"lifetime {number}: {violations[0][0]} {violations[0][1]}"
        for flow, place, fault in calls[:CHUNK]:
            made.place(flow, {place: fault})
        del calls[:CHUNK]
        yield _first(made.failing, "crash point")


def _first(failing: list[str], what: str) -> str | None:
    return f"{what}: {failing[0]}" if failing else None


class _Listener:
    """A plugin of pytest that keeps the names of what has failed."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)


def _run(tests: Sequence[str]) -> str | None:
    """The first of these tests that notices it, where none has been collected."""
    if not tests:
        return None
    listener = _Listener()
    pytest.main([*OPTIONS, "-x", *tests], plugins=[listener])
    return f"test: {listener.failed[0]}" if listener.failed else None


@contextmanager
def _own_output() -> Iterator[TextIO]:
    """Where this process was told to print; what pytest says is nobody's to read."""
    with os.fdopen(os.dup(1), "w") as out, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        yield out


def _ended() -> int:
    return os.wait()[0]


def main(arguments: Sequence[str]) -> int:
    """Hunt one, or all that are asked for."""
    match arguments:
        case [seconds, name]:
            with _own_output() as out:
                print(json.dumps(hunt_alone(float(seconds), name, out)), file=out, flush=True)
        case [seconds]:
            names = json.load(sys.stdin)
            bugs()
            # What is planted goes through lifetimes too, so they are imported before it is.
            for module in ("crash_points", "lifetimes"):
                importlib.import_module(f"infrastructure.proof.{module}")
            with _own_output() as out:
                hunter = Hunter(float(seconds), names, out)
                pytest.main([*OPTIONS, *HALVES[0], *HALVES[1]], plugins=[hunter])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
