"""One credit note an invoice: it documents the refunds made and gives the account credit."""

from shared.application.change import Change, transact
from shared.application.promises import Promise, named
from shared.application.settle_promise import promised
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus, RefundWay
from shared.ports import Services

_BY_PERSON = (CancellationState.NEEDS_PERSON, CaseState.NEEDS_PERSON)


def document_credits(change: Change, promise: Promise) -> None:
    """Credit notes of the invoices on which nothing but account credit goes back."""
    refunded = {operation.invoice for operation in promised(change, promise)}
    for credit in promise.credits:
        if credit.invoice not in refunded:
            _issue(change, promise, credit.invoice, [])


def document_refunds(change: Change, promise: Promise, invoice: str) -> None:
    """The credit note of an invoice, once every refund on it has succeeded."""
    mine = [one for one in promised(change, promise) if one.invoice == invoice]
    if all(one.is_documented for one in mine):
        return
    if all(operation.status is RefundStatus.SUCCEEDED for operation in mine):
        _issue(change, promise, invoice, mine)


def document_again(
    services: Services,
    *,
    customer: str,
    promise: str,
    invoice: str,
    reason: str,
    by: str,
) -> None:
    """Ask anew for a credit note that Stripe has refused, once a person has removed the cause.

    One that a person has issued at Stripe under our name for it is taken over.

    Args:
        services: the ports.
        customer: whose invoice.
        promise: the cancellation or the refund case that it belongs to.
        invoice: which of its invoices.
        reason: why, for the audit trail.
        by: who asks.

    Raises:
        NotFoundError: no such promise to this customer.
        ConflictError: no refused credit note of that invoice waits for a person.
    """

    def decide(change: Change) -> None:
        known = change.load(Cancellation, promise) or change.load(RefundCase, promise)
        if known is None:
            raise NotFoundError("cancellation or case")
        refunds = [one for one in promised(change, known) if one.invoice == invoice]
        notes = [one.credit_note for one in refunds]
        notes += [credit.credit_note for credit in known.credits if credit.invoice == invoice]
        refunded = all(one.status is RefundStatus.SUCCEEDED for one in refunds)
        waits = known.state in _BY_PERSON and not is_under_way(change, known.id, invoice)
        if not notes or any(notes) or not refunded or not waits:
            detail = f"No refused credit note of invoice {invoice} waits for a person."
            raise ConflictError("credit-note-not-open", detail)
        _issue(change, known, invoice, refunds, again=True)
        change.audit("credit_note_asked_again", reason, invoice=invoice)

    transact(services, customer, by, decide)


def is_under_way(change: Change, promise: str, invoice: str) -> bool:
    """Whether the credit note of an invoice is being issued."""
    effects = [one.record for one in change.services.store.all_of(Effect, change.customer)]
    return any(
        effect.kind is EffectKind.ISSUE_CREDIT_NOTE
        and effect.due_at is not None
        and effect.params["operation"] == _name(promise, invoice)
        for effect in effects
    )


def _name(promise: str, invoice: str) -> str:
    """Named by what it documents, so that it is found again whoever asks for it."""
    return f"{promise}:{invoice}"


def _issue(
    change: Change,
    promise: Promise,
    invoice: str,
    refunds: list[RefundOperation],
    *,
    again: bool = False,
) -> None:
    change.effect(
        EffectKind.ISSUE_CREDIT_NOTE,
        {
            "operation": _name(promise.id, invoice),
            **named(promise),
            "quote": promise.quote,
            "invoice": invoice,
            "refunds": [[r.id, r.stripe_refund, r.amount] for r in refunds],
            "again": again,
            # No refund of the invoice carries these; to Stripe they went back outside of it.
            "outside": sum(r.amount for r in refunds if r.way is not RefundWay.PAYMENT),
        },
    )
