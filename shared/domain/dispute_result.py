"""A dispute as it counts in the company's own past; the partition is that of operations."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.dispute import DisputeKind, DisputeOutcome


@dataclass(frozen=True, slots=True)
class DisputeResult:
    """One dispute without its customer; `amount` in minor units of the charge's currency."""

    customer: str
    id: str
    kind: DisputeKind
    outcome: DisputeOutcome
    network: str
    reason: str
    reason_code: str
    amount: int
    currency: str
    opened_at: datetime
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
