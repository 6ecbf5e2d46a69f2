"""The bodies that a customer sends."""

from datetime import datetime
from typing import Annotated

import msgspec

from shared.domain.facts import Ground, SettleAs
from shared.domain.upload import MAX_BYTES, ContentType

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class RefundRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A quote that needs a person, or an invoice (id or number) and a ground."""

    quote_id: Id | None = None
    invoice: Id | None = None
    ground: Ground | None = None
    statement: Text | None = None
    service_date: Instant | None = None
    amount_asked: Amount | None = None
    settle_as: SettleAs | None = None

    def __post_init__(self) -> None:
        by_invoice = self.invoice is not None and self.ground is not None
        if (self.quote_id is None) is not by_invoice or (self.quote_id and self.invoice):
            raise ValueError("either a quote_id, or an invoice and a ground")
        if self.ground is Ground.GOODWILL:
            raise ValueError("goodwill is not asked for by a customer")


class UploadRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is to be uploaded: what it shows, its content type, its size in bytes."""

    kind: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{1,39}$")]
    content_type: ContentType
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_BYTES)]


class ReplyRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the customer answers."""

    message: Text


class CallbackRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """When the customer wants to be called."""

    at: Instant
