"""A declaration made without signing in: a withdrawal or a cancellation, and what it led to.

It counts from the instant at which it came in. Who it is about is not taken from what it says: it
is matched by a confirmed mail address, or by staff.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# Long enough for a mailbox that is read on weekends, short enough to be of no use to anybody later.
CODE_LIFETIME = timedelta(days=7)
MAX_TRIES = 5


class DeclarationKind(StrEnum):
    """What is declared."""

    WITHDRAWAL = "withdrawal"
    CANCELLATION = "cancellation"


class DeclarationState(StrEnum):
    """The life of a declaration; `refused` is one that the contract has no place for any more."""

    RECEIVED = "received"
    CONFIRMED = "confirmed"
    MATCHED = "matched"
    CARRIED_OUT = "carried_out"
    REFUSED = "refused"


OPEN = frozenset({DeclarationState.RECEIVED, DeclarationState.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration; `sealed` holds what was declared: name, contract, mail address, words.

    `customer` is the partition of its own, `of_customer` and `subscription` whom it was matched
    with, `result` the case or the cancellation that it led to.
    """

    id: str
    customer: str
    kind: DeclarationKind
    state: DeclarationState
    received_at: datetime
    sealed: bytes
    code_digest: str
    tries: int = 0
    of_customer: str | None = None
    subscription: str | None = None
    matched_by: str | None = None
    result: str | None = None
    reason: str | None = None
    queue = "declarations"

    @property
    def due_at(self) -> datetime | None:
        """Where it stands in the staff's list; nowhere once it is matched."""
        return self.received_at if self.state in OPEN else None

    def answers(self, code: str, now: datetime) -> bool:
        """Whether this is its code, in time and within the tries."""
        alive = now < self.received_at + CODE_LIFETIME and self.tries < MAX_TRIES
        return alive and hmac.compare_digest(self.code_digest, digest_of_code(code))

    def tried(self) -> "Declaration":
        """With one more wrong code."""
        return replace(self, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class MatchedDeclaration:
    """A declaration with the customer whom it was matched with, so that copy and erasure find it.

    `sealed` is what was declared, once more, under that customer's key; empty once they are erased.
    """

    id: str
    customer: str
    kind: DeclarationKind
    received_at: datetime
    sealed: bytes


def partition_of(declaration: str) -> str:
    """The partition of a declaration."""
    return f"declaration:{declaration}"


def digest_of_code(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()
