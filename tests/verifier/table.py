"""The verifier's verdict: what was expected beside what was observed, a row a figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import requests

RED, PLAIN = "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: computed here, and as the running system shows it."""

    who: str
    what: str
    expected: str
    observed: str

    @property
    def equal(self) -> bool:
        """Whether they are the same."""
        return self.expected == self.observed


@dataclass(slots=True)
class Table:
    """The rows in the order in which they were read."""

    rows: list[Row] = field(default_factory=list)

    def expect(self, who: str, what: str, expected: object, observed: object) -> None:
        """Add a row."""
        self.rows.append(Row(who, what, str(expected), str(observed)))

    @contextmanager
    def reading(self, who: str) -> Iterator[None]:
        """What cannot be read, or has another form than expected, is a difference too."""
        try:
            yield
        except (ValueError, LookupError, TypeError, requests.RequestException) as error:
            self.expect(who, "can be read", "yes", f"no: {type(error).__name__}: {error}")

    def differing(self) -> list[Row]:
        """The rows in which the two are not the same."""
        return [row for row in self.rows if not row.equal]

    @property
    def passed(self) -> bool:
        """Whether there are rows, and all are equal."""
        return bool(self.rows) and not self.differing()

    def lines(self, *, colour: bool = False) -> Iterator[str]:
        """The table as text; what differs is marked, and red where there is colour."""
        what = max((len(row.what) for row in self.rows), default=0)
        expected = max((len(row.expected) for row in self.rows), default=0)
        for who, rows in groupby(self.rows, key=lambda row: row.who):
            yield who
            for row in rows:
                sign = "=" if row.equal else "≠"
                text = f"  {sign} {row.what:{what}}  {row.expected:{expected}}  {row.observed}"
                yield f"{RED}{text}{PLAIN}" if colour and not row.equal else text
