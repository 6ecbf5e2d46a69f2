"""`make lint` and `make test`: every check, in one order, with each one's share of the time."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
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
STAGES = ("unit", "application", "contract", "handlers", "infrastructure", "proof", "scenarios")


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

    def __init__(self, lint_seconds: float) -> None:
        """Begin with what lint took."""
        self.seconds: dict[str, float] = defaultdict(float, lint=lint_seconds)
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
        for stage in ("lint", *STAGES):
            if stage in self.seconds:
                seconds, tests = self.seconds[stage], self.tests[stage]
                share = f"{stage:15}{seconds:7.1f} s {seconds / whole:6.0%}"
                terminalreporter.write_line(f"{share}{f'{tests:7} tests' if tests else ''}")


def test(arguments: Iterable[str]) -> int:
    """Lint, then run every stage's tests in one pytest run; return the exit status."""
    begun = time.monotonic()
    if status := lint():
        return status
    folders = [f"tests/{stage}" for stage in STAGES if (ROOT / "tests" / stage).is_dir()]
    times = StageTimes(time.monotonic() - begun)
    return int(pytest.main(["--rootdir", str(ROOT), "-q", *folders, *arguments], plugins=[times]))
