"""Which tests, and whether lifetimes, come through which functions of ours: who can notice a bug.

python -m infrastructure.proof.bugs.reach OUT TESTS…
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from infrastructure.proof.bugs.planting import ROOT, Change

KEPT = ROOT / ".local" / "proof-reach"
_APPLICATION = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "application").glob("test_*.py")
)
_CUT = len(_APPLICATION) * 3 // 4
# In two halves of about the same length; those of the local services and of this proof are left.
HALVES = (
    tuple(_APPLICATION[:_CUT]),
    (*_APPLICATION[_CUT:], "tests/unit", "tests/handlers"),
)
LIFETIMES = "lifetimes"
# Of the tests of one bug together; the short ones first.
MOST_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Reach:
    """Functions (`shared/application/change.py:put`) by test, with the seconds of the test."""

    seconds: Mapping[str, float]
    functions: Mapping[str, frozenset[str]]

    def by_lifetimes(self, wanted: frozenset[str]) -> bool:
        """Whether any lifetime comes through any of these functions."""
        return bool(wanted & self.functions[LIFETIMES])

    def tests(self, wanted: frozenset[str]) -> list[str]:
        """The tests that come through any of them, short ones first."""
        found = [name for name in self.seconds if wanted & self.functions[name]]
        found.sort(key=lambda name: self.seconds[name])
        kept, left = [], MOST_SECONDS
        for name in found:
            left -= self.seconds[name]
            if left < 0:
                break
            kept.append(name)
        return kept


@contextmanager
def recorded(watch: Callable[[Any], None]) -> Iterator[set[str]]:
    """The functions of ours that are called until the block ends.

    `sys.settrace` hears of calls alone and costs less; `sys.setprofile` follows into greenlets.
    """
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    names: set[str] = set()
    watch(note)
    try:
        yield names
    finally:
        watch(None)
        inside = f"{ROOT}/shared/"
        names |= {
            f"{code.co_filename[len(str(ROOT)) + 1 :]}:{code.co_name}"
            for code in codes
            if code.co_filename.startswith(inside)
        }


def changed(file: str, change: Change) -> frozenset[str]:
    """The functions that a bug changes; all of the module where it stands outside of any."""
    source = (ROOT / file).read_text(encoding="utf-8")
    before, after = _functions(ast.parse(source)), _functions(change(source))
    names = {name for (name, one), (_, two) in zip(before, after, strict=True) if one != two}
    return frozenset(f"{file}:{name}" for name in names or {name for name, _ in before})


def _functions(tree: ast.Module) -> list[tuple[str, str]]:
    return [
        (node.name, ast.dump(node)) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]


def reach() -> Reach:
    """Recorded once for a state of the code, and kept."""
    kept = KEPT / f"{_state()}.json"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob("*.json"):
            old.unlink()
        parts = [KEPT / f"part-{number}.json" for number in range(len(HALVES))]
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "infrastructure.proof.bugs.reach", str(part), *tests],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            for part, tests in zip(parts, HALVES, strict=True)
        ]
        for run in runs:
            run.wait()
        whole: dict[str, Any] = {}
        for part in parts:
            whole |= json.loads(part.read_text(encoding="utf-8"))
            part.unlink()
        kept.write_text(json.dumps(whole), encoding="utf-8")
    told = json.loads(kept.read_text(encoding="utf-8"))
    return Reach(
        {name: one["seconds"] for name, one in told.items() if name != LIFETIMES},
        {name: frozenset(one["functions"]) for name, one in told.items()},
    )


def _state() -> str:
    """A digest of the code and of its tests."""
    digest = hashlib.sha256()
    for folder in ("shared", "functions", "tests", "infrastructure/proof"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


class _Recorder:
    """A plugin of pytest: what each test that passes comes through."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self._failed: set[str] = set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begun = time.monotonic()
        with recorded(sys.settrace) as names:
            yield
        if item.nodeid not in self._failed:
            seconds = time.monotonic() - begun
            self.told[item.nodeid] = {"seconds": seconds, "functions": sorted(names)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._failed.add(report.nodeid)


def main(out: str, tests: list[str]) -> int:
    """Run the tests with the recorder; the first half goes through lifetimes too."""
    recorder = _Recorder()
    pytest.main(["-q", "-p", "no:cacheprovider", *tests], plugins=[recorder])
    if tests == list(HALVES[0]):
        recorder.told[LIFETIMES] = {"seconds": 0.0, "functions": _lived()}
    Path(out).write_text(json.dumps(recorder.told), encoding="utf-8")
    return 0


def _lived() -> list[str]:
    from infrastructure.proof.crash_points import Placements  # noqa: PLC0415
    from infrastructure.proof.flows import FLOWS  # noqa: PLC0415
    from infrastructure.proof.lifetimes import schedule_of  # noqa: PLC0415

    # Each worker is a greenlet, and the profile of a thread follows into all of them.
    with recorded(sys.setprofile) as names:
        for flow in FLOWS:
            Placements().place(flow, {})
        for number in range(100):
            schedule_of(f"hunt {number}")[1].live()
    return sorted(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
