"""Running the tests that prove clauses: once as they are, then against each change to a policy."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from _pytest.runner import runtestprotocol

from infrastructure.clauses.changes import Change
from shared.adapters import policy_files

TOLD_EVERY = 50


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that proves clauses, and the public interfaces that it used."""

    test: pytest.Item
    clauses: frozenset[str]
    interfaces: frozenset[str]

    @property
    def name(self) -> str:
        """The test's file and name."""
        return f"{self.test.path.name}::{self.test.name}"

    @property
    def runs_in_process(self) -> bool:
        """Whether it can meet a policy that was changed here, and not only in a deployed stack."""
        return self.test.get_closest_marker("stack") is None


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in sets
class Proving:
    """A pytest plugin: keeps what each test proves, and which test notices which change."""

    changes: Iterable[Change]
    proofs: list[Proof] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    noticed: list[tuple[Change, Proof | None]] = field(default_factory=list)
    _seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """After the tests as they are, those that are quick enough against every change."""
        result = yield
        self.proofs = [_proof(item) for item in session.items]
        if not self.failed:
            self._try_changes()
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what fails without any change, and how long each test takes."""
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.append(report.nodeid)
        if report.when == "teardown":
            _show(len(self._seconds), f"tests as they are, {len(self.failed)} failed")

    def _try_changes(self) -> None:
        """The tests of a clause, public interfaces and quick ones first, until one fails."""
        quick = [proof for proof in self.proofs if proof.runs_in_process]
        quick.sort(key=lambda proof: self._seconds[proof.test.nodeid])
        changes = list(self.changes)
        for number, change in enumerate(changes, 1):
            _show(number, f"of {len(changes)} changes tried, now {change.target}")
            own = [proof for proof in quick if change.target in proof.clauses]
            own.sort(key=lambda proof: not proof.interfaces)
            with _changed(change):
                # Whatever a pack's settings change, any test may notice.
                notices = next((proof for proof in own or quick if _fails(proof.test)), None)
            self.noticed.append((change, notices))
            if notices is not None:
                # What has noticed one change is likely to notice the next of its like.
                quick.remove(notices)
                quick.insert(0, notices)


def _show(number: int, progress: str) -> None:
    """Tell how far it is: on one line for somebody who looks, now and then for a log."""
    if sys.stderr.isatty():
        print(f"\r\033[K  {number} {progress}", end="", file=sys.stderr, flush=True)
    elif number % TOLD_EVERY == 0:
        print(f"  {number} {progress}", file=sys.stderr, flush=True)


def _proof(item: pytest.Item) -> Proof:
    clauses = frozenset(mark.args[0] for mark in item.iter_markers("clause"))
    interfaces = (str(value) for key, value in item.user_properties if key == "interface")
    return Proof(item, clauses, frozenset(interfaces))


@contextmanager
def _changed(change: Change) -> Iterator[None]:
    original = policy_files.read_pack
    with patch.object(policy_files, "read_pack", lambda path: change.apply(original(path))):
        yield


def _fails(test: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(test, log=False, nextitem=None))
