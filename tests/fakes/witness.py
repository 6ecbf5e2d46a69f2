"""Notes what each use case asks and writes, in words that hold no id, amount or time.

The unit is a commit, and what the use case has asked its ports for since the one before.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import wraps
from types import FrameType
from typing import Any

from shared.adapters import dynamodb_items as items
from shared.domain.effects import Effect, EffectKind
from shared.domain.ledger import LedgerEntry
from shared.domain.records import AuditEntry
from shared.ports import Check, Delete, Put, Write
from tests.fakes.billing import FakeBilling
from tests.fakes.files import FakeScanner, FakeUploads
from tests.fakes.people import FakeFiles, FakePeople, FakeSignIns
from tests.fakes.services import FakeBus, FakeInbox, FakeMailer, FakeWaker
from tests.fakes.store import FakeStore
from tests.fakes.vault import FakeVault

# They only hand on: a step belongs to what they hand on to.
DISPATCHERS = ("do_due_work.py", "process_stripe_event.py")
PORTS = (
    *(FakeBilling, FakeMailer, FakeBus, FakeInbox, FakeWaker, FakeVault),
    *(FakePeople, FakeFiles, FakeSignIns, FakeUploads, FakeScanner),
)  # fmt: skip
# What names an effect's purpose, beside its kind.
PURPOSES = ("template", "name", "what")
VARIABLE = re.compile(r"\b[a-z]{2,4}_\w+|\b\d[\w.+-]*")


@dataclass(slots=True)
class Witness:
    """What each use case of a test asks and writes, by the use case."""

    steps: dict[str, set[str]] = field(default_factory=dict)
    _entry: FrameType | None = None
    _asked: set[str] = field(default_factory=set)

    def asks(self, what: str) -> None:
        """A use case reads records of a kind, or calls a port."""
        if self._enter():
            self._asked.add(what)

    def writes(self, what: str) -> None:
        """A use case has committed."""
        if self._enter():
            assert self._entry is not None
            steps = self.steps.setdefault(_name(self._entry), set())
            steps.add(f"asks {', '.join(sorted(self._asked)) or 'nothing'}")
            steps.add(what)
            self._asked = set()

    def _enter(self) -> bool:
        entry = _use_case()
        if entry is not self._entry:
            self._asked, self._entry = set(), entry
        return entry is not None


def _use_case() -> FrameType | None:
    """The outermost function of ours that is at work, beside those that only hand on."""
    frame: FrameType | None = sys._getframe(1)
    found = handing = None
    while frame is not None:
        file = frame.f_code.co_filename
        if "/shared/application/" in file:
            if file.endswith(DISPATCHERS):
                handing = frame
            else:
                found = frame
        frame = frame.f_back
    return found or handing


def _name(frame: FrameType) -> str:
    file = frame.f_code.co_filename.rpartition("/shared/application/")[2]
    return f"{file.removesuffix('.py')}:{frame.f_code.co_qualname}"


def described(writes: list[Write], table: Mapping[tuple[str, str], dict[str, Any]]) -> str:
    """A commit in words: what is new, what moves from which state, what must not have moved."""
    found = Counter(_write(write, table) for write in writes)
    lines = [f"{'several ' if number > 1 else ''}{what}" for what, number in found.items()]
    return "writes " + ("\n  ".join(["", *sorted(lines)]).lstrip(" ") or "nothing")


def _write(write: Write, table: Mapping[tuple[str, str], dict[str, Any]]) -> str:
    record, kind = write.record, type(write.record).__name__
    match write:
        case Check():
            return f"unmoved {kind}"
        case Delete():
            return f"delete {kind}"
        case Put(version=0):
            how = "new "
        case _:
            how = ""
    if type(write) is not Put:
        how = f"{type(write).__name__.lower()} "
    stored = table.get(items.key_of(record))
    before = items.from_item(type(record), stored) if stored else None
    return f"{how}{kind} {' '.join(_told(record, before))}".rstrip()


def _told(record: Any, before: Any) -> Iterator[str]:
    match record:
        case AuditEntry():
            yield f"{record.what} ({', '.join(sorted(record.details))})"
        case LedgerEntry():
            yield f"{record.what} from {record.source} to {record.target}"
        case Effect():
            yield from _effect(record, before)
        case _:
            yield from _moved(record, before)


def _moved(record: Any, before: Any) -> Iterator[str]:
    for one in fields(record):
        value = getattr(record, one.name)
        if before is None:
            if isinstance(value, Enum):
                yield str(value.value)
        elif (old := getattr(before, one.name)) != value:
            shown = f"{old.value}→{value.value}" if _both_enums(old, value) else one.name
            yield shown


def _both_enums(old: Any, value: Any) -> bool:
    return isinstance(old, Enum) and isinstance(value, Enum)


def _effect(effect: Effect, before: Effect | None) -> Iterator[str]:
    yield effect.kind.value
    yield from (str(effect.params[name]) for name in PURPOSES if name in effect.params)
    if before is None:
        inner = effect.params.get("values", effect.params.get("detail", effect.params))
        keys = inner if isinstance(inner, Mapping) and effect.kind is not EffectKind.ALERT else {}
        yield f"({', '.join(sorted(keys))})"
        return
    if before.key != effect.key:
        yield f"key {_constant(str(effect.key))}"
    yield from _moved_effect(effect, before)


def _moved_effect(effect: Effect, before: Effect) -> Iterator[str]:
    for name in _moved(effect, before):
        if name not in ("key", "sent_at", "last_sent_at", "next_attempt_at", "sent_in"):
            yield name


def _constant(text: str) -> str:
    """The text with whatever differs from case to case left out."""
    return VARIABLE.sub("#", text)


def _noting(port: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if WATCH.witness is None or WATCH.inside:
            return method(self, *args, **kwargs)
        keys = [f"{k} {_constant(kwargs[k])}" for k in ("key", "operation") if kwargs.get(k)]
        WATCH.witness.asks(f"{port}.{name}" + (f" [{', '.join(keys)}]" if keys else ""))
        WATCH.inside = True
        try:
            return method(self, *args, **kwargs)
        finally:
            WATCH.inside = False

    return noted


def _reading(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if WATCH.witness is not None:
            WATCH.witness.asks(args[0].__name__ if args and isinstance(args[0], type) else name)
        return method(self, *args, **kwargs)

    return noted


def _committing(method: Callable[..., None]) -> Callable[..., None]:
    @wraps(method)
    def noted(self: FakeStore, writes: list[Write]) -> None:
        if WATCH.witness is None:
            return method(self, writes)
        what = described(list(writes), dict(self.table))
        method(self, writes)
        WATCH.witness.writes(what)
        return None

    return noted


@dataclass(slots=True)
class _Watch:
    witness: Witness | None = None
    inside: bool = False
    installed: bool = False

    def install(self) -> None:
        """Let every fake tell the witness of the test, from now on."""
        if self.installed:
            return
        self.installed = True
        for port in PORTS:
            short = port.__name__.removeprefix("Fake").lower()
            for owner in reversed(port.__mro__[:-1]):
                for name, method in list(vars(owner).items()):
                    if callable(method) and not name.startswith("_"):
                        setattr(port, name, _noting(short, name, method))
        for name in ("get", "get_many", "all_of", "due", "queued", "scan"):
            setattr(FakeStore, name, _reading(name, getattr(FakeStore, name)))
        setattr(FakeStore, "commit", _committing(FakeStore.commit))  # noqa: B010


WATCH = _Watch()
