"""Disputes: what kind, which phase, and what each phase does to the account.

An inquiry is a question of the bank; nothing was withdrawn and nothing is suspended. A
chargeback has taken the money.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DisputeKind(StrEnum):
    """What the bank has opened."""

    INQUIRY = "inquiry"
    CHARGEBACK = "chargeback"
    UNRECOGNIZED = "unrecognized"


class DisputePhase(StrEnum):
    """Where it stands; WON and LOST are seen from the company's side."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"
    UNRECOGNIZED = "unrecognized"


class DisputeEffect(StrEnum):
    """What a newly seen state of a dispute does."""

    NOTHING = "nothing"
    RECORD = "record"
    SUSPEND = "suspend"
    BOOK_FUNDS = "book_funds"
    REINSTATE = "reinstate"
    BOOK_LOSS = "book_loss"
    BOOK_WIN = "book_win"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute as Stripe has it now; amounts in minor units.

    `amount` and `currency` are those of the charge; `withdrawn`, `fee` and `settlement_currency`
    are what left the company's balance (zero for an inquiry).
    """

    id: str
    customer: str | None
    charge: str
    payment: str | None
    kind: DisputeKind
    phase: DisputePhase
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


@dataclass(frozen=True, slots=True)
class Dispute:
    """What we know of a dispute and what we have booked for it (minor units).

    `booked_amount` and `booked_fee` are in dispute while it is open; `booked_owed` is the part of
    them that became owed when it was lost.
    """

    id: str
    customer: str
    charge: str
    payment: str | None
    kind: DisputeKind
    phase: DisputePhase
    raw_status: str
    amount: int
    currency: str
    reason: str
    opened_at: datetime
    respond_by: datetime | None
    booked_amount: int = 0
    booked_fee: int = 0
    booked_owed: int = 0
    booked_currency: str = ""


# (kind, phase as known, phase as seen) of a chargeback -> what follows; whatever is missing is
# a state that was seen before, or one that comes late and no longer matters.
_CHARGEBACK: dict[tuple[DisputePhase | None, DisputePhase], tuple[DisputeEffect, ...]] = {
    (None, DisputePhase.OPEN): (DisputeEffect.SUSPEND,),
    (None, DisputePhase.LOST): (DisputeEffect.SUSPEND, DisputeEffect.BOOK_LOSS),
    # Nobody was told of it, so nobody is told of its end.
    (None, DisputePhase.WON): (DisputeEffect.BOOK_WIN,),
    (DisputePhase.OPEN, DisputePhase.WON): (DisputeEffect.REINSTATE,),
    (DisputePhase.OPEN, DisputePhase.LOST): (DisputeEffect.BOOK_LOSS,),
    (DisputePhase.LOST, DisputePhase.WON): (DisputeEffect.REINSTATE,),
}


def decide_dispute(known: Dispute | None, seen: DisputeFacts) -> tuple[DisputeEffect, ...]:
    """What the dispute's present state asks for, given what was already acted on.

    Depends on states, never on which event arrived or in which order: an inquiry that has become
    a chargeback is treated as a chargeback opened now, a repeated state does nothing.

    Args:
        known: our record, None when this dispute is new.
        seen: the dispute fetched just now.
    """
    if seen.phase is DisputePhase.UNRECOGNIZED or seen.kind is DisputeKind.UNRECOGNIZED:
        return (DisputeEffect.PARK,)
    if seen.kind is DisputeKind.INQUIRY:
        # An inquiry seen after the chargeback it has become is a stale answer.
        if known and (known.kind is DisputeKind.CHARGEBACK or known.phase is seen.phase):
            return (DisputeEffect.NOTHING,)
        return (DisputeEffect.RECORD,)
    acted_on = known.phase if known and known.kind is DisputeKind.CHARGEBACK else None
    effects = _CHARGEBACK.get((acted_on, seen.phase), ())
    if acted_on in (None, DisputePhase.OPEN) and _has_moved(known, seen):
        # The withdrawal may show only after the dispute itself, and a fee after both.
        effects = (DisputeEffect.BOOK_FUNDS, *effects)
    return effects or (DisputeEffect.NOTHING,)


def _has_moved(known: Dispute | None, seen: DisputeFacts) -> bool:
    booked = (known.booked_amount, known.booked_fee) if known else (0, 0)
    return booked != (seen.withdrawn, seen.fee)
