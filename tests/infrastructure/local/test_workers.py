"""A worker says what it does, and what it was doing when it was killed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infrastructure.local.workers import Worker, kill, workers
from tests.infrastructure.local.test_lambda_host import HOST, VARIABLES, RuntimeApi

CODE = """
import time

def dawdle(event, context):
    time.sleep(event)
"""
PATIENT_SECONDS = 30


@contextmanager
def hosted(directory: Path) -> Iterator[RuntimeApi]:
    """A worker of the function `hello`, whose stack lives in a directory."""
    (directory / "workers").mkdir()
    (directory / "slow.py").write_text(CODE)
    api = RuntimeApi()
    process = subprocess.Popen(  # noqa: S603 -- our own host
        [sys.executable, "-P", str(HOST)],
        env={
            **VARIABLES,
            "PYTHONPATH": str(directory),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
            "FAIREXIT_WORKERS": str(directory / "workers"),
            "_HANDLER": "slow.dawdle",
        },
    )
    try:
        yield api
    finally:
        process.kill()
        process.wait()
        api.events.put(("", None))
        api.shutdown()
        api.server_close()


def the_worker(directory: Path, state: str) -> Worker:
    """Waits until there is one that does this."""
    deadline = time.monotonic() + PATIENT_SECONDS
    while time.monotonic() < deadline:
        for one in workers(directory):
            if one.state == state:
                return one
        time.sleep(0.01)
    raise AssertionError(workers(directory))


def test_a_kill_in_the_middle_of_an_event_is_known_as_one(tmp_path: Path) -> None:
    with hosted(tmp_path) as api:
        api.events.put(("first", 0))
        api.reports.get(timeout=PATIENT_SECONDS)
        idle = the_worker(tmp_path, "idle")
        api.events.put(("second", 600))
        busy = the_worker(tmp_path, "at_work")
        assert busy == Worker(idle.pid, "hello", "at_work")
        assert kill(tmp_path, idle) == busy
        assert kill(tmp_path, busy) is None
        assert workers(tmp_path) == []


def test_who_has_no_event_is_killed_idle(tmp_path: Path) -> None:
    with hosted(tmp_path):
        idle = the_worker(tmp_path, "idle")
        assert kill(tmp_path, idle) == idle
