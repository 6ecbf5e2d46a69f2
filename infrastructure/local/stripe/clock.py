"""The virtual clock: the system's clock plus an offset kept in one file that others read too."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


def parse_instant(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 instant; ValueError when it has no offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset; write it as 2026-01-01T00:00:00Z")
    return instant.timestamp()


def format_instant(instant: float) -> str:
    """RFC 3339 in UTC with Z, microseconds only when there are any."""
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


class Clock:
    """Virtual now = the system's time + offset, which lives in the file `{"offset_seconds": n}`."""

    def __init__(
        self,
        path: Path | None = None,
        start: str | None = None,
        system: Callable[[], float] = time.time,
    ) -> None:
        """Takes the offset from `start` (RFC 3339), else from the file, else zero.

        With a `system` that stands still, the clock goes on only where it is moved.
        """
        self._path = path
        self._system = system
        self._frozen: float | None = None
        self._start = start
        self._offset = 0.0
        if start is None and path is not None and path.exists():
            self._offset = float(json.loads(path.read_text(encoding="utf-8"))["offset_seconds"])
        else:
            self.restart()

    @property
    def offset(self) -> float:
        """Seconds that the virtual clock is ahead of the system's."""
        return self._offset

    def now(self) -> float:
        """The virtual instant in seconds since the epoch; while something due runs, its instant."""
        return self.current() if self._frozen is None else self._frozen

    def current(self) -> float:
        """The virtual instant as others see it, also while something due runs."""
        return self._system() + self._offset

    def restart(self) -> None:
        """Back to the start instant, when there is one."""
        if self._start is not None:
            self._offset = parse_instant(self._start) - self._system()
        self._write()

    def must_be_ahead(self, instant: float) -> None:
        """ValueError for an instant that lies behind."""
        if instant < self.now():
            raise ValueError(
                f"the clock only moves forward: {format_instant(instant)} lies before"
                f" {format_instant(self.now())}"
            )

    def move_to(self, instant: float) -> None:
        """Moves forward; the clock went on during the work that led here and is never set back."""
        self._offset = max(self._offset, instant - self._system())
        self._write()

    @contextmanager
    def at(self, instant: float) -> Iterator[None]:
        """Work that was due earlier runs, and is stamped, at the instant at which it was due."""
        self._frozen = instant
        try:
            yield
        finally:
            self._frozen = None

    def _write(self) -> None:
        """Replaced in one step, so that a reader never sees half a file."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"offset_seconds": self._offset}), encoding="utf-8")
        fresh.replace(self._path)
