"""One refund on one payment, from the reservation to the credit note."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import BrokenInvariantError
from shared.domain.invoice import is_invoice


class RefundStatus(StrEnum):
    """The life of a refund; `reserved` lasts until an outcome is known."""

    RESERVED = "reserved"
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    NEEDS_PERSON = "needs_person"


class RefundWay(StrEnum):
    """How the customer gets the money; all but the first are a person's choice."""

    PAYMENT = "payment"
    ACCOUNT_CREDIT = "account_credit"
    OUT_OF_BAND = "out_of_band"


# Under way at Stripe: the bank has it, or the customer is asked for bank details.
UNDER_WAY = frozenset({RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION})
# What Stripe says of a refund, whenever it says it.
_TOLD = frozenset({*UNDER_WAY, RefundStatus.SUCCEEDED, RefundStatus.FAILED})

STEPS: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.RESERVED: frozenset(set(RefundStatus) - {RefundStatus.RESERVED}),
    RefundStatus.PENDING: _TOLD - {RefundStatus.PENDING},
    RefundStatus.REQUIRES_ACTION: _TOLD - {RefundStatus.REQUIRES_ACTION},
    # The late edge: a bank may send money back weeks after it was taken for done.
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(),
    RefundStatus.REJECTED: _TOLD,
    RefundStatus.NEEDS_PERSON: _TOLD,
}
_PROBLEMS = {
    RefundStatus.FAILED: "did_not_arrive",
    RefundStatus.REJECTED: "refused",
    RefundStatus.NEEDS_PERSON: "outcome_unknown",
}
TO_BE_TRANSFERRED = "to_be_transferred"
# A new refund to the same card would come back as this one did.
_GONE = frozenset({"lost_or_stolen_card", "expired_or_canceled_card"})


_SEEN = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.REQUIRES_ACTION,
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}


def status_seen(status: str) -> RefundStatus | None:
    """Our word for a refund's status at Stripe; None for one that this version does not know."""
    return _SEEN.get(status)


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund as Stripe has it now; `operation` is ours when it was made by us.

    `customer` is whose payment it is, as far as Stripe says. By `bank_reference` a bank finds the
    refund; Stripe has it days later, for cards.
    """

    id: str
    payment: str | None
    amount: int
    currency: str
    status: str
    failure: str | None
    operation: str | None
    operation_customer: str | None
    customer: str | None = None
    created_at: datetime | None = None
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Voucher:
    """A member of staff's word that money was transferred outside Stripe, and what shows it."""

    by: str
    role: str
    at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class RefundOperation:
    """A refund that was promised: `amount` minor units of `payment`, for lines of `invoice`.

    Its id travels to Stripe as metadata, which is how a lost answer is found again. `statutory`
    is what no cap may delay; `decided_by` the person whose discretion it was, under whose caps it
    counts.

    One that did not arrive is `replaced_by` another, which goes another way: both stand for the
    same promise and are documented by the same credit note. `reference` names what shows a way
    outside of refunds: an entry in the customer's balance, a bank transfer. `undocumented` is why
    Stripe would not issue the credit note. `vouchers` are who has said that it was transferred.
    """

    id: str
    customer: str
    cancellation: str | None
    invoice: str
    payment: str
    amount: int
    currency: str
    status: RefundStatus
    reserved_at: datetime
    stripe_refund: str | None = None
    credit_note: str | None = None
    reason: str | None = None
    statutory: bool = False
    decided_by: str | None = None
    refund_case: str | None = None
    bank_reference: str | None = None
    way: RefundWay = RefundWay.PAYMENT
    replaces: str | None = None
    replaced_by: str | None = None
    reference: str | None = None
    undocumented: str | None = None
    vouchers: tuple[Voucher, ...] = ()

    @property
    def is_documented(self) -> bool:
        """Whether its credit note is there; one of a payment that pays no invoice needs none."""
        return self.credit_note is not None or not is_invoice(self.invoice)

    @property
    def promised_by(self) -> str:
        """The cancellation or the refund case that it belongs to."""
        return self.refund_case or self.cancellation or ""

    @property
    def problem(self) -> str | None:
        """What a person has to settle; None while all goes well, or once it was replanned."""
        if self.replaced_by:
            return None
        if self.awaits_transfer:
            return TO_BE_TRANSFERRED
        if self.status is RefundStatus.SUCCEEDED:
            return "credit_note_refused" if self.undocumented else None
        return _PROBLEMS.get(self.status)

    @property
    def awaits_transfer(self) -> bool:
        """Whether a person has to send it outside Stripe; a replacement was sent when recorded."""
        by_hand = self.way is RefundWay.OUT_OF_BAND and not self.replaces
        return by_hand and self.status is RefundStatus.RESERVED

    def can_repeat(self) -> bool:
        """Whether the same payment may be tried again, if a person wants to."""
        return self.reason not in _GONE

    def may_become(self, status: RefundStatus) -> bool:
        """Whether `status` may follow the present one."""
        return status in STEPS[self.status]

    def step(self, status: RefundStatus, *, reason: str | None = None) -> "RefundOperation":
        """The operation in `status`.

        Raises:
            BrokenInvariantError: that status does not follow this one.
        """
        if status is self.status:
            return self
        if status not in STEPS[self.status]:
            raise BrokenInvariantError(f"refund {self.id}: {self.status} then {status}")
        return replace(self, status=status, reason=reason or self.reason)
