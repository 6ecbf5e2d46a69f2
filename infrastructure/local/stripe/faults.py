"""Misbehaviour on demand: which fault strikes which request or delivery, and an audit of it.

A kind of fault is a name in KINDS and one question at the place where it strikes.
"""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any

from infrastructure.local.stripe.state import Json

KINDS = {
    # before anything is done
    "latency": "answer `seconds` later; the key is in flight until then",
    "cut_before_commit": "close the connection, having done nothing",
    "conflict": "409: the key is in use by another request",
    "rate_limited": "429 that does not say whether to try again",
    "rate_limited_retry": "429 with Stripe-Should-Retry: true",
    "error_before_commit": "500, having done nothing; the key stays free",
    "bad_gateway": "502 with an HTML page, having done nothing",
    # once it is done
    "commit_then_cut": "commit the request, then close the connection without an answer",
    "partial_body": "commit the request, then close the connection within the answer",
    "error_after_commit": "commit the request and answer 500, which the key remembers",
    # webhooks; `path` is the event's type
    "never_generated": "the event does not come to be",
    "dropped": "the webhook is never sent",
    "duplicate_deliveries": "deliver the webhook twice",
    "delayed": "deliver the webhook `seconds` later",
    "shuffled": "deliver the webhook up to `seconds` later, so that others come first",
    "stale_timestamp": "sign the webhook as of ten minutes ago",
    "old_api_version": "send the webhook as an endpoint of an older API version would get it",
    "wrong_secret": "sign the webhook with a secret that nobody knows, as a rolled one may be",
}
# These strike once unless they are told otherwise; the others as long as they are in force.
ONCE = {"commit_then_cut"}
SECONDS = 0.5


@dataclass(slots=True)
class Fault:
    """A fault in force: `times` None means without end; `probability` is drawn from `seed`.

    `after` lets that many matching calls pass first: 2 strikes the third.
    """

    kind: str
    method: str | None = None
    path: str = "*"
    times: int | None = None
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float = SECONDS
    fired: int = 0
    random: Random = field(init=False, repr=False)
    _passed: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311 -- repeatable, not secret

    def strikes(self, method: str, path: str) -> bool:
        """Whether it strikes now; counts when it does."""
        if self.method not in (None, method) or not fnmatchcase(path, self.path):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        self._passed += 1
        if self._passed <= self.after or self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def describe(self) -> Json:
        """For `GET /_local/faults`."""
        names = ("kind", "method", "path", "times", "after", "probability", "seed", "fired")
        return {name: getattr(self, name) for name in names}


KNOWN = {"kind", "method", "path", "times", "after", "probability", "seed", "seconds"}


class Faults:
    """The faults in force, and what they did."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self.audit: list[Json] = []
        self._lock = threading.Lock()

    def add(self, document: dict[str, Any]) -> Fault:
        """Puts a fault in force; ValueError names what is wrong with the document.

        `path` is exact or has `*`. `times` is 1 for a cut unless a probability is given, and
        without end otherwise.
        """
        if document.get("kind") not in KINDS or not document.keys() <= KNOWN:
            raise ValueError(
                f"a fault is {{{', '.join(sorted(KNOWN))}}} with kind one of {sorted(KINDS)}"
            )
        if document["kind"] in ONCE and "probability" not in document:
            document = {"times": 1, **document}
        fault = Fault(**document)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """No fault is in force any more; the audit stays."""
        self.active.clear()

    def strike(self, kind: str, method: str, path: str) -> Fault | None:
        """The fault of this kind that strikes here, if any; it goes into the audit."""
        with self._lock:
            for fault in self.active:
                if fault.kind == kind and fault.strikes(method, path):
                    self.audit.append({"kind": kind, "method": method, "path": path})
                    return fault
        return None
