"""What follows once a replanned refund has reached the customer another way than by a refund."""

from shared.application.change import Change
from shared.application.document_return import document_refunds
from shared.application.expose import note_exposures
from shared.application.promises import promise_of
from shared.application.settle_promise import settle
from shared.domain.errors import BrokenInvariantError
from shared.domain.ledger import Book
from shared.domain.money_text import money_text
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundOperation, RefundStatus, RefundWay

_BOOKS = {RefundWay.ACCOUNT_CREDIT: Book.CREDITED, RefundWay.OUT_OF_BAND: Book.TRANSFERRED}


def settle_replacement(change: Change, operation: RefundOperation) -> None:
    """Book it with its reference, tell the customer, and document it if nothing does yet."""
    payment = change.load(Payment, operation.payment)
    promise = promise_of(change, operation)
    if payment is None or promise is None:
        raise BrokenInvariantError(f"refund {operation.id} of an unknown payment or promise")
    settled = payment.settle_elsewhere(operation.amount)
    change.put(settled)
    note_exposures(change, settled)
    change.put(operation.step(RefundStatus.SUCCEEDED))
    change.post(
        "refund_elsewhere",
        (Book.PAID, _BOOKS[operation.way]),
        operation.amount,
        operation.currency,
        cause=operation.id,
        evidence=tuple(filter(None, (operation.reference, operation.credit_note))),
    )
    amount = money_text(operation.amount, operation.currency)
    reference = operation.reference or operation.id
    change.mail(
        f"refund_by_{operation.way.value}",
        {"refund": operation.id, "amount": amount, "reference": reference},
    )
    change.audit("refund_elsewhere", operation.way.value, refund=operation.id, shown_by=reference)
    if operation.credit_note is None:
        document_refunds(change, promise, operation.invoice)
    settle(change, promise)
