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


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: where it may go, and what came of it. `sha256` is of the content as it came."""

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

    @property
    def incoming(self) -> str:
        """Where it is uploaded to; it stays there for a moment only."""
        return f"{self.customer}/{self.id}"

    @property
    def sealed(self) -> str:
        """Where it is kept, sealed."""
        return f"{self.customer}/evidence/{self.id}"

    def stored(self, sha256: str, size: int, at: datetime) -> "Upload":
        """The upload as it was taken."""
        state = UploadState.STORED
        return replace(self, state=state, sha256=sha256, size=size, stored_at=at)

    def refused(self, reason: str) -> "Upload":
        """The upload as it was refused."""
        return replace(self, state=UploadState.REFUSED, reason=reason)


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
