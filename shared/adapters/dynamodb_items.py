"""Records to items and back: one place knows the keys of the table.

An item is the record's fields beside `pk`, `sk`, `version`, `incarnation`, `livemode` and, where
they apply, `due_shard` and `due_at` (the due index) and `expires_at` (the table's TTL).
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from shared.domain.account import Account
from shared.domain.approval_limits import Grants
from shared.domain.arrears import Arrears
from shared.domain.cancellation import Cancellation
from shared.domain.controls import Controls, Spent
from shared.domain.credit_batch import CreditBatch, CreditProposal
from shared.domain.declaration import Declaration, MatchedDeclaration
from shared.domain.dispute import Dispute
from shared.domain.dispute_result import DisputeResult
from shared.domain.early_warning import EarlyWarning
from shared.domain.effects import Effect
from shared.domain.errors import BrokenInvariantError, InvalidRequestError
from shared.domain.evidence import Activity, Evidence
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.incident import Incident
from shared.domain.ledger import LedgerEntry
from shared.domain.mail_trouble import MailTrouble
from shared.domain.network_month import MonthOfPayments
from shared.domain.payment import Payment
from shared.domain.privacy import PrivacyChoices, PrivacyRequest
from shared.domain.privacy_records import (
    AccessEntry,
    Announcement,
    BreachReport,
    Login,
    Notice,
    PurgeReport,
)
from shared.domain.receivable import Receivable
from shared.domain.records import (
    Assessment,
    AuditEntry,
    CaseNote,
    ClientKey,
    EventMark,
    Identity,
    Quote,
)
from shared.domain.refund_case import QueuedCase, RefundCase
from shared.domain.refund_operation import RefundOperation
from shared.domain.served_item import ServedItem
from shared.domain.subscription import Subscription
from shared.domain.tally import Tally
from shared.domain.upload import Upload

R = TypeVar("R")

# Sixteen index partitions take 16,000 due writes a second; a sweep reads each once.
DUE_SHARDS = tuple(f"DUE#{shard:02d}" for shard in range(16))

_CUSTOMER = "CUST#"
# What the table gives back as it was given, and most of what an item holds.
_AS_IT_IS = (str, bool, type(None))


@dataclass(frozen=True, slots=True)
class ItemKind:
    """How records of one kind are keyed: a sort-key prefix, and the fields that make the key."""

    prefix: str
    key_of: Callable[[Any], tuple[str, ...]]


_KINDS: dict[type, ItemKind] = {
    Account: ItemKind("ACCOUNT", lambda r: (r.customer,)),
    Subscription: ItemKind("SUB#", lambda r: (r.customer, r.id)),
    ServedItem: ItemKind("SERVED#", lambda r: (r.customer, r.id)),
    Incident: ItemKind("INCIDENT#", lambda r: (r.customer, r.id)),
    CreditBatch: ItemKind("BATCH#", lambda r: (r.customer, r.id)),
    CreditProposal: ItemKind("PROPOSAL#", lambda r: (r.customer, r.id)),
    Declaration: ItemKind("DECLARATION#", lambda r: (r.customer, r.id)),
    MatchedDeclaration: ItemKind("DECLARED#", lambda r: (r.customer, r.id)),
    Tally: ItemKind("TALLY#", lambda r: (r.customer, r.name, r.since.isoformat())),
    Payment: ItemKind("PAYMENT#", lambda r: (r.customer, r.id)),
    Quote: ItemKind("QUOTE#", lambda r: (r.customer, r.id)),
    Cancellation: ItemKind("CANCELLATION#", lambda r: (r.customer, r.id)),
    RefundCase: ItemKind("CASE#", lambda r: (r.customer, r.id)),
    Assessment: ItemKind("ASSESSMENT#", lambda r: (r.customer, r.id)),
    CaseNote: ItemKind("NOTE#", lambda r: (r.customer, r.id)),
    Upload: ItemKind("UPLOAD#", lambda r: (r.customer, r.id)),
    QueuedCase: ItemKind("QUEUED#", lambda r: (r.customer, r.id)),
    RefundOperation: ItemKind("REFUND#", lambda r: (r.customer, r.id)),
    ForeignRefund: ItemKind("FOREIGN#", lambda r: (r.customer, r.id)),
    Dispute: ItemKind("DISPUTE#", lambda r: (r.customer, r.id)),
    Arrears: ItemKind("ARREARS#", lambda r: (r.customer, r.id)),
    Receivable: ItemKind("RECEIVABLE#", lambda r: (r.customer, r.id)),
    EarlyWarning: ItemKind("WARNING#", lambda r: (r.customer, r.id)),
    Evidence: ItemKind("EVIDENCE#", lambda r: (r.customer, r.id)),
    Activity: ItemKind("ACTIVITY#", lambda r: (r.customer, r.id)),
    DisputeResult: ItemKind("RESULT#", lambda r: (r.customer, r.id)),
    MonthOfPayments: ItemKind("PAYMENTS#", lambda r: (r.customer, r.id)),
    Effect: ItemKind("EFFECT#", lambda r: (r.customer, r.id)),
    MailTrouble: ItemKind("MAIL#", lambda r: (r.customer, r.id)),
    Controls: ItemKind("CONTROLS", lambda r: (r.customer,)),
    Grants: ItemKind("GRANTS", lambda r: (r.customer,)),
    Spent: ItemKind("SPENT#", lambda r: (r.customer, r.window, sortable(r.since))),
    LedgerEntry: ItemKind("LEDGER#", lambda r: (r.customer, r.id)),
    AuditEntry: ItemKind("AUDIT#", lambda r: (r.customer, f"{r.sequence:010d}")),
    EventMark: ItemKind("EVENT#", lambda r: (r.customer, r.id)),
    ClientKey: ItemKind("KEY#", lambda r: (r.customer, r.route, r.key)),
    Login: ItemKind("LOGIN#", lambda r: (r.customer, r.issuer, r.subject)),
    PrivacyRequest: ItemKind("PRIVACY#", lambda r: (r.customer, r.id)),
    PrivacyChoices: ItemKind("CHOICES", lambda r: (r.customer,)),
    AccessEntry: ItemKind("SEEN#", lambda r: (r.customer, r.id)),
    Announcement: ItemKind("ANNOUNCEMENT#", lambda r: (r.customer, r.id)),
    Notice: ItemKind("NOTICE#", lambda r: (r.customer, r.id)),
    BreachReport: ItemKind("BREACH#", lambda r: (r.customer, r.id)),
    PurgeReport: ItemKind("PURGED#", lambda r: (r.customer, r.id)),
    Identity: ItemKind("IDENTITY#", lambda r: (r.issuer, r.subject)),
}


def key(kind: type, *parts: str) -> tuple[str, str]:
    """The `(pk, sk)` of a record; the customer comes first where it has one."""
    prefix = _KINDS[kind].prefix
    owner = prefix if kind is Identity else _CUSTOMER
    return owner + parts[0], prefix + "#".join(parts[1:])


def key_of(record: object) -> tuple[str, str]:
    """The `(pk, sk)` of a record that exists."""
    return key(type(record), *_KINDS[type(record)].key_of(record))


def kinds() -> tuple[type, ...]:
    """Every kind of record that is stored."""
    return tuple(_KINDS)


def prefix(kind: type) -> str:
    """What the sort keys of a kind begin with."""
    return _KINDS[kind].prefix


def parse_key(pk: str, sk: str) -> tuple[type, str, str]:
    """The kind, customer and id behind a key of the due index."""
    for kind, item in _KINDS.items():
        if item.prefix.endswith("#") and sk.startswith(item.prefix):
            return kind, pk.removeprefix(_CUSTOMER), sk.removeprefix(item.prefix)
    raise BrokenInvariantError(f"a key of no kind: {sk}")


def kind_of(sk: str) -> type[Any]:
    """The kind of record that a sort key belongs to."""
    for kind, item in _KINDS.items():
        if sk == item.prefix or (item.prefix.endswith("#") and sk.startswith(item.prefix)):
            return kind
    raise BrokenInvariantError(f"a key of no kind: {sk}")


def sortable(at: datetime) -> str:
    """An instant as text that sorts in time."""
    return at.isoformat(timespec="microseconds")


def to_item(record: object, *, version: int, incarnation: int, livemode: bool) -> dict[str, Any]:
    """The whole item that stores `record` as `version`."""
    pk, sk = key_of(record)
    item: dict[str, Any] = msgspec.to_builtins(record)
    item |= {
        "pk": pk,
        "sk": sk,
        "version": version,
        "incarnation": incarnation,
        "livemode": livemode,
    }
    # A key of an index may be absent but not null.
    item.pop("due_at", None)
    due_at: datetime | None = getattr(record, "due_at", None)
    if due_at is not None:
        item["due_shard"] = _shard(record, pk + sk)
        item["due_at"] = sortable(due_at)
    forget_at: datetime | None = getattr(record, "forget_at", None)
    if forget_at is not None:
        item["expires_at"] = int(forget_at.timestamp())
    return item


def queue_shard(queue: str) -> str:
    """The partition of the due index that holds a queue of people's work; nothing sweeps it."""
    return f"QUEUE#{queue}"


def cursor(item: Mapping[str, Any]) -> str:
    """Where a page of a queue ended, as text for whoever asks for the next one."""
    parts = [item["due_at"], item["pk"], item["sk"]]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def cursor_key(queue: str, after: str) -> dict[str, str]:
    """The key behind a cursor.

    Raises:
        InvalidRequestError: it is none.
    """
    try:
        due_at, pk, sk = json.loads(base64.b64decode(after, altchars=b"-_", validate=True))
        parse_key(pk, sk)
        datetime.fromisoformat(due_at)
    except (ValueError, TypeError, AttributeError, BrokenInvariantError) as error:
        fault = {"path": "after", "message": "not a cursor of this queue"}
        raise InvalidRequestError(
            "invalid-request", "There is no such page.", {"errors": [fault]}
        ) from error
    return {"due_shard": queue_shard(queue), "due_at": due_at, "pk": pk, "sk": sk}


def _shard(record: object, key: str) -> str:
    queue: str | None = getattr(record, "queue", None)
    if queue is not None:
        return queue_shard(queue)
    # A checksum, not hash(): the shard must be the same in every process.
    return DUE_SHARDS[zlib.crc32(key.encode()) % len(DUE_SHARDS)]


def from_item(kind: type[R], item: Mapping[str, Any]) -> R:
    """The record of `kind` in an item; numbers come back as the integers they were.

    Raises:
        BrokenInvariantError: the item does not hold such a record.
    """
    try:
        return msgspec.convert(_plain(item), kind)
    except msgspec.ValidationError as error:
        raise BrokenInvariantError(f"item {item.get('sk')}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, _AS_IT_IS):
        return value
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
