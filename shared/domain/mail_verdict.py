"""What an inbound mail is: a request that may be looked at, or why it is left alone or answered.

A mail proves who sent it or it opens nothing. A machine's mail is never answered, so that two
machines never talk to each other (RFC 3834).
"""

import contextlib
import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.inbound_mail import InboundMail, address_of

# A mail that has passed more hosts than this goes round in a circle.
MAX_HOPS = 30
# What mail clients write before the subject of an answer or a forwarded mail, in many languages.
_PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|antw|sv|vs|ref|r|fwd?|wg|tr|rv|enc|i|vb|vl|pd|odp)\s*(?:\[\d+\]|\(\d+\))?\s*:"
    r"|\[(?:external|extern|ext|spam\??)\])\s*",
    re.IGNORECASE,
)
_MACHINES = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?[+=-].*|bounces?)@",
    re.IGNORECASE,
)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponder", "list-id", "list-unsubscribe")


class Verdict(StrEnum):
    """What SES says of a check; everything but a pass proves nothing."""

    PASS = "PASS"  # noqa: S105 - SES's word
    FAIL = "FAIL"
    GRAY = "GRAY"
    PROCESSING_FAILED = "PROCESSING_FAILED"
    DISABLED = "DISABLED"


class MailKind(StrEnum):
    """What a mail is; only a request goes on."""

    REQUEST = "request"
    NO_INVOICE_NUMBER = "no_invoice_number"
    UNPROVEN = "unproven"
    LOOP = "loop"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    HARMFUL = "harmful"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class MailReceipt:
    """How SES received a message: its verdicts, and the address in the envelope (empty: null)."""

    message: str
    envelope_from: str
    spf: Verdict
    dkim: Verdict
    dmarc: Verdict
    spam: Verdict
    virus: Verdict


@dataclass(frozen=True, slots=True)
class JudgedMail:
    """A mail's kind, and the invoice number that its subject names."""

    kind: MailKind
    invoice_number: str | None = None


def judge_mail(
    mail: InboundMail, receipt: MailReceipt, *, own_address: str, subject: str
) -> JudgedMail:
    """What a mail is.

    Args:
        mail: what it says of itself.
        receipt: what SES says of it.
        own_address: the address that our own mails come from.
        subject: the policy's form, ``Refund Request: {invoice}``.
    """
    number = invoice_number(mail.subject, subject)
    if Verdict.FAIL in (receipt.virus, receipt.spam):
        return JudgedMail(MailKind.HARMFUL, number)
    if mail.sender is None:
        kind = MailKind.BOUNCE if _is_bounce(mail, receipt) else MailKind.UNREADABLE
        return JudgedMail(kind, number)
    if same_address(mail.sender, own_address) or len(mail.headers.get("received", ())) > MAX_HOPS:
        return JudgedMail(MailKind.LOOP, number)
    if _is_bounce(mail, receipt):
        return JudgedMail(MailKind.BOUNCE, number)
    if _is_automatic(mail):
        return JudgedMail(MailKind.AUTOMATIC, number)
    if not proves_sender(mail, receipt):
        return JudgedMail(MailKind.UNPROVEN, number)
    return JudgedMail(MailKind.REQUEST if number else MailKind.NO_INVOICE_NUMBER, number)


def invoice_number(subject: str, form: str) -> str | None:
    """The invoice number in a subject of the policy's form, however often it was answered."""
    bare = subject
    while (shorter := _PREFIX.sub("", bare, count=1)) != bare:
        bare = shorter
    before, _, after = form.partition("{invoice}")
    wanted = r"\s*".join(re.escape(word) for word in re.findall(r"\w+|[^\w\s]", before))
    tail = re.escape(after.strip())
    number = r"[#\"'<\[(]?\s*([A-Za-z0-9][A-Za-z0-9._/#-]{0,63}?)\s*[\"'>\])]?"
    found = re.fullmatch(rf"\s*{wanted}\s*{number}\s*{tail}[.!]?\s*", bare, re.IGNORECASE)
    return found[1] if found else None


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are one mailbox: case has never told two people apart in practice."""
    return normal_address(one) == normal_address(other)


def normal_address(address: str) -> str:
    """An address in the form in which addresses are compared."""
    local, _, domain = address.strip().rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local.casefold()}@{domain.lower()}"


def sender_key(address: str) -> str:
    """What stands for an address where it must not be kept: the same for the same mailbox."""
    return "sender:" + hashlib.sha256(normal_address(address).encode()).hexdigest()[:32]


def proves_sender(mail: InboundMail, receipt: MailReceipt) -> bool:
    """Whether the From address is who sent this.

    A pass of DMARC says so. Where a domain publishes no DMARC policy (GRAY), SPF or DKIM have to
    pass for the very domain in From: a pass for another domain says who relayed, not who wrote.
    """
    if mail.sender is None or receipt.dmarc is Verdict.PASS:
        return mail.sender is not None
    if receipt.dmarc is not Verdict.GRAY:
        return False
    domain = normal_address(mail.sender).rpartition("@")[2]
    envelope = normal_address(receipt.envelope_from).rpartition("@")[2]
    if receipt.spf is Verdict.PASS and envelope == domain:
        return True
    signers = {_signer(value) for value in mail.headers.get("dkim-signature", ())}
    # One verdict stands for all signatures: it counts only if no other domain has signed.
    return receipt.dkim is Verdict.PASS and signers == {domain}


def _signer(signature: str) -> str:
    found = re.search(r"(?:^|;)\s*d\s*=\s*([^;\s]+)", signature)
    return found[1].lower() if found else ""


def _is_bounce(mail: InboundMail, receipt: MailReceipt) -> bool:
    null_path = not receipt.envelope_from or receipt.envelope_from == "<>"
    report = mail.type == "multipart/report" or mail.report == "delivery-status"
    path = mail.headers.get("return-path")
    empty = path is not None and not address_of(path[0])
    return null_path or report or empty or bool(_MACHINES.match(mail.sender or ""))


def _is_automatic(mail: InboundMail) -> bool:
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if mail.header("precedence").strip().lower() in _BULK:
        return True
    suppressed = mail.header("x-auto-response-suppress").strip().lower()
    answers = "oof" in suppressed or suppressed == "all"
    return answers or any(mail.headers.get(name) for name in _AUTOMATIC)
