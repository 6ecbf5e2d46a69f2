"""Q6: worker processes that are killed at random instants, and what is left carried on by others.

Only workers die, by SIGKILL; the emulator keeps AWS in memory, as AWS keeps it for us.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence

from infrastructure.proof.goals import Result
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

KILLS, REFUNDS, WORKERS = 200, 400, 2
LONGEST_LIFE = 0.35
SEED = 6


def kill_workers(kills: int = KILLS) -> Result:
    """Let workers carry out refunds, kill each in its middle, until all is done."""
    begun, chance = time.monotonic(), random.Random(SEED)  # noqa: S311 - repeatable
    with running() as servers:
        calm = WireServices(servers)
        open_switch(calm)
        promises = promise_many(calm, servers, REFUNDS, 4)
        done = 0
        while done < kills:
            left = still_open(calm, promises) or promises
            for _ in range(10):
                lives = [_fork(servers, left, chance.random()) for _ in range(WORKERS)]
                for pid in lives:
                    time.sleep(chance.random() * LONGEST_LIFE)
                    done += _kill(pid)
            servers.advance(STEPS[0])
        for step in STEPS:
            left = still_open(calm, promises)
            for one in left:
                attempt(calm, one)
            servers.advance(step)
        failures = list(judge(calm, servers, promises))
        failures += [f"{one.operation} has no end" for one in still_open(calm, promises)]
    return Result(
        "Q6 process kills",
        f"{KILLS} × SIGKILL, converges",
        f"{done} workers killed over {len(promises)} refunds, {len(failures)} wrong",
        not failures and done >= kills,
        time.monotonic() - begun,
        faults=Counter(worker_killed=done),
        failures=failures,
    )


def _fork(servers: Servers, promises: Sequence[Promise], seed: float) -> int:
    """A worker with adapters of its own; it ends only by being killed."""
    pid = os.fork()
    if pid:
        return pid
    try:
        services = WireServices(servers)
        order = list(promises)
        random.Random(seed).shuffle(order)  # noqa: S311 - any order will do
        while True:
            for one in order:
                attempt(services, one)
    finally:
        # Never back into the parent's code, whatever went wrong.
        os._exit(1)


def _kill(pid: int) -> int:
    """1 when it was alive until now."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return int(os.WIFSIGNALED(status))
