"""What other promises give back on the same invoices, whether it is out already or on its way."""

import json
from collections.abc import Sequence
from typing import Any

from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.errors import BrokenInvariantError
from shared.domain.facts import Ground
from shared.domain.invoice import InvoiceFacts
from shared.domain.records import Assessment, Quote
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
    returned = _by_line(services, ground, cases, cancellations)
    promised = [credit for case in cases for credit in case.credits]
    promised += [credit for cancellation in cancellations for credit in cancellation.credits]
    for invoice, document in zip(invoices, documents, strict=True):
        document["credited"] += sum(
            credit.amount
            for credit in promised
            if credit.invoice == invoice.id and credit.credit_note is None
        )
        for line in document["lines"]:
            if line["id"] in returned:
                line["returned"] = returned[line["id"]]


def _by_line(
    services: Services,
    ground: Ground,
    cases: Sequence[RefundCase],
    cancellations: Sequence[Cancellation],
) -> dict[str, dict[str, int]]:
    returned: dict[str, dict[str, int]] = {}
    for document in _decisions(services, ground, cases, cancellations):
        for line in json.loads(document)["lines"]:
            if line["amount"] or line["tax"]:
                sums = returned.setdefault(line["id"], {"amount": 0, "tax": 0})
                sums["amount"] += line["amount"]
                sums["tax"] += line["tax"]
    return returned


def _decisions(
    services: Services,
    ground: Ground,
    cases: Sequence[RefundCase],
    cancellations: Sequence[Cancellation],
) -> list[str]:
    """What was decided on the same ground; a cancellation that a case led to is that case's."""
    found = []
    for case in cases:
        if effective_ground(case) is ground:
            assessment = services.store.get(Assessment, case.customer, case.id)
            if assessment is None:
                raise BrokenInvariantError(f"case {case.id} was decided without an assessment")
            found.append(assessment.record.document)
    for one in cancellations if ground is Ground.UNUSED_PERIOD else ():
        quote = services.store.get(Quote, one.customer, one.quote)
        if one.refund_case is None and quote is not None:
            found.append(quote.record.document)
    return found
