"""Turn a quote's allocation into refund operations, each with its reservation on the payment."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.application.change import Change
from shared.application.held import up_to_date
from shared.application.promises import Promise, named
from shared.domain.cancellation import AccountCredit
from shared.domain.decision import Ruled
from shared.domain.effects import EffectKind
from shared.domain.payment import Payment
from shared.domain.records import Assessment, Quote
from shared.domain.refund_operation import RefundOperation, RefundStatus, RefundWay
from shared.domain.withdrawal import KIND as STATUTE

# Where the amounts of a way stand in what goes back on an invoice.
_MEMBERS = {RefundWay.PAYMENT: "refunds", RefundWay.OUT_OF_BAND: "transfers"}


def plan_refunds(
    change: Change,
    promise: Promise,
    quote: Quote | Assessment,
    document: Mapping[str, Any],
    *,
    decided_by: str | None = None,
) -> list[RefundOperation]:
    """The refunds that the quote promises, reserved in `change`.

    What Stripe cannot refund is one of them too: a transfer that a person makes and records.

    Args:
        change: the decision they are part of.
        promise: what they belong to.
        quote: what goes back on which payment.
        document: the quote's document.
        decided_by: the person who granted them, where it was not the policy alone.

    Raises:
        ConflictError: a payment no longer has that much left, or is disputed.
    """
    if document["outcome"] != "granted":
        return []
    statutory = is_statutory(document)
    operations = [
        replace(
            _reserve(change, promise, document["currency"], back, payment, way),
            statutory=statutory,
            decided_by=decided_by,
        )
        for back in json.loads(quote.returns)
        for way, member in _MEMBERS.items()
        for payment in back.get(member, {})
    ]
    for operation in operations:
        change.put(operation)
    return operations


def is_statutory(document: Mapping[str, Any]) -> bool:
    """Whether a statute has granted it, over whatever the policy says."""
    return any(
        entry["kind"] == STATUTE and entry["ruled"] == Ruled.PASSED for entry in document["trace"]
    )


def plan_credits(
    quote: Quote | Assessment, document: Mapping[str, Any]
) -> tuple[AccountCredit, ...]:
    """What the quote gives to the customer's balance, by invoice."""
    if document["outcome"] != "granted":
        return ()
    return tuple(
        AccountCredit(back["invoice"], back["credit"], document["currency"])
        for back in json.loads(quote.returns)
        if back["credit"]
    )


def refund_params(operation: RefundOperation) -> dict[str, str | int | None]:
    """What the effect that sends a reserved amount has to know."""
    return {
        "refund": operation.id,
        "payment": operation.payment,
        "amount": operation.amount,
        "currency": operation.currency,
        "statutory": operation.statutory,
        "decided_by": operation.decided_by,
    }


def send_refunds(change: Change, refunds: Iterable[RefundOperation]) -> None:
    """The effects that make them; a transfer waits for a person instead."""
    for refund in refunds:
        if refund.way is RefundWay.PAYMENT:
            change.effect(EffectKind.REFUND_PAYMENT, refund_params(refund))


def reserve(
    change: Change, name: str, currency: str, facts: Mapping[str, int], amount: int
) -> None:
    """Hold `amount` of a payment that was just read: its `total`, `refunded`, `disputed`.

    Raises:
        ConflictError: it no longer has that much left, or is disputed.
    """
    payment = change.load(Payment, name) or Payment(
        id=name,
        customer=change.customer,
        currency=currency,
        amount=facts["total"],
    )
    # What was refunded or disputed elsewhere since we last looked counts too.
    payment = up_to_date(change.services, payment, facts["refunded"])
    payment = replace(payment, disputed=max(payment.disputed, facts["disputed"]))
    change.put(payment.reserve(amount))


def _reserve(
    change: Change,
    promise: Promise,
    currency: str,
    back: Mapping[str, Any],
    name: str,
    way: RefundWay,
) -> RefundOperation:
    amount, names = back[_MEMBERS[way]][name], named(promise)
    reserve(change, name, currency, back["payments"][name], amount)
    return RefundOperation(
        id=change.services.ids.new(),
        customer=change.customer,
        cancellation=names.get("cancellation"),
        refund_case=names.get("refund_case"),
        invoice=back["invoice"],
        payment=name,
        amount=amount,
        currency=currency,
        status=RefundStatus.RESERVED,
        reserved_at=change.now,
        way=way,
    )
