"""What other promises give back on the same invoices, whether it is out already or on its way."""

import json
from collections.abc import Sequence
from typing import Any

from shared.application.promises import Promise, decision_of
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.facts import Ground
from shared.domain.invoice import InvoiceFacts
from shared.domain.refund_case import CaseState, RefundCase
from shared.ports import Services

# Promises whose money is out, or on its way.
_CASES = (CaseState.APPROVED, CaseState.PAYING, CaseState.PAID, CaseState.NEEDS_PERSON)
_CANCELLATIONS = (
    *(CancellationState.EXECUTING, CancellationState.EXECUTED),
    CancellationState.NEEDS_PERSON,
)


def effective_ground(case: RefundCase) -> Ground:
    """The ground that is decided on: goodwill, where staff make an exception."""
    return Ground.GOODWILL if case.goodwill else case.ground


def note_returns(
    services: Services,
    customer: str,
    ground: Ground,
    invoices: Sequence[InvoiceFacts],
    documents: Sequence[dict[str, Any]],
    *,
    besides: str = "",
) -> None:
    """Put into the `documents` of `invoices` what promises other than `besides` give back on them.

    On the same ground what has gone back on a line comes off; on any ground a credit that no
    credit note documents yet is one that Stripe does not know of.
    """
    cases = [
        stored.record
        for stored in services.store.all_of(RefundCase, customer)
        if stored.record.state in _CASES and stored.record.id != besides
    ]
    cancellations = [
        stored.record
        for stored in services.store.all_of(Cancellation, customer)
        if stored.record.state in _CANCELLATIONS
    ]
    promises: list[Promise] = [*cases, *cancellations]
    alike = [promise for promise in promises if _is_alike(promise, ground)]
    returned = _by_line(services, alike)
    for invoice, document in zip(invoices, documents, strict=True):
        document["credited"] += sum(
            credit.amount
            for promise in promises
            for credit in promise.credits
            if credit.invoice == invoice.id and credit.credit_note is None
        )
        for line in document["lines"]:
            if line["id"] in returned:
                line["returned"] = returned[line["id"]]


def _is_alike(promise: Promise, ground: Ground) -> bool:
    """Whether it gives something back on that ground."""
    if isinstance(promise, RefundCase):
        return effective_ground(promise) is ground
    # What a cancellation gives that a case has led to is that case's.
    gives = bool(promise.refunds or promise.credits) and promise.refund_case is None
    return gives and ground is Ground.UNUSED_PERIOD


def _by_line(services: Services, promises: Sequence[Promise]) -> dict[str, dict[str, int]]:
    returned: dict[str, dict[str, int]] = {}
    for promise in promises:
        for line in json.loads(decision_of(services, promise).document)["lines"]:
            sums = returned.setdefault(line["id"], {"amount": 0, "tax": 0})
            sums["amount"] += line["amount"]
            sums["tax"] += line["tax"]
    return returned
