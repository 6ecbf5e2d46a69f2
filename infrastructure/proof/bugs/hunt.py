"""One bug, planted in this process before our code is imported, and hunted until it is noticed.

python -m infrastructure.proof.bugs.hunt NAME SECONDS
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator

from infrastructure.proof.bugs.planting import ROOT, StaleBugError, plant

CHUNK = 50
LONGEST = 120


def main(name: str, seconds: float) -> int:
    """Plant, hunt, and print what noticed it as JSON."""
    from infrastructure.proof.bugs.catalogue import Bug, find  # noqa: PLC0415
    from infrastructure.proof.bugs.reach import changed, reach  # noqa: PLC0415

    bug: Bug = find(name)
    try:
        where, reached = changed(bug.file, bug.change), reach()
        plant(bug.file, bug.change)
    except StaleBugError as stale:
        print(json.dumps({"stale": str(stale)}))
        return 1
    begun = time.monotonic()
    caught, attempts = None, _attempts() if reached.by_lifetimes(where) else iter(())
    # The proof first, then the tests that come through the place, then the proof for longer.
    for share in (0.25, 0, 1.0):
        if share:
            caught = caught or _hunt(attempts, begun + seconds * share)
        elif caught is None:
            paused = time.monotonic()
            caught = _tested(name, reached.tests(where))
            begun += time.monotonic() - paused
    took = time.monotonic() - begun
    print(json.dumps({"caught": caught, "seconds": round(took, 1)}))
    return 0 if caught else 1


def _hunt(attempts: Iterator[str | None], until: float) -> str | None:
    """What noticed the bug: a flow, a seed, a crash point; or None."""
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


def _tested(name: str, tests: list[str]) -> str | None:
    """Whether any of the tests notices it, in a process of its own."""
    if not tests:
        return None
    code = (
        "import sys, pytest\n"
        "from infrastructure.proof.bugs.catalogue import find\n"
        "from infrastructure.proof.bugs.planting import plant\n"
        "bug = find(sys.argv[1]); plant(bug.file, bug.change)\n"
        "sys.exit(pytest.main(['-qx', '-p', 'no:cacheprovider', *sys.argv[2:]]))\n"
    )
    command = [sys.executable, "-c", code, name, *tests]
    try:
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return "the tests never end"
    lines = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return f"test: {lines[0].partition(' ')[2][:120]}" if lines else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
