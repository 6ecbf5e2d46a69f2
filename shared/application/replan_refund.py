"""A refund that did not arrive goes another way, which a person chooses.

The promise stays one: what replaces the refund is linked to it, and documented by the same credit
note, which Stripe does not change once it is issued. Nothing is ever sent again by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.application.change import Change, transact
from shared.application.document_return import is_under_way
from shared.application.plan_refunds import refund_params, reserve
from shared.application.promises import Promise, promise_of, with_refund
from shared.application.settle_promise import reopen
from shared.application.settle_replacement import settle_replacement
from shared.domain.effects import EffectKind
from shared.domain.errors import (
    BrokenInvariantError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)
from shared.domain.records import Assessment, Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import (
    RefundOperation,
    RefundStatus,
    RefundWay,
    status_seen,
)
from shared.ports import Services

_OPEN = (RefundStatus.FAILED, RefundStatus.REJECTED)
_MOST = 200  # letters of a reference


@dataclass(frozen=True, slots=True)
class Replan:
    """What a person has chosen.

    Args:
        way: how the customer gets the money.
        reason: why, for the audit trail.
        payment: which payment of the same invoice, where the way is a payment.
        reference: what shows it, where it was paid outside Stripe: a transfer's number.
    """

    way: RefundWay
    reason: str
    payment: str | None = None
    reference: str | None = None


def replan_refund(
    services: Services, *, customer: str, refund: str, plan: Replan, by: str
) -> RefundOperation:
    """Plan the money of a failed or refused refund anew; the refund that replaces it.

    Args:
        services: the ports.
        customer: whose refund.
        refund: the operation that did not get through.
        plan: the way that a person has chosen.
        by: that person, for the audit trail.

    Raises:
        NotFoundError: no such refund of this customer.
        InvalidRequestError: the way lacks its payment or reference, or has one too many.
        ConflictError: it is not open any more, or that way is closed; the detail says why.
    """
    return transact(services, customer, by, lambda change: replan(change, refund, plan))


def replan(change: Change, refund: str, plan: Replan) -> RefundOperation:
    """The same as part of a change."""
    _refuse_malformed(plan)
    failed = change.load(RefundOperation, refund)
    if failed is None:
        raise NotFoundError("refund")
    promise = promise_of(change, failed)
    if promise is None:
        raise BrokenInvariantError(f"refund {refund} of no promise")
    _refuse_unless_open(change, failed)
    return _plan(change, promise, failed, plan)


def _refuse_malformed(plan: Replan) -> None:
    if (plan.payment is not None) != (plan.way is RefundWay.PAYMENT):
        raise _malformed("payment", "Name a payment when the way is one, and only then.")
    if (plan.reference is not None) != (plan.way is RefundWay.OUT_OF_BAND):
        message = "Give the transfer's reference when it was paid outside Stripe, and only then."
        raise _malformed("reference", message)
    if plan.reference is not None and not 0 < len(plan.reference.strip()) <= _MOST:
        raise _malformed("reference", f"Between 1 and {_MOST} letters.")


def _malformed(field: str, why: str) -> InvalidRequestError:
    fault = {"path": f"$.{field}", "message": why}
    return InvalidRequestError("invalid-request", why, {"errors": [fault]})


def _refuse_unless_open(change: Change, failed: RefundOperation) -> None:
    if failed.replaced_by:
        raise ConflictError(
            "refund-replanned",
            "This refund was replanned before.",
            {"replaced_by": failed.replaced_by},
        )
    if failed.status not in _OPEN:
        raise ConflictError(
            "refund-not-open",
            f"This refund is {failed.status}; only one that failed or was refused goes anew.",
        )
    # Somebody may have made it by hand, and its event be on its way.
    for seen in change.services.billing.refunds_of(failed.payment):
        if seen.operation == failed.id and status_seen(seen.status) is not RefundStatus.FAILED:
            raise ConflictError("refund-exists", f"At Stripe {seen.id} pays this: {seen.status}.")
    if is_under_way(change, failed.promised_by, failed.invoice):
        message = "Its credit note is being issued; try again in some minutes."
        raise ConflictError("credit-note-under-way", message)


def _plan(
    change: Change, promise: Promise, failed: RefundOperation, plan: Replan
) -> RefundOperation:
    replacement = RefundOperation(
        id=change.services.ids.new(),
        customer=failed.customer,
        cancellation=failed.cancellation,
        refund_case=failed.refund_case,
        invoice=failed.invoice,
        payment=plan.payment or failed.payment,
        amount=failed.amount,
        currency=failed.currency,
        status=RefundStatus.RESERVED,
        reserved_at=change.now,
        credit_note=failed.credit_note,
        statutory=failed.statutory,
        decided_by=failed.decided_by,
        way=plan.way,
        replaces=failed.id,
        reference=plan.reference,
    )
    _hold(change, promise, failed, replacement)
    change.put(replacement)
    change.put(replace(failed, replaced_by=replacement.id))
    changed = with_refund(promise, replacement.id)
    change.put(changed)
    reopen(change, changed)
    change.audit(
        "refund_replanned", plan.reason, refund=failed.id, by=replacement.id, way=plan.way.value
    )
    change.publish("RefundReplanned", _event(failed, replacement))
    _send(change, replacement)
    return replacement


def _hold(
    change: Change,
    promise: Promise,
    failed: RefundOperation,
    replacement: RefundOperation,
) -> None:
    """Reserve on the payment that pays: any of the invoice's, and not one that is gone."""
    if replacement.way is RefundWay.PAYMENT:
        if replacement.payment == failed.payment and not failed.can_repeat():
            detail = f"The bank has said {failed.reason}: nothing arrives there any more."
            raise ConflictError("payment-method-gone", detail)
        if replacement.payment not in _payments(change, promise, failed.invoice):
            detail = f"{replacement.payment} has not paid invoice {failed.invoice}."
            raise ConflictError("payment-of-another-invoice", detail)
    seen = change.services.billing.payment(replacement.payment)
    if seen is None or (replacement.way is RefundWay.PAYMENT and not seen.refundable):
        detail = f"Stripe does not refund payment {replacement.payment}."
        raise ConflictError("payment-not-refundable", detail)
    facts = {"total": seen.total, "refunded": seen.refunded, "disputed": seen.disputed}
    reserve(change, replacement.payment, failed.currency, facts, failed.amount)


def _payments(change: Change, promise: Promise, invoice: str) -> Mapping[str, Any]:
    """What has paid an invoice of the quote, by its id."""
    of_case = isinstance(promise, RefundCase)
    quote = change.load(Assessment, promise.id) if of_case else change.load(Quote, promise.quote)
    if quote is None:
        raise BrokenInvariantError(f"promise {promise.id} of a lost quote")
    backs = {back["invoice"]: back for back in json.loads(quote.returns)}
    payments: Mapping[str, Any] = backs[invoice]["payments"]
    return payments


def _send(change: Change, replacement: RefundOperation) -> None:
    match replacement.way:
        case RefundWay.PAYMENT:
            change.effect(EffectKind.REFUND_PAYMENT, refund_params(replacement))
        case RefundWay.ACCOUNT_CREDIT:
            change.effect(EffectKind.GIVE_CREDIT, refund_params(replacement))
        case RefundWay.OUT_OF_BAND:
            settle_replacement(change, replacement)


def _event(failed: RefundOperation, replacement: RefundOperation) -> dict[str, str | int | None]:
    return {
        "refund": replacement.id,
        "replaces": failed.id,
        "way": replacement.way.value,
        "payment": replacement.payment,
        "amount": replacement.amount,
        "currency": replacement.currency,
        "credit_note": replacement.credit_note,
        "cancellation": replacement.cancellation,
        "refund_case": replacement.refund_case,
    }
