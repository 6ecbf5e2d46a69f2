"""Misbehaviour on demand: which fault strikes which request or delivery, and an audit of it.

A kind of fault is a name in KINDS and one question at the place where it strikes.
"""

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from infrastructure.local.stripe.state import Json

KINDS = {
    "commit_then_cut": "commit the request, then close the connection without an answer",
    "duplicate_deliveries": "deliver the webhook twice",
}


@dataclass(slots=True)
class Fault:
    """A fault in force: `times` None means without end; `probability` is drawn from `seed`."""

    kind: str
    method: str | None = None
    path: str = "*"
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    fired: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 -- repeatable, not secret

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes now; counts when it does."""
        if self.method not in (None, method) or not fnmatchcase(path, self.path):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self._random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def describe(self) -> Json:
        """For `GET /_local/faults`."""
        names = ("kind", "method", "path", "times", "probability", "seed", "fired")
        return {name: getattr(self, name) for name in names}


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, document: dict[str, Any]) -> Fault:
        """Puts a fault in force; ValueError names what is wrong with the document.

        `path` is exact or has `*`; for webhooks it is the event's type. `times` is 1 for a cut
        unless a probability is given, and without end otherwise.
        """
        known = {"kind", "method", "path", "times", "probability", "seed"}
        if document.get("kind") not in KINDS or not document.keys() <= known:
            message = f"a fault is {{{', '.join(sorted(known))}}} with kind one of {sorted(KINDS)}"
            raise ValueError(message)
        if document["kind"] == "commit_then_cut" and "probability" not in document:
            document = {"times": 1, **document}
        fault = Fault(**document)
        self.active.append(fault)
        return fault

    def strike(self, kind: str, method: str, path: str) -> bool:
        """Whether a fault of this kind strikes here."""
        return any(fault.kind == kind and fault.strikes(method, path) for fault in self.active)
