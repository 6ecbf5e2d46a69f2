"""`make lint` and `make test`: every check, in one order, with each one's share of the time."""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from infrastructure.local.processes import ROOT

BIN = Path(sys.executable).parent
LINTERS = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy": ["mypy", "--no-error-summary"],
    "lint-imports": ["lint-imports"],
    "cfn-lint": ["cfn-lint", "template.yaml"],
}
# What runs on the local stack mostly waits for it: both groups run at once, each on a core.
IN_MEMORY = ("unit", "application", "handlers", "infrastructure", "proof")
ON_SERVERS = ("contract", "scenarios")
STAGES = (*IN_MEMORY, *ON_SERVERS)
NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)


def lint() -> int:
    """Run all linters at once; show what failed. Return 0 when all are content, else 1."""
    begun = time.monotonic()
    running = {
        name: subprocess.Popen(
            [BIN / command[0], *command[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, command in LINTERS.items()
    }
    failed = []
    for name, process in running.items():
        output, _ = process.communicate()
        if process.returncode:
            failed.append(name)
            print(f"--- {name}\n{output.rstrip()}")
    verdict = f"failed: {', '.join(failed)}" if failed else f"content: {', '.join(LINTERS)}"
    print(f"lint {verdict} ({time.monotonic() - begun:.1f} s)", flush=True)
    return 1 if failed else 0


class StageTimes:
    """A pytest plugin: adds up the time of each stage and shows it before the closing line."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: dict[str, float] = defaultdict(float)
        self.tests: dict[str, int] = defaultdict(int)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Book a test's phase (a shared fixture counts where it is first used)."""
        stage = report.nodeid.split("/")[1]
        self.seconds[stage] += report.duration
        self.tests[stage] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the shares."""
        whole = sum(self.seconds.values()) or 1
        terminalreporter.section("share of the time")
        for stage in STAGES:
            if stage in self.seconds:
                seconds, tests = self.seconds[stage], self.tests[stage]
                share = f"{stage:15}{seconds:7.1f} s {seconds / whole:6.0%}"
                terminalreporter.write_line(f"{share}{f'{tests:7} tests' if tests else ''}")


def test(arguments: Iterable[str]) -> int:
    """Lint, then run every stage's tests, those on servers beside the others.

    Returns the worst exit status; a group in which `arguments` select nothing does not count.
    """
    if status := lint():
        return status
    options = ["--rootdir", str(ROOT), "-q", *arguments]
    with tempfile.TemporaryFile("w+") as told:
        beside = subprocess.Popen(
            [sys.executable, "-m", "infrastructure.local", "stages", ",".join(IN_MEMORY), *options],
            cwd=ROOT,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        own = stages(ON_SERVERS, options)
        other = beside.wait()
        told.seek(0)
        print(told.read(), end="", flush=True)
    return max({own, other} - {NO_TESTS}, default=NO_TESTS)


def stages(names: Iterable[str], options: Sequence[str]) -> int:
    """Run the tests of some stages; return pytest's exit status."""
    folders = [f"tests/{name}" for name in names if (ROOT / "tests" / name).is_dir()]
    return int(pytest.main([*options, *folders], plugins=[StageTimes()]))
