"""A cancellation as its customer sees it."""

from collections.abc import Sequence
from typing import Any

from shared.application.case_document import instant
from shared.domain.cancellation import Cancellation
from shared.domain.errors import NotFoundError
from shared.domain.refund_operation import RefundOperation
from shared.ports import Services


def show_cancellation(services: Services, *, customer: str, cancellation: str) -> dict[str, Any]:
    """The cancellation with its refunds as they stand now.

    Raises:
        NotFoundError: no such cancellation of this customer.
    """
    stored = services.store.get(Cancellation, customer, cancellation)
    if stored is None:
        raise NotFoundError("cancellation")
    refunds = [services.store.get(RefundOperation, customer, r) for r in stored.record.refunds]
    return cancellation_document(stored.record, [r.record for r in refunds if r])


def cancellation_document(
    cancellation: Cancellation, refunds: Sequence[RefundOperation]
) -> dict[str, Any]:
    """The API's form of a cancellation."""
    until = cancellation.can_withdraw_until()
    return {
        "id": cancellation.id,
        "subscription": cancellation.subscription,
        "quote_id": cancellation.quote,
        "timing": cancellation.timing.value,
        "state": cancellation.state.value,
        "requested_at": instant(cancellation.requested_at),
        "effective_at": instant(cancellation.effective_at),
        "items": [
            {"id": item.id, "access_until": instant(item.access_until)}
            for item in cancellation.items
        ],
        "refunds": [refund_document(refund) for refund in refunds],
        "account_credits": [
            {
                "invoice": credit.invoice,
                "amount": credit.amount,
                "currency": credit.currency,
                "credit_note": credit.credit_note,
            }
            for credit in cancellation.credits
        ],
        "can_withdraw_until": until and instant(until),
    }


def refund_document(refund: RefundOperation) -> dict[str, Any]:
    """The API's form of a refund."""
    return {
        "id": refund.id,
        "payment": refund.payment,
        "amount": refund.amount,
        "currency": refund.currency,
        "status": refund.status.value,
        "stripe_refund": refund.stripe_refund,
        "credit_note": refund.credit_note,
        "bank_reference": refund.bank_reference,
        "way": refund.way.value,
        "reference": refund.reference,
        "replaces": refund.replaces,
        "replaced_by": refund.replaced_by,
        "problem": refund.problem,
    }
