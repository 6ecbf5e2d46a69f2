"""Refunds that nobody asked us for: made in Stripe's dashboard, or promised in a lost table.

The money has left, so they count against the payment's cap and stand in the ledger with their
evidence. The customer hears nothing from us: whoever made the refund has told them.
"""

from dataclasses import replace

from shared.application.change import Change
from shared.application.expose import note_exposures
from shared.domain.dispute import Dispute
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book
from shared.domain.payment import Payment
from shared.domain.refund_operation import (
    RefundFacts,
    RefundOperation,
    RefundStatus,
    RefundWay,
    status_seen,
)

_BY_REFUND = RefundWay.PAYMENT


def adopt_foreign_refund(change: Change, seen: RefundFacts) -> str:
    """Put what follows from `seen` into `change`; its status with us.

    The same facts may come twice and in any order. Answers `foreign` for a customer of whom
    nothing is known here, and `unrecognized` for a status that this version does not know.
    """
    if not change.knows_customer:
        return "foreign"
    status = status_seen(seen.status)
    known = change.load(ForeignRefund, seen.id)
    if status is None:
        return "unrecognized"
    if known is None:
        adopted = ForeignRefund(
            id=seen.id,
            customer=change.customer,
            payment=seen.payment,
            amount=seen.amount,
            currency=seen.currency,
            status=status,
            seen_at=change.now,
            operation=seen.operation,
        )
    else:
        adopted = known.moved_to(status)
    if adopted != known:
        change.put(adopted)
        _book(change, known, adopted)
        _count(change, adopted)
        why = seen.failure or "made at Stripe"
        change.audit(f"foreign_refund_{status.value}", why, refund=seen.id, payment=seen.payment)
    return adopted.status.value


def hand_to_operation(change: Change, refund: str, operation: RefundOperation) -> None:
    """Give a refund up that was taken for foreign, before the operation it belongs to adopts it."""
    known = change.load(ForeignRefund, refund)
    if known is None or known.claimed_by:
        return
    given_up = replace(known, claimed_by=operation.id)
    change.put(given_up)
    _book(change, known, given_up)
    payment = change.load(Payment, operation.payment)
    if payment is not None and known.counts():
        change.put(replace(payment, refunded=payment.refunded - known.amount))
    change.audit("foreign_refund_claimed", "it names our operation", refund=refund)


def _book(change: Change, before: ForeignRefund | None, after: ForeignRefund) -> None:
    """The ledger's way from what was booked to what is true now."""
    moved = after.booked() - (before.booked() if before else 0)
    sent = (Book.PAID, Book.REFUNDED)
    what, books = ("foreign_refund", sent) if moved > 0 else ("foreign_refund_back", sent[::-1])
    evidence = tuple(filter(None, (after.id, after.payment)))
    change.post(what, books, abs(moved), after.currency, cause=after.id, evidence=evidence)


def _count(change: Change, adopted: ForeignRefund) -> None:
    """What has left the payment: our own refunds as booked, all others as Stripe lists them.

    Counted anew each time, since a quote may have read a part of it from Stripe before.
    """
    if adopted.payment is None:
        return
    services, customer = change.services, change.customer
    payment = change.load(Payment, adopted.payment) or _payment(change, adopted)
    if payment is None:
        return
    stored = [one.record for one in services.store.all_of(RefundOperation, customer)]
    own = {one.id: one for one in stored if one.payment == payment.id and one.way is _BY_REFUND}
    settled = sum(one.amount for one in own.values() if one.status is RefundStatus.SUCCEEDED)
    others = sum(
        seen.amount
        for seen in services.billing.refunds_of(payment.id)
        if seen.operation not in own and status_seen(seen.status) is not RefundStatus.FAILED
    )
    counted = replace(payment, refunded=settled + others)
    change.put(counted)
    note_exposures(change, counted)


def _payment(change: Change, adopted: ForeignRefund) -> Payment | None:
    """A payment that nothing was ever reserved on, with the disputes that block it."""
    facts = change.services.billing.payment(adopted.payment or "")
    if facts is None:
        return None
    payment = Payment(facts.id, change.customer, adopted.currency, facts.total)
    policy = change.services.policies.load_policy(change.services.policy, change.now)
    for stored in change.services.store.all_of(Dispute, change.customer):
        dispute = stored.record
        if dispute.payment == payment.id and dispute.is_against_us:
            forbids = policy.dispute_consequences.block_refunds or not dispute.refundable
            payment = payment.blocked(dispute.id, dispute.amount, forbids=forbids)
    return payment
