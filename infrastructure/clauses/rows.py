"""The rows of `docs/clauses.md`: what the product is obliged to, and how far it has come."""

import re
from dataclasses import dataclass

ROW = re.compile(r"^\| `(?P<id>[a-z]+\.[a-z_]+)` \|.*\| (?P<state>[^|]+) \|$", re.MULTILINE)
WORKING = "working"
STATE = re.compile(rf"(?P<state>{WORKING}|waits for \w+)(; .+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """An obligation; ``state`` is working, or waits for a part of the product."""

    id: str
    state: str

    @property
    def works(self) -> bool:
        """Whether it must be proven now."""
        return self.state == WORKING


def read_rows(text: str) -> dict[str, Row]:
    """The rows of the tables by id, in their order; ValueError where one has no plain state."""
    rows: dict[str, Row] = {}
    for found in ROW.finditer(text):
        name, state = found["id"], STATE.fullmatch(found["state"])
        if state is None or name in rows:
            raise ValueError(f"{name}: one row, whose state is 'working' or 'waits for PART'")
        rows[name] = Row(name, state["state"])
    return rows
