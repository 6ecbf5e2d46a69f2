"""Turn a quote's allocation into refund operations, each with its reservation on the payment."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.application.change import Change
from shared.domain.cancellation import Cancellation
from shared.domain.errors import BrokenInvariantError
from shared.domain.payment import Payment
from shared.domain.records import Quote
from shared.domain.refund_operation import RefundOperation, RefundStatus


def plan_refunds(
    change: Change, cancellation: Cancellation, quote: Quote, document: Mapping[str, Any]
) -> list[RefundOperation]:
    """The refunds that the quote promises, reserved in `change`.

    Raises:
        ConflictError: a payment no longer has that much left, or is disputed.
    """
    if document["outcome"] != "granted":
        return []
    invoices = json.loads(quote.invoices)
    return [
        _reserve(change, cancellation, document["currency"], invoices, share)
        for share in document["allocation"]
        if share["amount"]
    ]


def _reserve(
    change: Change,
    cancellation: Cancellation,
    currency: str,
    invoices: Mapping[str, Any],
    share: Mapping[str, Any],
) -> RefundOperation:
    invoice, facts = _paid_invoice(invoices, share["payment"])
    payment = change.load(Payment, share["payment"]) or Payment(
        id=share["payment"],
        customer=change.customer,
        currency=currency,
        amount=facts["total"],
    )
    # What was refunded or disputed elsewhere since we last looked counts too.
    payment = replace(
        payment,
        refunded=max(payment.refunded, facts["refunded"]),
        disputed=max(payment.disputed, facts["disputed"]),
    )
    change.put(payment.reserve(share["amount"]))
    operation = RefundOperation(
        id=change.services.ids.new(),
        customer=change.customer,
        cancellation=cancellation.id,
        invoice=invoice,
        payment=share["payment"],
        amount=share["amount"],
        currency=currency,
        status=RefundStatus.RESERVED,
        reserved_at=change.now,
    )
    change.put(operation)
    return operation


def _paid_invoice(invoices: Mapping[str, Any], payment: str) -> tuple[str, Mapping[str, Any]]:
    for invoice in invoices.values():
        if payment in invoice["payments"]:
            return invoice["id"], invoice["payments"][payment]
    raise BrokenInvariantError(f"an allocation to payment {payment}, which paid no quoted invoice")
