"""Disputes: what kind, which phase, which outcome, and what each asks of the account.

An inquiry is a question of the bank; nothing was withdrawn and nothing is suspended. A
chargeback has taken the money, and so has a compliance case. A block or a resolution that was
prevented never became one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.dispute_books import Booked, Cost


class DisputeKind(StrEnum):
    """What the bank has opened."""

    INQUIRY = "inquiry"
    CHARGEBACK = "chargeback"
    COMPLIANCE = "compliance"
    RESOLUTION = "resolution"
    BLOCK = "block"
    UNRECOGNIZED = "unrecognized"


class DisputePhase(StrEnum):
    """Where it stands; in an appeal a decision is argued over again."""

    OPEN = "open"
    UNDER_REVIEW = "under_review"
    APPEAL = "appeal"
    APPEAL_UNDER_REVIEW = "appeal_under_review"
    ENDED = "ended"
    UNRECOGNIZED = "unrecognized"


class DisputeOutcome(StrEnum):
    """How it ended; WON and LOST are seen from the company's side, CLOSED is an inquiry's end."""

    UNDECIDED = "undecided"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"
    PREVENTED = "prevented"


class Stance(StrEnum):
    """What a dispute means for the account, whatever it is called."""

    HARMLESS = "harmless"
    ARGUED = "argued"
    LOST = "lost"
    WON = "won"


class DisputeEffect(StrEnum):
    """What a newly seen state of a dispute does."""

    NOTHING = "nothing"
    RECORD = "record"
    BOOK = "book"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    TELL_LOSS = "tell_loss"
    TELL_WIN = "tell_win"
    TELL_INQUIRY = "tell_inquiry"
    PARK = "park"


# Waiting for the bank's first decision.
UNDECIDED_PHASES = frozenset({DisputePhase.OPEN, DisputePhase.UNDER_REVIEW})
# Waiting for us: evidence can be submitted.
ANSWERABLE = frozenset({DisputePhase.OPEN, DisputePhase.APPEAL})


def stance_of(kind: DisputeKind, phase: DisputePhase, outcome: DisputeOutcome) -> Stance:
    """What that means for the account."""
    match outcome:
        case DisputeOutcome.WON:
            return Stance.WON
        case DisputeOutcome.LOST:
            return Stance.LOST
        case DisputeOutcome.CLOSED | DisputeOutcome.PREVENTED:
            return Stance.HARMLESS
        case _:
            unknown = phase is DisputePhase.UNRECOGNIZED
            harmless = unknown or kind is DisputeKind.INQUIRY
            return Stance.HARMLESS if harmless else Stance.ARGUED


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute as Stripe has it now; amounts in minor units.

    `amount` and `currency` are those of the charge. What has left the company's balance and come
    back to it is in `settlement_currency`, at `rate`: `withdrawn` and `returned`, the `fee` of
    receiving it, and what countering it has cost beside that (`countering`) and brought back
    (`countering_returned`). `movements` are the balance transactions that show it.
    `refundable` is Stripe's word on refunds of the charge.
    """

    id: str
    customer: str | None
    charge: str
    payment: str | None
    kind: DisputeKind
    phase: DisputePhase
    outcome: DisputeOutcome
    raw_status: str
    amount: int
    currency: str
    withdrawn: int
    fee: int
    settlement_currency: str
    reason: str
    opened_at: datetime
    respond_by: datetime | None
    livemode: bool
    returned: int = 0
    countering: int = 0
    countering_returned: int = 0
    rate: str | None = None
    movements: tuple[str, ...] = ()
    refundable: bool = False
    network: str = ""
    reason_code: str = ""
    submissions: int = 0
    submission_method: str = ""
    intended_method: str = ""

    @property
    def stance(self) -> Stance:
        """What it means for the account."""
        return stance_of(self.kind, self.phase, self.outcome)

    @property
    def is_understood(self) -> bool:
        """Whether this version knows what it is."""
        return (
            self.phase is not DisputePhase.UNRECOGNIZED
            and self.kind is not DisputeKind.UNRECOGNIZED
        )


@dataclass(frozen=True, slots=True)
class Dispute:
    """What we know of a dispute and what we have booked for it.

    `exposure` is what may have left twice, in the charge's currency: refunds and the dispute
    together take more than was paid.
    """

    id: str
    customer: str
    charge: str
    payment: str | None
    kind: DisputeKind
    phase: DisputePhase
    outcome: DisputeOutcome
    raw_status: str
    amount: int
    currency: str
    reason: str
    opened_at: datetime
    respond_by: datetime | None
    refundable: bool = False
    network: str = ""
    reason_code: str = ""
    submissions: int = 0
    submission_method: str = ""
    intended_method: str = ""
    booked: tuple[Booked, ...] = ()
    costs: tuple[Cost, ...] = ()
    exposure: int = 0

    @property
    def stance(self) -> Stance:
        """What it means for the account."""
        return stance_of(self.kind, self.phase, self.outcome)

    @property
    def is_against_us(self) -> bool:
        """Whether the bank has the money, or argues for it."""
        return self.stance in (Stance.ARGUED, Stance.LOST)

    def booked_as(self, what: str) -> Booked | None:
        """What is booked for one part of it."""
        return next((part for part in self.booked if part.what == what), None)


def decide_dispute(
    known: Dispute | None, seen: DisputeFacts, *, books_differ: bool
) -> tuple[DisputeEffect, ...]:
    """What the dispute's present state asks for, given what was already acted on.

    Depends on states, never on which event arrived or in which order: an inquiry that has become
    a chargeback is treated as a chargeback opened now, a repeated state does nothing.

    Args:
        known: our record, None when this dispute is new.
        seen: the dispute fetched just now.
        books_differ: whether its money has moved since it was booked.
    """
    if not seen.is_understood:
        same = known is not None and known.raw_status == seen.raw_status
        return (DisputeEffect.NOTHING,) if same else (DisputeEffect.PARK,)
    if known is not None and _is_stale(known, seen):
        return (DisputeEffect.NOTHING,)
    effects = [DisputeEffect.BOOK] if books_differ else []
    before, after = known.stance if known else Stance.HARMLESS, seen.stance
    against = (Stance.ARGUED, Stance.LOST)
    if after in against and before not in against:
        effects.append(DisputeEffect.SUSPEND)
    if before in against and after not in against:
        effects.append(DisputeEffect.REINSTATE)
    if after is not before and after is Stance.LOST:
        effects.append(DisputeEffect.TELL_LOSS)
    # Of one that was never told of, nobody is told the happy end.
    if before in against and after is Stance.WON:
        effects.append(DisputeEffect.TELL_WIN)
    if known is None and seen.kind is DisputeKind.INQUIRY:
        effects.append(DisputeEffect.TELL_INQUIRY)
    if not effects and (known is None or has_moved(known, seen)):
        effects.append(DisputeEffect.RECORD)
    return tuple(effects) or (DisputeEffect.NOTHING,)


def has_moved(known: Dispute, seen: DisputeFacts) -> bool:
    """Whether anything but money differs from what is known."""
    return any(getattr(known, name) != getattr(seen, name) for name in SHARED)


# What a record takes over from Stripe as it is.
SHARED = (
    "charge",
    "payment",
    "kind",
    "phase",
    "outcome",
    "raw_status",
    "amount",
    "currency",
    "reason",
    "opened_at",
    "respond_by",
    "refundable",
    "network",
    "reason_code",
    "submissions",
    "submission_method",
    "intended_method",
)


def _is_stale(known: Dispute, seen: DisputeFacts) -> bool:
    """An inquiry after the chargeback it became, or a first phase of what is over."""
    if seen.kind is DisputeKind.INQUIRY and known.kind is not DisputeKind.INQUIRY:
        return known.phase is not DisputePhase.UNRECOGNIZED
    appealed = known.phase in (DisputePhase.APPEAL, DisputePhase.APPEAL_UNDER_REVIEW)
    # An inquiry that was closed may still become a chargeback, which is another kind.
    over = known.phase is DisputePhase.ENDED and known.kind is seen.kind
    decided = appealed or over or known.stance in (Stance.WON, Stance.LOST)
    return decided and seen.phase in UNDECIDED_PHASES
