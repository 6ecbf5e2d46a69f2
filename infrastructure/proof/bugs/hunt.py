"""Bugs, each planted in a process of its own before our code is imported, and hunted there.

python -m infrastructure.proof.bugs.hunt SECONDS < NAMES, a JSON list

Prints a line of JSON for each bug. Only what is not ours is imported before a process is forked.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from infrastructure.proof.bugs.planting import ROOT, StaleBugError, plant
from infrastructure.proof.pool import PROCESSES

CHUNK = 50
# From then on a bug counts as noticed: what it is planted in does not come to its end.
LONGEST = 150
FOREIGN = ("greenlet", "msgspec", "pytest", "botocore.session", "reportlab")


class EndlessError(BaseException):
    """The bug keeps its process from ending; nothing that catches errors may catch this."""


def main(seconds: float, names: list[str]) -> int:
    """Hunt them on all cores, and tell of each as soon as it is known."""
    for module in FOREIGN:
        importlib.import_module(module)
    context = multiprocessing.get_context("fork")
    with context.Pool(PROCESSES, maxtasksperchild=1) as pool:
        for told in pool.imap_unordered(_hunted, [(name, seconds) for name in names]):
            print(json.dumps(told), flush=True)
    return 0


def _hunted(piece: tuple[str, float]) -> dict[str, Any]:
    """What became of one bug: `caught` by what, or None; `stale` where it fits no more."""
    name, seconds = piece
    begun, caught = time.monotonic(), None
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(LONGEST)
    quiet = io.StringIO()
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            caught = _plant_and_hunt(name, seconds)
    except StaleBugError as stale:
        return {"name": name, "stale": str(stale)}
    except EndlessError:
        caught = "it never ends"
    finally:
        signal.alarm(0)
    return {"name": name, "caught": caught, "seconds": round(time.monotonic() - begun, 1)}


def _give_up(*_: object) -> None:
    raise EndlessError


def _plant_and_hunt(name: str, seconds: float) -> str | None:
    """The proof first, then the tests that come through the place, then the proof for longer."""
    from infrastructure.proof.bugs.catalogue import find  # noqa: PLC0415
    from infrastructure.proof.bugs.reach import changed, reach  # noqa: PLC0415

    bug = find(name)
    where, reached = changed(bug.file, bug.change), reach()
    plant(bug.file, bug.change)
    attempts = _attempts() if reached.by_lifetimes(where) else iter(())
    return (
        _hunt(attempts, seconds / 4)
        or _tested(reached.tests(where))
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


def _tested(tests: list[str]) -> str | None:
    """The first of these tests that notices it."""
    if not tests:
        return None
    import pytest  # noqa: PLC0415 - it has been imported before the fork

    failed: list[str] = []

    class Listener:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            if report.failed:
                failed.append(report.nodeid)

    arguments = ["-qx", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *tests]
    ended = pytest.main(arguments, plugins=[Listener()])
    if not failed and ended != pytest.ExitCode.OK:
        raise RuntimeError(f"pytest ended with {ended} and named no test")
    return f"test: {failed[0]}" if failed else None


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), json.load(sys.stdin)))
