"""Early warnings: an issuer suspects a payment, or a bank asks about it, before any chargeback.

What the policy makes of one is decided once a payment: it goes back, the inquiry is answered, or a
person decides. A refund that the policy has planned waits, so that a person can overrule it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# A look at Stripe that was lost is taken again after this.
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FraudWarningFacts:
    """A warning as Stripe has it now; `left` is what has not gone back (minor units).

    `actionable` while the payment is neither disputed nor refunded in full.
    """

    id: str
    charge: str
    payment: str | None
    customer: str | None
    left: int
    currency: str
    fraud_type: str
    actionable: bool


class WarningKind(StrEnum):
    """Who says what: the issuer that it was fraud, or the bank that its customer asks."""

    FRAUD_WARNING = "fraud_warning"
    INQUIRY = "inquiry"


class WarningState(StrEnum):
    """What has been made of a warning."""

    ASKED = "asked"
    PLANNED = "planned"
    CASE_OPENED = "case_opened"
    REFUNDED = "refunded"
    LEFT = "left"
    OVER = "over"


# Nothing has come of it yet, so that a person can still say otherwise.
UNDECIDED = frozenset({WarningState.ASKED, WarningState.PLANNED, WarningState.LEFT})


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """A warning and what becomes of it, one a payment; its id is the charge's.

    `source` is the fraud warning or the dispute that was seen, `amount` what had not gone back
    then (minor units). A planned refund is carried out at `act_at`; `decided_by` is the person who
    decided, in `role`, where the policy's clause was overruled or has asked.
    """

    id: str
    customer: str
    kind: WarningKind
    source: str
    payment: str | None
    amount: int
    currency: str
    reason: str
    state: WarningState
    seen_at: datetime
    clause: str = ""
    act_at: datetime | None = None
    looking_until: datetime | None = None
    refund_case: str | None = None
    decided_by: str | None = None
    role: str | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the planned refund is to be carried out, or looked at again; None without one."""
        if self.state is not WarningState.PLANNED or self.act_at is None:
            return None
        return max(self.act_at, self.looking_until or self.act_at)
