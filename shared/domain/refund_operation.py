"""One refund on one payment, from the reservation to the credit note."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import BrokenInvariantError


class RefundStatus(StrEnum):
    """The life of a refund; `reserved` lasts until an outcome is known."""

    RESERVED = "reserved"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    NEEDS_PERSON = "needs_person"


_STEPS: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.RESERVED: frozenset(set(RefundStatus) - {RefundStatus.RESERVED}),
    RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    # The late edge: a bank may send money back weeks after it was taken for done.
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(),
    RefundStatus.REJECTED: frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED}),
    RefundStatus.NEEDS_PERSON: frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED}),
}


_SEEN = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
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

    `customer` is whose payment it is, as far as Stripe says.
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


@dataclass(frozen=True, slots=True)
class RefundOperation:
    """A refund that was promised: `amount` minor units of `payment`, for lines of `invoice`.

    Its id travels to Stripe as metadata, which is how a lost answer is found again. `statutory`
    is what no cap may delay; `decided_by` the person whose discretion it was, under whose caps it
    counts.
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

    @property
    def promised_by(self) -> str:
        """The cancellation or the refund case that it belongs to."""
        return self.refund_case or self.cancellation or ""

    def may_become(self, status: RefundStatus) -> bool:
        """Whether `status` may follow the present one."""
        return status in _STEPS[self.status]

    def step(self, status: RefundStatus, *, reason: str | None = None) -> "RefundOperation":
        """The operation in `status`.

        Raises:
            BrokenInvariantError: that status does not follow this one.
        """
        if status is self.status:
            return self
        if status not in _STEPS[self.status]:
            raise BrokenInvariantError(f"refund {self.id}: {self.status} then {status}")
        return replace(self, status=status, reason=reason or self.reason)
