"""A customer of whom our records and Stripe's lists agree, to be broken one piece at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.dispute import Dispute, DisputeFacts, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.dispute_books import Booked
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import AtStripe, CreditNoteFacts, Here, Moment, MovementFacts
from shared.domain.refund_operation import RefundFacts, RefundOperation, RefundStatus
from shared.domain.subscription import (
    Subscription,
    SubscriptionFacts,
    SubscriptionItem,
    SubscriptionStatus,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
SINCE = NOW - timedelta(days=3)
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
MOMENT = Moment(NOW, timedelta(hours=1), SINCE)
CUSTOMER = "cus_ann"

ITEM = SubscriptionItem("si_1", "prod_1", "price_1", 1, 9_000, "usd", "year", *YEAR)
LIVE = Subscription("sub_live", CUSTOMER, SubscriptionStatus.ACTIVE, (ITEM,))
OVER = Subscription(
    "sub_over",
    CUSTOMER,
    SubscriptionStatus.ENDED,
    (replace(ITEM, id="si_2", access_until=YESTERDAY),),
    "01CANCEL",
    YESTERDAY,
    YESTERDAY,
)
OPERATION = RefundOperation(
    id="01OWN",
    customer=CUSTOMER,
    cancellation="01CANCEL",
    invoice="in_1",
    payment="pi_1",
    amount=7_000,
    currency="usd",
    status=RefundStatus.SUCCEEDED,
    reserved_at=YESTERDAY,
    stripe_refund="re_own",
    credit_note="cn_1",
)
FOREIGN = ForeignRefund("re_dash", CUSTOMER, "pi_1", 500, "usd", RefundStatus.SUCCEEDED, YESTERDAY)
DISPUTE = Dispute(
    id="du_1",
    customer=CUSTOMER,
    charge="ch_2",
    payment="pi_2",
    kind=DisputeKind.CHARGEBACK,
    phase=DisputePhase.OPEN,
    outcome=DisputeOutcome.UNDECIDED,
    raw_status="needs_response",
    amount=9_000,
    currency="usd",
    reason="fraudulent",
    opened_at=YESTERDAY,
    respond_by=None,
    booked=(
        Booked("amount", Book.BANK, "usd", 9_000),
        Booked("fee", Book.BANK, "usd", 1_500),
    ),
)


def entry(name: str, source: Book, target: Book, amount: int, cause: str, *evidence: str) -> Any:
    return LedgerEntry(name, CUSTOMER, NOW, name, source, target, amount, "usd", cause, evidence)


LEDGER = (
    entry("1", Book.PAID, Book.REFUNDED, 7_000, "01OWN", "re_own", "pi_1"),
    entry("2", Book.PAID, Book.REFUNDED, 500, "re_dash", "re_dash", "pi_1"),
    entry("3", Book.BANK, Book.IN_DISPUTE, 9_000, "du_1", "du_1", "ch_2"),
    entry("4", Book.BANK, Book.IN_DISPUTE, 1_500, "du_1", "du_1", "ch_2"),
)
PAYMENT = Payment("pi_1", CUSTOMER, "usd", 9_000, refunded=7_500)

HERE = Here(
    customer=CUSTOMER,
    changed_at=YESTERDAY,
    subscriptions=(LIVE, OVER),
    operations=(OPERATION,),
    foreign=(FOREIGN,),
    disputes=(DISPUTE,),
    payments=(PAYMENT,),
    ledger=LEDGER,
)


def facts_of(known: Subscription, **change: Any) -> SubscriptionFacts:
    seen = SubscriptionFacts(
        id=known.id,
        customer=CUSTOMER,
        status=known.status,
        items=tuple(replace(item, access_until=None) for item in known.items),
        cancels_at=None,
        ended_at=known.ended_at,
        created_at=YEAR[0],
        collection_paused=False,
        livemode=False,
    )
    return replace(seen, **change)


REFUND = RefundFacts(
    id="re_own",
    payment="pi_1",
    amount=7_000,
    currency="usd",
    status="succeeded",
    failure=None,
    operation="01OWN",
    operation_customer=CUSTOMER,
    customer=CUSTOMER,
    created_at=YESTERDAY,
)
DASHBOARD = replace(REFUND, id="re_dash", amount=500, operation=None, operation_customer=None)
CHARGEBACK = DisputeFacts(
    id="du_1",
    customer=CUSTOMER,
    charge="ch_2",
    payment="pi_2",
    kind=DisputeKind.CHARGEBACK,
    phase=DisputePhase.OPEN,
    outcome=DisputeOutcome.UNDECIDED,
    raw_status="needs_response",
    amount=9_000,
    currency="usd",
    withdrawn=9_000,
    fee=1_500,
    settlement_currency="usd",
    reason="fraudulent",
    opened_at=YESTERDAY,
    respond_by=None,
    livemode=False,
)
NOTE = CreditNoteFacts("cn_1", CUSTOMER, "in_1", "issued", "01CANCEL:in_1", YESTERDAY)
MOVED = (
    MovementFacts("txn_1", "re_own", "refund", -7_000, "usd", YESTERDAY),
    MovementFacts("txn_2", "re_dash", "refund", -500, "usd", YESTERDAY),
    MovementFacts("txn_3", "du_1", "dispute", -10_500, "usd", YESTERDAY),
    MovementFacts("txn_4", "ch_2", "charge", 9_000, "usd", YESTERDAY),
)
SEEN = AtStripe(
    subscriptions=(facts_of(LIVE), facts_of(OVER)),
    refunds=(REFUND, DASHBOARD),
    disputes=(CHARGEBACK,),
    credit_notes=(NOTE,),
    movements=MOVED,
)


def effect(kind: EffectKind, *, due: datetime, **params: Any) -> Effect:
    return Effect(
        id="01EFFECT",
        customer=CUSTOMER,
        kind=kind,
        params=params,
        status=EffectStatus.PENDING,
        created_at=YESTERDAY,
        next_attempt_at=due,
        environment="test",
    )


LONG_AGO = NOW - timedelta(days=40)
END = ITEM.period_end


def here(**change: Any) -> Here:
    return replace(HERE, **change)


def seen(**change: Any) -> AtStripe:
    return replace(SEEN, **change)


def subscriptions(**change: Any) -> dict[str, Any]:
    return {"subscriptions": (facts_of(LIVE, **change), facts_of(OVER))}


def operation(**change: Any) -> dict[str, Any]:
    """Ours with its ledger and reservation as they follow from its status."""
    one = replace(OPERATION, **change)
    held = one.amount if one.status in (RefundStatus.RESERVED, RefundStatus.PENDING) else 0
    booked = LEDGER if one.status is RefundStatus.SUCCEEDED else LEDGER[1:]
    return {
        "operations": (one,),
        "payments": (replace(PAYMENT, reserved=held),),
        "ledger": booked,
    }


def without(name: str) -> tuple[MovementFacts, ...]:
    return tuple(one for one in MOVED if one.source != name)


SENT = operation(status=RefundStatus.RESERVED, stripe_refund=None, credit_note=None)
FAILED = (*MOVED, MovementFacts("txn_5", "re_own", "refund_failure", 7_000, "usd", YESTERDAY))
RENEWED = replace(ITEM, period_start=END, period_end=END + timedelta(days=365))
ENDING = replace(LIVE, cancellation="01CANCEL", ends_at=END)
SECOND = replace(REFUND, id="re_second")
SECOND_MOVED = MovementFacts("txn_6", "re_second", "refund", -7_000, "usd", YESTERDAY)
STALE = NOW - timedelta(hours=2)
