"""Q5: a thousand refunds over sockets that break, on the table's side and on Stripe's."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from infrastructure.proof.goals import Result
from infrastructure.proof.wire.faulty_table import FaultyTable
from infrastructure.proof.wire.promises import (
    STEPS,
    Promise,
    attempt,
    judge,
    open_switch,
    promise_many,
    still_open,
)
from infrastructure.proof.wire.servers import Servers, running
from infrastructure.proof.wire.services import WireServices

REFUNDS, THREADS = 1000, 24
LEAST_SHARE = 0.05
KINDS = (
    "latency",
    "cut_before_commit",
    "conflict",
    "rate_limited",
    "rate_limited_retry",
    "error_before_commit",
    "bad_gateway",
    "commit_then_cut",
    "partial_body",
    "error_after_commit",
)
# Those that come later in the order of asking are asked less often.
CHANCE = 0.085
ON_THE_TABLE = ("table_commit_then_cut", "table_cut_before", "table_throttled")


def break_wires(refunds: int = REFUNDS) -> Result:
    """Carry them all out with faults in force, then count what is at Stripe."""
    begun = time.monotonic()
    with running() as servers, FaultyTable(servers.aws, seed=5) as table:
        calm = WireServices(servers)
        open_switch(calm)
        promises = promise_many(calm, servers, refunds, THREADS)
        for number, kind in enumerate(KINDS):
            servers.control(
                "POST",
                "faults",
                {
                    "kind": kind,
                    "method": "POST",
                    "path": "/v1/refunds",
                    "probability": CHANCE,
                    "seed": number,
                    "seconds": 0.05,
                },
            )
        left = _carry_out(servers, table.url, promises)
        fired = Counter(one["kind"] for one in servers.control("GET", "audit")) + table.fired
        servers.control("DELETE", "faults")
        failures = list(judge(calm.store, servers.api(), promises))
        failures += [f"{one.operation} has no end" for one in left]
    least = LEAST_SHARE * refunds
    rare = [kind for kind in (*KINDS, *ON_THE_TABLE) if fired[kind] < least]
    failures += [f"{kind} was fired {fired[kind]} times of {least:.0f}" for kind in rare]
    return Result(
        "Q5 wire faults",
        f"{REFUNDS:,} refunds, {LEAST_SHARE:.0%} of each of {len(KINDS)} faults, 0 lost, 0 double",
        f"{refunds:,} refunds, {sum(fired.values()):,} faults, {len(failures)} wrong",
        not failures,
        time.monotonic() - begun,
        faults=Counter({f"wire_{kind}": times for kind, times in fired.items()}),
        failures=failures,
    )


def _carry_out(servers: Servers, table: str, promises: Sequence[Promise]) -> list[Promise]:
    """Attempt after attempt, with the clocks moved to when the next one is due."""
    own = threading.local()

    def once(one: Promise) -> None:
        if not hasattr(own, "services"):
            own.services = WireServices(servers, aws=table)
        attempt(own.services, one)

    calm, left = WireServices(servers), list(promises)
    with ThreadPoolExecutor(THREADS) as pool:
        for step in STEPS:
            list(pool.map(once, left))
            left = still_open(calm, left)
            if not left:
                break
            servers.advance(step)
    return left
