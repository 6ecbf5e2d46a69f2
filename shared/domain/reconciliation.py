"""Our records beside Stripe's lists: what each side holds, and how the two may differ.

A comparison is of one customer's partition with what Stripe lists of that customer. What may still
be under way is left alone; see `Moment`. `comparison.py` finds the divergences.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.domain.cancellation import Cancellation
from shared.domain.dispute import Dispute, DisputeFacts
from shared.domain.effects import Effect, EffectKind
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundFacts, RefundOperation
from shared.domain.subscription import Subscription, SubscriptionFacts


class DivergenceKind(StrEnum):
    """How our records and Stripe's can differ."""

    REFUND_EVENT_MISSED = "refund_event_missed"
    REFUND_STATUS_DIFFERS = "refund_status_differs"
    REFUND_AMOUNT_DIFFERS = "refund_amount_differs"
    REFUND_UNKNOWN_HERE = "refund_unknown_here"
    REFUND_UNKNOWN_AT_STRIPE = "refund_unknown_at_stripe"
    REFUND_MADE_TWICE = "refund_made_twice"
    DISPUTE_UNKNOWN_HERE = "dispute_unknown_here"
    DISPUTE_PHASE_DIFFERS = "dispute_phase_differs"
    DISPUTE_FUNDS_DIFFER = "dispute_funds_differ"
    CREDIT_NOTE_MISSING = "credit_note_missing"
    CREDIT_NOTE_UNKNOWN_HERE = "credit_note_unknown_here"
    SUBSCRIPTION_UNKNOWN_HERE = "subscription_unknown_here"
    SUBSCRIPTION_UNKNOWN_AT_STRIPE = "subscription_unknown_at_stripe"
    SUBSCRIPTION_STATUS_DIFFERS = "subscription_status_differs"
    SUBSCRIPTION_END_DIFFERS = "subscription_end_differs"
    SUBSCRIPTION_PERIOD_DIFFERS = "subscription_period_differs"
    BILLED_AFTER_END = "billed_after_end"
    LEDGER_DIFFERS = "ledger_differs"
    RESERVATION_UNEXPLAINED = "reservation_unexplained"
    EFFECT_STUCK = "effect_stuck"
    END_OVERDUE = "end_overdue"


class Repair(StrEnum):
    """Which normal path puts a divergence right; none of them decides on money anew."""

    REFRESH_REFUND = "refresh_refund"
    HANDLE_DISPUTE = "handle_dispute"
    REFRESH_SUBSCRIPTION = "refresh_subscription"
    WAKE_EFFECT = "wake_effect"
    END_SUBSCRIPTION = "end_subscription"


@dataclass(frozen=True, slots=True)
class Divergence:
    """One difference about one object; without a `repair` only a person can judge it."""

    kind: DivergenceKind
    customer: str
    subject: str
    detail: str
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class CreditNoteFacts:
    """A credit note as Stripe has it now; `operation` is our effect when we issued it."""

    id: str
    customer: str
    invoice: str
    status: str
    operation: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """A balance transaction: `net` minor units came to the company's balance, or left it."""

    id: str
    source: str | None
    category: str
    net: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """That an object at Stripe has changed, and when, by one of Stripe's events."""

    event: str
    object: str
    created_at: datetime


# The movements that the ledger has to show; payments, payouts and Stripe's own fees are not ours.
BOOKED = frozenset({"refund", "refund_failure", "dispute", "dispute_reversal"})


@dataclass(frozen=True, slots=True)
class Moment:
    """When is compared, and what is left alone because it may still be under way.

    `since` is where the lists begin that were read up to `now`. `moving` are the objects of which
    Stripe has an event younger than `grace`: our consumer may be on its way to them.
    """

    now: datetime
    grace: timedelta
    since: datetime
    moving: frozenset[str] = frozenset()

    def is_old(self, at: datetime | None) -> bool:
        """Whether what happened at `at` should be known on both sides."""
        return at is None or at <= self.now - self.grace

    def is_settled(self, name: str, created_at: datetime | None) -> bool:
        """Whether an object at Stripe is old and has not moved within the grace."""
        return name not in self.moving and self.is_old(created_at)


@dataclass(frozen=True, slots=True)
class AtStripe:
    """What Stripe lists of one customer: all subscriptions, the rest as far back as was read."""

    subscriptions: tuple[SubscriptionFacts, ...] = ()
    refunds: tuple[RefundFacts, ...] = ()
    disputes: tuple[DisputeFacts, ...] = ()
    credit_notes: tuple[CreditNoteFacts, ...] = ()
    movements: tuple[MovementFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Here:
    """What our table holds of one customer; `changed_at` is the last decision on the account.

    Not known is a customer without an account here, and nobody, whose disputes wait for a person.
    """

    customer: str
    is_known: bool = True
    changed_at: datetime | None = None
    subscriptions: tuple[Subscription, ...] = ()
    operations: tuple[RefundOperation, ...] = ()
    foreign: tuple[ForeignRefund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    payments: tuple[Payment, ...] = ()
    cancellations: tuple[Cancellation, ...] = ()
    cases: tuple[RefundCase, ...] = ()
    effects: tuple[Effect, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()

    def open_effects(self, *kinds: EffectKind) -> list[Effect]:
        """The effects of these kinds (all when none is named) whose outcome is still open."""
        return [
            effect
            for effect in self.effects
            if effect.due_at is not None and (not kinds or effect.kind in kinds)
        ]

    def is_busy(self, moment: Moment) -> bool:
        """Whether something was decided or tried just now: then both sides may still move."""
        tried = [effect.last_sent_at or effect.created_at for effect in self.open_effects()]
        return not all(map(moment.is_old, (*tried, self.changed_at)))


@dataclass(frozen=True, slots=True)
class Cleared:
    """One day's movements in one currency at Stripe and what the ledger has of them."""

    day: date
    currency: str
    stripe: int = 0
    ledger: int = 0

    @property
    def rest(self) -> int:
        """What one side has and the other has not; zero when the day is cleared."""
        return self.stripe - self.ledger

    def plus(self, other: "Cleared") -> "Cleared":
        """Both together."""
        return Cleared(
            self.day, self.currency, self.stripe + other.stripe, self.ledger + other.ledger
        )
