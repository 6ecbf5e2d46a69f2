"""The servers of the local stack as child processes that never outlive the launcher."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from infrastructure.local.errors import LaunchError

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60  # a first start on a slow disk compiles thousands of modules


class Server:
    """A module running on a leash under some interpreter, its output in a log file."""

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        *,
        python: Path,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        """Start it; `name` is how sentences speak of it.

        Raises LaunchError when the interpreter is missing.
        """
        self.name, self.log = name, log
        if not python.exists():
            raise LaunchError(f"{python} is missing: `make setup` makes it.")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(python), "-m", "infrastructure.local.leash", *module],
                cwd=ROOT,
                # Nothing of the developer's own environment (profiles, proxies, keys) gets in.
                env={"PATH": os.defpath, "LANG": "C.UTF-8", **environment},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the launcher, which then stops its children
            )

    def wait_until_ready(self, url: str) -> None:
        """Return once `url` answers 200; raise LaunchError when it ends or hangs instead."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise LaunchError(f"{self.name} did not answer within {START_SECONDS} s: see {self.log}.")

    def check(self) -> None:
        """Raise LaunchError when the process has ended."""
        status = self._process.poll()
        if status is not None:
            raise LaunchError(
                f"{self.name} has ended (status {status}): see the end of {self.log}."
            )

    def stop(self) -> None:
        """End it and everything that it started; nothing local has to be saved."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
