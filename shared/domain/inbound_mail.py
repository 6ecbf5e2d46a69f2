"""An inbound mail as facts: read with the standard library, whatever is broken about it.

Nothing here raises on a message: what cannot be read is missing, and what is missing is answered.
"""

import email
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# What the header parser of the standard library is known to raise on headers that nobody meant.
_UNREADABLE = (
    MessageError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    RecursionError,
)
MAX_TEXT = 20_000
MAX_ATTACHMENTS = 10
# Deeper than any mail client nests; a bomb of parts ends here.
_MAX_PARTS = 200


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail: its name as given, its declared type, its bytes."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InboundMail:
    """What a message says of itself; `sender` is the one address of its From, or None.

    `headers` has each header that tells a machine's mail from a person's, by lower-case name.
    """

    sender: str | None
    subject: str
    text: str
    attachments: tuple[Attachment, ...]
    headers: dict[str, tuple[str, ...]]
    type: str
    report: str | None
    left_out: int = 0

    def header(self, name: str) -> str:
        """The first header of that name, or nothing."""
        found = self.headers.get(name)
        return found[0] if found else ""


def read_mail(raw: bytes) -> InboundMail:
    """The facts of a message in the form in which it came (RFC 5322)."""
    message = email.message_from_bytes(raw, policy=policy.default)
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in message.raw_items():
        headers[name.lower()] = (*headers.get(name.lower(), ()), str(value))
    texts: list[str] = []
    pages: list[str] = []
    files: list[Attachment] = []
    for part in _parts(message):
        _take(part, texts, pages, files)
    text = "\n".join(texts) if texts else "\n".join(_page_text(page) for page in pages)
    return InboundMail(
        sender=_sender(headers.get("from", ())),
        subject=_decoded(headers.get("subject", ("",))[0]),
        text=text.replace("\x00", "").strip()[:MAX_TEXT],
        attachments=tuple(files[:MAX_ATTACHMENTS]),
        headers=headers,
        type=_safely(message.get_content_type, "text/plain"),
        report=_safely(lambda: str(message.get_param("report-type", "")), "") or None,
        left_out=max(0, len(files) - MAX_ATTACHMENTS),
    )


def _safely(read: Callable[[], T], otherwise: T) -> T:
    try:
        return read()
    except _UNREADABLE:
        return otherwise


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that hold something, in their order; of a forwarded message its own parts."""
    for part in islice(message.walk(), _MAX_PARTS):
        if not part.is_multipart() and isinstance(part, EmailMessage):
            yield part


def _take(part: EmailMessage, texts: list[str], pages: list[str], files: list[Attachment]) -> None:
    kind = _safely(part.get_content_type, "application/octet-stream")
    name = _safely(part.get_filename, None)
    attached = _safely(part.get_content_disposition, None) == "attachment"
    if kind.startswith("multipart/"):  # without a boundary nobody can tell its parts
        kind = "text/plain"
    content = _safely(lambda: part.get_payload(decode=True), None)
    body = content if isinstance(content, bytes) else b""
    if kind in ("text/plain", "text/html") and not attached and not name:
        charset = _safely(part.get_content_charset, None) or "utf-8"
        (texts if kind == "text/plain" else pages).append(_text(body, charset))
    elif body:
        files.append(Attachment(_decoded(str(name or "unnamed"))[:255], kind, body))


def _text(body: bytes, charset: str) -> str:
    """The text of a part; a charset that is wrong or unknown costs characters, never the mail."""
    for candidate in (charset, "utf-8"):
        decoded = _safely(lambda name=candidate: body.decode(name), None)  # type: ignore[misc]
        if decoded is not None:
            return str(decoded)
    return body.decode("cp1252", "replace")


def _decoded(value: str) -> str:
    """A header with its encoded words read, on one line, without characters that show nothing."""
    plain = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    decoded = _safely(lambda: str(make_header(decode_header(plain))), plain)
    seen = "".join(c for c in decoded if c.isprintable() or c in "\t\r\n ")
    return re.sub(
        r"\s+", " ", re.sub(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff]", "", seen)
    ).strip()


def _sender(values: tuple[str, ...]) -> str | None:
    """The address of the one From that a message may have (RFC 5322, 3.6)."""
    if len(values) != 1:
        return None
    nobody: list[tuple[str, str]] = []
    line = values[0].replace("\r", "").replace("\n", "")
    found = _safely(lambda: getaddresses([line]), nobody)
    addresses = [address for _, address in found if address]
    return addresses[0] if len(addresses) == 1 and _is_address(addresses[0]) else None


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at and local and "." in domain and not re.search(r"[\s<>,;]", text))


def address_of(text: str) -> str:
    """The address in a header such as Return-Path, in lower case; empty for a null path."""
    return parseaddr(text)[1].lower()


class _PageText(HTMLParser):
    """The words of an HTML part; scripts and styles are none."""

    _SILENT = frozenset({"script", "style", "head", "title"})
    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._silent += tag in self._SILENT
        if tag in self._BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)


def _page_text(page: str) -> str:
    reader = _PageText()
    _safely(lambda: reader.feed(page), None)
    lines = ("".join(reader.words)).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())
