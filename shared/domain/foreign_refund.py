"""A refund that somebody else made at Stripe, as it counts against our caps and in our ledger."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.refund_operation import UNDER_WAY, RefundStatus

_RANK = {
    RefundStatus.PENDING: 0,
    RefundStatus.REQUIRES_ACTION: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
}


@dataclass(frozen=True, slots=True)
class ForeignRefund:
    """A refund of `amount` minor units of `payment` that no operation of ours has promised.

    `operation` is an id of ours that it names and that the table does not know: the promise was
    lost with a restored table. `claimed_by` is the operation that has taken it over since.
    """

    id: str
    customer: str
    payment: str | None
    amount: int
    currency: str
    status: RefundStatus
    seen_at: datetime
    operation: str | None = None
    claimed_by: str | None = None

    def counts(self) -> bool:
        """Whether its amount has left the payment, or is about to."""
        return self.claimed_by is None and self.status is not RefundStatus.FAILED

    def booked(self) -> int:
        """What of it stands in the ledger as refunded."""
        done = self.claimed_by is None and self.status is RefundStatus.SUCCEEDED
        return self.amount if done else 0

    def may_become(self, status: RefundStatus) -> bool:
        """Whether `status` is further than what is known, or as far and another."""
        if self.claimed_by is not None or status is self.status:
            return False
        return {status, self.status} == UNDER_WAY or _RANK[status] > _RANK[self.status]

    def moved_to(self, status: RefundStatus) -> "ForeignRefund":
        """The refund in `status`; the same when that is older than what is known."""
        return replace(self, status=status) if self.may_become(status) else self
