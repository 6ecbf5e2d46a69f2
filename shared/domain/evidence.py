"""Evidence: what our own records say against a dispute, for the bank that decides it.

A pack is a list of sections, rendered as one document, and the texts of the bank's form. Which of
them a case needs is decided by what the dispute is about; whatever has no record is missing and is
named, never invented.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Family(StrEnum):
    """What a dispute is about, whatever the network calls it."""

    FRAUD = "fraud"
    CANCELED = "canceled"
    CREDIT = "credit"
    DUPLICATE = "duplicate"
    NOT_RECEIVED = "not_received"
    NOT_AS_DESCRIBED = "not_as_described"
    UNRECOGNIZED = "unrecognized"
    GENERAL = "general"


# The networks' own codes, by how they begin; the longest that fits counts (Stripe's code map).
_CODES: Mapping[str, Mapping[str, Family]] = {
    "visa": {
        "10": Family.FRAUD,
        "12.6": Family.DUPLICATE,
        "13.1": Family.NOT_RECEIVED,
        "13.2": Family.CANCELED,
        "13.3": Family.NOT_AS_DESCRIBED,
        "13.4": Family.NOT_AS_DESCRIBED,
        "13.5": Family.NOT_AS_DESCRIBED,
        "13.6": Family.CREDIT,
        "13.7": Family.CANCELED,
    },
    "mastercard": {
        "4837": Family.FRAUD,
        "4834": Family.DUPLICATE,
        "4841": Family.CANCELED,
        "4853": Family.NOT_AS_DESCRIBED,
        "4855": Family.NOT_RECEIVED,
        "4860": Family.CREDIT,
        "4863": Family.UNRECOGNIZED,
    },
    "amex": {
        "C02": Family.CREDIT,
        "C04": Family.CREDIT,
        "C05": Family.CANCELED,
        "C08": Family.NOT_RECEIVED,
        "C28": Family.CANCELED,
        "C31": Family.NOT_AS_DESCRIBED,
        "F": Family.FRAUD,
        "P08": Family.DUPLICATE,
    },
    "discover": {
        "AA": Family.UNRECOGNIZED,
        "AP": Family.CANCELED,
        "DP": Family.DUPLICATE,
        "RG": Family.NOT_RECEIVED,
        "RM": Family.NOT_AS_DESCRIBED,
        "RN": Family.CREDIT,
        "UA": Family.FRAUD,
    },
}
# Stripe's own reason, for codes and networks that are not listed above.
_REASONS: Mapping[str, Family] = {
    "fraudulent": Family.FRAUD,
    "subscription_canceled": Family.CANCELED,
    "credit_not_processed": Family.CREDIT,
    "duplicate": Family.DUPLICATE,
    "product_not_received": Family.NOT_RECEIVED,
    "product_unacceptable": Family.NOT_AS_DESCRIBED,
    "unrecognized": Family.UNRECOGNIZED,
}


def family_of(network: str, code: str, reason: str) -> Family:
    """What a dispute is about."""
    codes = _CODES.get(network, {})
    fitting = [begin for begin in codes if code.startswith(begin)]
    if fitting:
        return codes[max(fitting, key=len)]
    return _REASONS.get(reason, Family.GENERAL)


class Subject(StrEnum):
    """What a section of a pack is about."""

    PURCHASE = "purchase"
    CUSTOMER = "customer"
    TERMS = "terms"
    CANCELLATIONS = "cancellations"
    ACTIVITY = "activity"
    REFUNDS = "refunds"
    MESSAGES = "messages"
    EARLIER_PAYMENTS = "earlier_payments"


# Without these a pack is not complete; everything else that we have is added all the same.
NEEDED: Mapping[Family, frozenset[Subject]] = {
    Family.FRAUD: frozenset({Subject.CUSTOMER, Subject.ACTIVITY, Subject.EARLIER_PAYMENTS}),
    Family.CANCELED: frozenset({Subject.TERMS, Subject.CANCELLATIONS, Subject.ACTIVITY}),
    Family.CREDIT: frozenset({Subject.TERMS, Subject.REFUNDS}),
    Family.DUPLICATE: frozenset({Subject.PURCHASE, Subject.EARLIER_PAYMENTS}),
    Family.NOT_RECEIVED: frozenset({Subject.ACTIVITY, Subject.MESSAGES}),
    Family.NOT_AS_DESCRIBED: frozenset({Subject.TERMS, Subject.ACTIVITY}),
    Family.UNRECOGNIZED: frozenset({Subject.CUSTOMER, Subject.PURCHASE, Subject.ACTIVITY}),
    Family.GENERAL: frozenset({Subject.PURCHASE, Subject.TERMS}),
}
# Which of the form's files carries the document, so that whoever reads it looks in the right place.
FILE_FIELD: Mapping[Family, str] = {
    Family.CANCELED: "cancellation_policy",
    Family.CREDIT: "refund_policy",
    Family.DUPLICATE: "duplicate_charge_documentation",
    Family.NOT_RECEIVED: "service_documentation",
    Family.NOT_AS_DESCRIBED: "service_documentation",
}
ANY_FILE_FIELD = "uncategorized_file"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: a heading, a sentence, and rows under their column heads."""

    subject: Subject
    title: str
    text: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything that is said against one dispute.

    `fields` are the texts of the bank's form by their names at Stripe; `missing` what a case of
    this family needs and we have no record of.
    """

    dispute: str
    family: Family
    title: str
    sections: tuple[Section, ...]
    fields: Mapping[str, str]
    missing: tuple[Subject, ...]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that a case of this family needs."""
        return not self.missing


def missing_of(family: Family, sections: tuple[Section, ...]) -> tuple[Subject, ...]:
    """What a case of this family needs and no section has."""
    there = {section.subject for section in sections if not section.is_empty}
    return tuple(sorted(NEEDED[family] - there))


class EvidenceState(StrEnum):
    """Where the answer to a dispute stands with us."""

    PREPARING = "preparing"
    STAGED = "staged"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    LEFT_ALONE = "left_alone"
    MISSED = "missed"


# Nothing is decided yet: the deadline is watched.
WATCHED = frozenset({EvidenceState.PREPARING, EvidenceState.STAGED, EvidenceState.APPROVED})
# A rung that could not be acted on is looked at again after this.
LOOK_AGAIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Our answer to one dispute; its id is the dispute's.

    `sealed` is the pack, content of the customer. `submissions` is how often evidence had been
    submitted when this was staged: a further one means that somebody else has answered.
    `respond_by` is the bank's deadline, `submit_by` ours before it, `reminders` what is still to
    be said until then.
    """

    id: str
    customer: str
    state: EvidenceState
    family: Family
    opened_at: datetime
    respond_by: datetime
    submit_by: datetime
    reminders: tuple[datetime, ...] = ()
    submissions: int = 0
    missing: tuple[str, ...] = ()
    sealed: bytes = b""
    file: str | None = None
    built_at: datetime | None = None
    staged_at: datetime | None = None
    approved_by: str | None = None
    submitted_at: datetime | None = None
    looking_until: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When it has to be looked at; None when nothing can be done any more."""
        if self.state not in WATCHED:
            return None
        nexts = (*self.reminders[:1], self.submit_by)
        soonest = min(nexts)
        return max(filter(None, (soonest, self.looking_until)))

    def reminded(self, now: datetime) -> "Evidence":
        """The evidence with the reminders behind it whose time has come."""
        return replace(self, reminders=tuple(at for at in self.reminders if at > now))


@dataclass(frozen=True, slots=True)
class EarlierPayment:
    """A payment that nobody disputed (minor units)."""

    id: str
    amount: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class ChargeStory:
    """What Stripe knows of the disputed payment and of whoever made it."""

    charge: str
    paid_at: datetime
    amount: int
    currency: str
    description: str
    name: str | None
    email: str | None
    address: str | None
    receipt: str | None
    earlier: tuple[EarlierPayment, ...] = ()


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """Something that the customer did with the service, as the company's systems saw it."""

    at: datetime
    what: str
    ip: str | None = None
    device: str | None = None
    item: str | None = None


# Some disputes come 540 days after the payment.
ACTIVITY_KEPT = timedelta(days=560)


@dataclass(frozen=True, slots=True)
class Activity:
    """A batch of such events, sealed: they name places and devices."""

    id: str
    customer: str
    first_at: datetime
    last_at: datetime
    count: int
    sealed: bytes = field(repr=False, default=b"")

    @property
    def forget_at(self) -> datetime:
        """When no dispute can ask for it any more."""
        return self.last_at + ACTIVITY_KEPT
