"""The Lambda worker processes of a local stack: which there are, what they do, and their deaths.

Each keeps one file `<pid>.<function>.<state>` in the stack's folder `workers`, and renames it from
inside (`lambda_host.py`): what stands there after a SIGKILL is what it was doing when it died.
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOST = "lambda_host.py"
DIES_WITHIN_MS = 10_000


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of the function in a folder of `functions/`: starting, idle, or at_work."""

    pid: int
    function: str
    state: str


def workers(directory: Path) -> list[Worker]:
    """Those that the stack in a directory has now, and those that have ended untold."""
    return sorted(_read(directory / "workers"), key=lambda one: one.pid)


def _read(folder: Path) -> Iterator[Worker]:
    for file in folder.iterdir():
        pid, function, state = file.name.split(".")
        yield Worker(int(pid), function, state)


def kill(directory: Path, worker: Worker) -> Worker | None:
    """SIGKILL one; what it was when it died, or None where it had ended before."""
    folder, alive = directory / "workers", False
    with contextlib.suppress(ProcessLookupError):
        # The process is held, so that no other can come by its number meanwhile.
        process = os.pidfd_open(worker.pid)
        try:
            alive = _is_worker(worker.pid) and not _has_ended(process, 0)
            if alive:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                alive = _has_ended(process, DIES_WITHIN_MS)
        finally:
            os.close(process)
    [last] = [one for one in _read(folder) if one.pid == worker.pid] or [worker]
    (folder / f"{last.pid}.{last.function}.{last.state}").unlink(missing_ok=True)
    return last if alive else None


def _is_worker(pid: int) -> bool:
    """Whether it is still the host; the command line of one that has ended is empty."""
    try:
        return HOST.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def _has_ended(process: int, wait_ms: int) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(wait_ms))
