"""Servers tell when they die, and die with the launcher, whatever ends it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infrastructure.local.errors import LaunchError
from infrastructure.local.processes import ROOT, Server

ENOUGH_SECONDS = 20

# A stand-in for the emulator: it starts a process of its own and tells its id. The leash runs
# modules, and `timeit` is one that runs any statement.
WORK = (
    "import subprocess; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); p.wait()"
)
SERVER = ["timeit", "-n", "1", "-r", "1", WORK]
LAUNCHER = """
import pathlib, sys, time
from infrastructure.local.processes import Server
Server("A server", {server!r}, python=pathlib.Path(sys.executable), environment={{}},
       log=pathlib.Path({log!r}))
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    # What has ended but was not yet collected by its new parent counts as ended.
    state = subprocess.run(  # noqa: S603 -- a number
        ["ps", "-o", "stat=", "-p", str(pid)],  # noqa: S607 -- wherever it is
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + ENOUGH_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def worker_of(log: Path) -> int:
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))
    return int(log.read_text())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_and_its_workers_do_not_outlive_the_launcher(how, tmp_path):
    log = tmp_path / "log"
    code = LAUNCHER.format(server=SERVER, log=str(log))
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as launcher:  # noqa: S603 -- ours
        worker = worker_of(log)
        assert is_running(worker)
        launcher.send_signal(how)
    wait_for(lambda: not is_running(worker))


def test_a_server_that_ends_while_it_starts_is_reported_with_its_log(tmp_path):
    server = Server(
        "The server",
        ["no.such.module"],
        python=Path(sys.executable),
        environment={},
        log=tmp_path / "server.log",
    )
    with pytest.raises(LaunchError, match=r"The server has ended \(status 1\): .*server\.log"):
        server.wait_until_ready("http://127.0.0.1:9/")
    assert "No module named 'no'" in (tmp_path / "server.log").read_text()
    server.stop()


def test_a_missing_interpreter_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(LaunchError, match="make setup"):
        Server("It", ["m"], python=tmp_path / "python", environment={}, log=tmp_path / "log")


def test_stopping_ends_the_server_with_its_workers_and_may_be_repeated(tmp_path):
    log = tmp_path / "log"
    server = Server("It", SERVER, python=Path(sys.executable), environment={}, log=log)
    worker = worker_of(log)
    server.check()
    server.stop()
    wait_for(lambda: not is_running(worker))
    with pytest.raises(LaunchError, match="has ended"):
        server.check()
    server.stop()
