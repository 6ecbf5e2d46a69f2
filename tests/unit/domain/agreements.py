"""What looks different and is right as it stands: name, and both sides."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.cancellation import AccountCredit, Cancellation, CancellationState, Timing
from shared.domain.dispute import DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.dispute_books import Booked
from shared.domain.effects import EffectKind
from shared.domain.ledger import Book
from shared.domain.reconciliation import (
    AtStripe,
    Here,
    MovementFacts,
)
from shared.domain.refund_operation import RefundStatus
from shared.domain.subscription import SubscriptionStatus
from tests.unit.domain.both_sides import (
    CHARGEBACK,
    CUSTOMER,
    DASHBOARD,
    DISPUTE,
    ENDING,
    FAILED,
    FOREIGN,
    HERE,
    LEDGER,
    LIVE,
    LONG_AGO,
    MOVED,
    NOTE,
    NOW,
    OPERATION,
    OVER,
    PAYMENT,
    REFUND,
    SECOND,
    SEEN,
    YESTERDAY,
    effect,
    entry,
    facts_of,
    here,
    operation,
    seen,
    without,
)

WON = replace(
    CHARGEBACK,
    phase=DisputePhase.ENDED,
    outcome=DisputeOutcome.WON,
    raw_status="won",
    returned=9_000,
)
CREDIT = Cancellation(
    "01CREDIT",
    CUSTOMER,
    "sub_over",
    "01QUOTE",
    Timing.IMMEDIATELY,
    CancellationState.EXECUTED,
    YESTERDAY,
    YESTERDAY,
    (),
    credits=(AccountCredit("in_9", 900, "usd", "cn_9"),),
)
OPEN_NOTE = effect(
    EffectKind.ISSUE_CREDIT_NOTE,
    due=NOW,
    cancellation="01CANCEL",
    invoice="in_1",
    operation="01CANCEL:in_1",
)
AT_ONCE = OVER.ended(OVER.items[0].period_start)
AGREE: tuple[tuple[str, Here, AtStripe], ...] = (
    (
        "a subscription that was cancelled in the second in which it began",
        here(subscriptions=(LIVE, AT_ONCE)),
        seen(subscriptions=(facts_of(LIVE), facts_of(AT_ONCE))),
    ),
    (
        "a refund that failed, on both sides",
        here(
            operations=(replace(OPERATION, status=RefundStatus.FAILED),),
            ledger=(*LEDGER, entry("5", Book.REFUNDED, Book.PAID, 7_000, "01OWN", "re_own")),
        ),
        seen(refunds=(replace(REFUND, status="failed"), DASHBOARD), movements=FAILED),
    ),
    (
        "a second attempt after the first failed",
        HERE,
        seen(refunds=(REFUND, DASHBOARD, replace(SECOND, status="failed"))),
    ),
    (
        "a chargeback that was won, the fee borne",
        here(
            disputes=(
                replace(
                    DISPUTE,
                    phase=DisputePhase.ENDED,
                    outcome=DisputeOutcome.WON,
                    booked=(
                        Booked("amount", Book.BANK, "usd", 9_000, returned=9_000),
                        Booked("fee", Book.BANK, "usd", 1_500, absorbed=1_500),
                    ),
                ),
            ),
            ledger=(
                *LEDGER,
                entry("5", Book.IN_DISPUTE, Book.BANK, 9_000, "du_1"),
                entry("6", Book.IN_DISPUTE, Book.ABSORBED, 1_500, "du_1"),
            ),
        ),
        seen(
            disputes=(WON,),
            movements=(
                *MOVED,
                MovementFacts("txn_5", "du_1", "dispute_reversal", 9_000, "usd", YESTERDAY),
            ),
        ),
    ),
    (
        "an inquiry on both sides",
        here(
            disputes=(replace(DISPUTE, kind=DisputeKind.INQUIRY, booked=()),),
            ledger=LEDGER[:2],
        ),
        seen(
            disputes=(replace(CHARGEBACK, kind=DisputeKind.INQUIRY, withdrawn=0, fee=0),),
            movements=without("du_1"),
        ),
    ),
    (
        "a dispute in a phase of tomorrow that we have noted",
        here(disputes=(replace(DISPUTE, raw_status="newly_invented"),)),
        seen(
            disputes=(
                replace(
                    CHARGEBACK,
                    phase=DisputePhase.UNRECOGNIZED,
                    raw_status="newly_invented",
                ),
            )
        ),
    ),
    (
        "a credit to the balance with its note",
        here(cancellations=(CREDIT,)),
        seen(
            credit_notes=(NOTE, replace(NOTE, id="cn_9", invoice="in_9")),
        ),
    ),
    (
        "a refund older than the lists",
        here(**operation(reserved_at=LONG_AGO)),
        seen(refunds=(DASHBOARD,), credit_notes=(), movements=without("re_own")),
    ),
    (
        "a subscription that was over before we heard of it",
        here(subscriptions=(LIVE,)),
        SEEN,
    ),
    (
        "an end that is on its way to Stripe",
        here(
            subscriptions=(ENDING, OVER),
            effects=(effect(EffectKind.SCHEDULE_CANCELLATION, due=NOW, subscription="sub_live"),),
        ),
        SEEN,
    ),
    (
        "a cancellation that is on its way to Stripe",
        here(effects=(effect(EffectKind.CANCEL_SUBSCRIPTION, due=NOW, subscription="sub_over"),)),
        seen(subscriptions=(facts_of(LIVE), facts_of(OVER, status=SubscriptionStatus.ACTIVE))),
    ),
    (
        "a credit note that is on its way",
        here(operations=(replace(OPERATION, credit_note=None),), effects=(OPEN_NOTE,)),
        SEEN,
    ),
    (
        "a sister refund that is pending holds the credit note back",
        here(
            operations=(
                replace(OPERATION, credit_note=None),
                replace(
                    OPERATION, id="01SISTER", status=RefundStatus.PENDING, stripe_refund="re_2"
                ),
            ),
            payments=(replace(PAYMENT, reserved=7_000),),
        ),
        seen(
            refunds=(
                REFUND,
                DASHBOARD,
                replace(REFUND, id="re_2", operation="01SISTER", status="pending"),
            ),
            credit_notes=(),
        ),
    ),
    (
        "a promised refund that waits for its turn",
        here(
            operations=(
                OPERATION,
                replace(
                    OPERATION,
                    id="01NEXT",
                    status=RefundStatus.RESERVED,
                    stripe_refund=None,
                    credit_note=None,
                    invoice="in_2",
                ),
            ),
            payments=(replace(PAYMENT, reserved=7_000),),
            effects=(effect(EffectKind.REFUND_PAYMENT, due=NOW + timedelta(days=1)),),
        ),
        SEEN,
    ),
    (
        "a refund that was given up to an operation",
        here(
            foreign=(replace(FOREIGN, id="re_own", amount=7_000, claimed_by="01OWN"), FOREIGN),
            ledger=(
                *LEDGER,
                entry("5", Book.PAID, Book.REFUNDED, 7_000, "re_own", "re_own", "pi_1"),
                entry("6", Book.REFUNDED, Book.PAID, 7_000, "re_own", "re_own", "pi_1"),
            ),
        ),
        SEEN,
    ),
    (
        "a refund settled in another currency",
        HERE,
        seen(movements=(replace(MOVED[0], net=-6_400, currency="eur"), *MOVED[1:])),
    ),
    (
        "movements that are not ours to book",
        HERE,
        seen(movements=(*MOVED, MovementFacts("txn_9", "po_1", "payout", -1, "usd", YESTERDAY))),
    ),
    (
        "refunds of a customer of whom we know nothing",
        Here(CUSTOMER, is_known=False),
        AtStripe(refunds=(DASHBOARD,), credit_notes=(NOTE,), movements=MOVED[:2]),
    ),
)
