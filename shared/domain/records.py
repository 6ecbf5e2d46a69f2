"""Small records that are kept beside the decisions: quotes, keys, marks, audit, identities."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.cancellation import Timing

QUOTE_LIFETIME = timedelta(minutes=15)
CLIENT_KEY_LIFETIME = timedelta(hours=24)
# Webhook retries 3 d + queue 14 d + redrive 14 d + Stripe's event list 30 d, rounded down to days.
EVENT_MEMORY = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a customer was shown: the case document it rests on and the decision's document.

    `case` is the JSON that `fairexit quote` takes, `document` the JSON that it answers, `returns`
    what goes back on each invoice, with the credit note's lines, `limits` what stood in the way of
    the money when it was quoted (JSON).
    """

    id: str
    customer: str
    subscription: str
    timing: Timing
    created_at: datetime
    valid_until: datetime
    facts_digest: str
    case: str
    document: str
    returns: str
    limits: str = '{"approval": "nobody", "delays": []}'
    used_by: str | None = None

    @property
    def unused_since(self) -> datetime | None:
        """From when an offer that nobody took is kept; None once it was executed."""
        return None if self.used_by else self.created_at


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the policy last made of a refund case, in the form of a quote; it has the case's id.

    `facts_digest` stands for everything that people agree to when they approve.
    """

    id: str
    customer: str
    assessed_at: datetime
    facts_digest: str
    case: str
    document: str
    returns: str


@dataclass(frozen=True, slots=True)
class CaseNote:
    """A text that belongs to a refund case: who wrote it and what for. The text is sealed."""

    id: str
    customer: str
    refund_case: str
    kind: str
    by: str
    at: datetime
    sealed: bytes


@dataclass(frozen=True, slots=True)
class ClientKey:
    """The first answer given to a caller's Idempotency-Key on a route."""

    customer: str
    route: str
    key: str
    body_digest: str
    status: int
    response: str
    created_at: datetime

    @property
    def forget_at(self) -> datetime:
        """When the key is free again."""
        return self.created_at + CLIENT_KEY_LIFETIME


@dataclass(frozen=True, slots=True)
class EventMark:
    """An event of Stripe's that has led to a decision, kept in that decision's transaction."""

    customer: str
    id: str
    type: str
    seen_at: datetime

    @property
    def forget_at(self) -> datetime:
        """When no path can bring that event back any more."""
        return self.seen_at + EVENT_MEMORY


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit trail: append-only, numbered without gaps within an account."""

    customer: str
    sequence: int
    at: datetime
    actor: str
    what: str
    why: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """A sign-in `(issuer, subject)` linked to a customer by a server-side step."""

    issuer: str
    subject: str
    customer: str
    linked_at: datetime
    linked_by: str
