"""Early fraud warnings: the issuer suspects a payment, and four of five become chargebacks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


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


@dataclass(frozen=True, slots=True)
class FraudWarning:
    """A warning that was judged, once a charge; its id is the charge's."""

    id: str
    customer: str
    warning: str
    payment: str | None
    amount: int
    currency: str
    fraud_type: str
    advice: str
    judged_at: datetime


def advise(seen: FraudWarningFacts, refund_at_most: Mapping[str, int]) -> str:
    """What the policy makes of a warning: refund what is cheap to lose, watch the rest."""
    if not seen.actionable:
        return "nothing"
    return "refund" if 0 < seen.left <= refund_at_most.get(seen.currency, 0) else "watch"
