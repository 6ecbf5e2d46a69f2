"""Take over what Stripe says of a refund, from the call's answer or from an event.

The same facts may come twice and in any order; a status that was adopted before changes nothing,
so the ledger has each refund once.
"""

from dataclasses import replace

from shared.application.adopt_foreign_refund import adopt_foreign_refund, hand_to_operation
from shared.application.change import Change, transact
from shared.application.document_return import document_refunds
from shared.application.expose import note_exposures
from shared.application.promises import promise_of
from shared.application.settle_promise import hand_over, settle
from shared.domain.errors import BrokenInvariantError
from shared.domain.ledger import Book
from shared.domain.money_text import money_text
from shared.domain.payment import Payment
from shared.domain.refund_operation import (
    UNDER_WAY,
    RefundFacts,
    RefundOperation,
    RefundStatus,
    status_seen,
)
from shared.ports import Services


def refresh_refund(services: Services, *, refund: str) -> str:
    """Fetch a refund and adopt it, as ours or as somebody else's; its status with us.

    `foreign` when nothing is known here of the customer whose payment it is.
    """
    first = services.billing.refund(refund)
    customer = first and (first.operation_customer or first.customer)
    if first is None or not customer:
        return "foreign"

    def decide(change: Change) -> str:
        seen = services.billing.refund(refund) or first
        operation = change.load(RefundOperation, seen.operation) if seen.operation else None
        if operation is None:
            return adopt_foreign_refund(change, seen)
        hand_to_operation(change, refund, operation)
        adopt_refund(change, operation, seen)
        now = change.load(RefundOperation, operation.id) or operation
        return now.status.value

    return transact(services, customer, "stripe", decide)


def adopt_refund(change: Change, operation: RefundOperation, seen: RefundFacts) -> None:
    """Put what follows from `seen` into `change`.

    Raises:
        BrokenInvariantError: it is not the refund that this operation promised.
    """
    if operation.stripe_refund not in (None, seen.id):
        raise BrokenInvariantError(f"refund {operation.id} is {operation.stripe_refund} already")
    if (seen.amount, seen.currency) != (operation.amount, operation.currency):
        raise BrokenInvariantError(f"refund {seen.id} is not the amount of {operation.id}")
    status = status_seen(seen.status)
    if status is None or _is_older(status, operation.status):
        return
    why = seen.failure or ("canceled" if seen.status == "canceled" else None)
    adopted = replace(operation.step(status, reason=why), stripe_refund=seen.id)
    adopted = replace(adopted, bank_reference=seen.bank_reference or operation.bank_reference)
    if adopted == operation:
        return
    change.put(adopted)
    if adopted == replace(operation, bank_reference=adopted.bank_reference):
        _referenced(change, adopted, seen)
        return
    if operation.status is RefundStatus.REJECTED:
        _hold_again(change, operation)
    change.audit("refund_" + status.value, why or "as Stripe has it", refund=seen.id)
    if status in UNDER_WAY:
        _under_way(change, operation, adopted, seen)
    elif status is RefundStatus.SUCCEEDED:
        _succeeded(change, adopted, seen)
    elif status is RefundStatus.FAILED:
        _failed(change, operation, adopted, seen)


def _referenced(change: Change, operation: RefundOperation, seen: RefundFacts) -> None:
    """Stripe has the bank's reference days later, for cards; whoever waits for money can use it."""
    change.audit("refund_referenced", "the bank's reference has come", refund=operation.id)
    if operation.status is RefundStatus.SUCCEEDED:
        change.mail("refund_reference", _mail(operation, seen))


def _is_older(seen: RefundStatus, known: RefundStatus) -> bool:
    """A pending that arrives after the outcome is an old answer."""
    return seen in UNDER_WAY and known in (RefundStatus.SUCCEEDED, RefundStatus.FAILED)


def _hold_again(change: Change, operation: RefundOperation) -> None:
    """Its reservation was given back; a person has made the refund at Stripe since."""
    payment = change.load(Payment, operation.payment)
    if payment is None:
        raise BrokenInvariantError(f"refund {operation.id} of an unknown payment")
    change.put(payment.reserve_again(operation.amount))


def _under_way(
    change: Change, before: RefundOperation, operation: RefundOperation, seen: RefundFacts
) -> None:
    """Not refunded yet, and the customer is told no more than that; but Stripe may send it."""
    payment = change.load(Payment, operation.payment)
    if payment is not None:
        note_exposures(change, payment)
    if operation.status is RefundStatus.REQUIRES_ACTION:
        change.mail("refund_requires_action", _mail(operation, seen))
    elif before.status not in UNDER_WAY:
        change.mail("refund_pending", _mail(operation, seen))
    promise = promise_of(change, operation)
    if promise is not None:
        settle(change, promise)


def _succeeded(change: Change, operation: RefundOperation, seen: RefundFacts) -> None:
    payment = change.load(Payment, operation.payment)
    if payment is None:
        raise BrokenInvariantError(f"refund {operation.id} of an unknown payment")
    settled = payment.settle(operation.amount)
    change.put(settled)
    note_exposures(change, settled)
    change.post(
        "refund",
        (Book.PAID, Book.REFUNDED),
        operation.amount,
        operation.currency,
        cause=operation.id,
        evidence=(seen.id, operation.payment),
    )
    change.mail("refund_issued", _mail(operation, seen))
    change.publish("RefundIssued", _event(operation, seen))
    promise = promise_of(change, operation)
    if promise is None:
        raise BrokenInvariantError(f"refund {operation.id} of no promise")
    if operation.replaced_by:
        # Made by hand after it was replanned: the money may be out twice.
        change.audit("refund_made_twice", "it was replaced", refund=operation.id)
        change.alert("refund_made_twice", operation.id, f"{seen.id} was made after its replacement")
        hand_over(change, promise)
        return
    if operation.credit_note is None:
        document_refunds(change, promise, operation.invoice)
    settle(change, promise)


def _failed(
    change: Change, before: RefundOperation, operation: RefundOperation, seen: RefundFacts
) -> None:
    """The money is not with the customer: give the reservation back and call a person."""
    payment = change.load(Payment, operation.payment)
    if payment is None:
        raise BrokenInvariantError(f"refund {operation.id} of an unknown payment")
    if before.status is RefundStatus.SUCCEEDED:
        back = replace(payment, refunded=payment.refunded - operation.amount)
        change.put(back)
        note_exposures(change, back)
        change.post(
            "refund_failed",
            (Book.REFUNDED, Book.PAID),
            operation.amount,
            operation.currency,
            cause=operation.id,
            evidence=(seen.id,),
        )
    else:
        released = payment.release(operation.amount)
        change.put(released)
        note_exposures(change, released)
    change.mail("refund_failed", _mail(operation, seen))
    change.publish("RefundFailed", _event(operation, seen))
    promise = promise_of(change, operation)
    if promise is not None:
        settle(change, promise)


def _mail(operation: RefundOperation, seen: RefundFacts) -> dict[str, str]:
    amount = money_text(operation.amount, operation.currency)
    return {
        "refund": operation.id,
        "stripe_refund": seen.id,
        "amount": amount,
        "bank_reference": seen.bank_reference or "",
    }


def _event(operation: RefundOperation, seen: RefundFacts) -> dict[str, str | int | None]:
    return {
        "refund": operation.id,
        "stripe_refund": seen.id,
        "payment": operation.payment,
        "amount": operation.amount,
        "currency": operation.currency,
        "cancellation": operation.cancellation,
        "refund_case": operation.refund_case,
    }
