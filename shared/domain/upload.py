"""Uploads: what a customer sends to support a case, and which content is taken.

The type is found in the bytes themselves; what is claimed for them must agree. Nothing that a
browser would run is taken: no HTML, no SVG, no archives.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# API Gateway hands a function's answer on up to 6 MB, and base64 takes a third more.
MAX_BYTES = 4 * 1024 * 1024
MAX_PER_CASE = 20
UPLOAD_LIFETIME = timedelta(minutes=15)

# What shows who somebody is: looked at once, by few, and gone first.
IDENTITY_DOCUMENT = "identity_document"
DOCUMENT_KEPT = timedelta(days=30)
# An answered case may be reopened within a year.
UPLOAD_KEPT = timedelta(days=365)


class ContentType(StrEnum):
    """What is taken."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    CSV = "text/csv"
    TEXT = "text/plain"


_SIGNATURES = {
    ContentType.PDF: b"%PDF-",
    ContentType.PNG: b"\x89PNG\r\n\x1a\n",
    ContentType.JPEG: b"\xff\xd8\xff",
}
# What a text must not begin with: a browser that guesses would run it.
_MARKUP = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml")


class UploadState(StrEnum):
    """The life of an upload."""

    OFFERED = "offered"
    STORED = "stored"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: where it may go, and what came of it. `sha256` is of the content as it came.

    `delete_at` is when its file goes: its term, or later while a legal hold keeps it.
    """

    id: str
    customer: str
    refund_case: str
    kind: str
    content_type: ContentType
    size: int
    state: UploadState
    offered_at: datetime
    offered_to: str
    sha256: str | None = None
    stored_at: datetime | None = None
    reason: str | None = None
    delete_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When its file is to be deleted; None without one."""
        return self.delete_at if self.state is UploadState.STORED else None

    @property
    def is_identity_document(self) -> bool:
        """Whether only few may look at it, and not for long."""
        return self.kind == IDENTITY_DOCUMENT

    @property
    def sealed_name(self) -> str:
        """Where it is kept, below its customer."""
        return f"evidence/{self.id}"

    @property
    def incoming(self) -> str:
        """Where it is uploaded to; it stays there for a moment only."""
        return f"{self.customer}/{self.id}"

    @property
    def sealed(self) -> str:
        """Where it is kept, sealed."""
        return f"{self.customer}/{self.sealed_name}"

    def stored(self, sha256: str, size: int, at: datetime) -> "Upload":
        """The upload as it was taken."""
        state = UploadState.STORED
        gone = at + (DOCUMENT_KEPT if self.is_identity_document else UPLOAD_KEPT)
        kept = replace(self, state=state, sha256=sha256, size=size, stored_at=at)
        return kept.kept_until(gone)

    def kept_until(self, at: datetime) -> "Upload":
        """The upload whose file is looked at again then."""
        return replace(self, delete_at=at)

    def expired(self) -> "Upload":
        """The upload whose file is gone."""
        return replace(self, state=UploadState.EXPIRED)

    def refused(self, reason: str) -> "Upload":
        """The upload as it was refused."""
        return replace(self, state=UploadState.REFUSED, reason=reason)


def content_type_of(content: bytes) -> ContentType | None:
    """What content is by its own bytes; None for what is not taken."""
    for content_type, signature in _SIGNATURES.items():
        if content.startswith(signature):
            return content_type
    return None if _refuse_text(content) else ContentType.TEXT


def refuse_content(content: bytes, content_type: ContentType) -> str | None:
    """Why this content is not taken as `content_type`; None when it is."""
    if not content:
        return "it is empty"
    if len(content) > MAX_BYTES:
        return f"it is larger than {MAX_BYTES} bytes"
    signature = _SIGNATURES.get(content_type)
    if signature is None:
        return _refuse_text(content)
    return None if content.startswith(signature) else f"its bytes are not {content_type}"


def _refuse_text(content: bytes) -> str | None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    if b"\x00" in content:
        return "it is not text"
    head = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    if head.startswith(_MARKUP):
        return "it is markup, not text"
    return None
