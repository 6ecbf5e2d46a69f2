"""One credit note an invoice: it documents the refunds made and gives the account credit."""

from shared.application.change import Change
from shared.application.promises import Promise, named
from shared.domain.effects import EffectKind
from shared.domain.refund_operation import RefundOperation, RefundStatus


def document_credits(change: Change, promise: Promise) -> None:
    """Credit notes of the invoices on which nothing but account credit goes back."""
    operations = [change.load(RefundOperation, refund) for refund in promise.refunds]
    refunded = {operation.invoice for operation in operations if operation}
    for credit in promise.credits:
        if credit.invoice not in refunded:
            _issue(change, promise, credit.invoice, [])


def document_refunds(change: Change, promise: Promise, invoice: str) -> None:
    """The credit note of an invoice, once every refund on it has succeeded."""
    operations = [change.load(RefundOperation, refund) for refund in promise.refunds]
    mine = [operation for operation in operations if operation and operation.invoice == invoice]
    if all(operation.status is RefundStatus.SUCCEEDED for operation in mine):
        _issue(change, promise, invoice, mine)


def _issue(change: Change, promise: Promise, invoice: str, refunds: list[RefundOperation]) -> None:
    change.effect(
        EffectKind.ISSUE_CREDIT_NOTE,
        {
            # Named by what it documents, so that it is found again whoever asks for it.
            "operation": f"{promise.id}:{invoice}",
            **named(promise),
            "quote": promise.quote,
            "invoice": invoice,
            "refunds": [[r.id, r.stripe_refund, r.amount] for r in refunds],
        },
    )
