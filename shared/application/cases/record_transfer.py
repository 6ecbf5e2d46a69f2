"""Record that money of a case was transferred outside Stripe: what no refund could send back.

The transfer itself is made at the company's bank, before it is recorded. What is recorded closes
the promise once, and stands in the ledger with its reference. Above the limits a second person has
to vouch for the same reference and amount.
"""

from dataclasses import dataclass, replace

from shared.application.approval_need import limits_in_force
from shared.application.cases.notes import write_note
from shared.application.change import Change, transact
from shared.application.promises import promise_of
from shared.application.replan_refund import Replan, replan
from shared.application.settle_promise import reopen
from shared.application.settle_replacement import settle_replacement
from shared.domain.approval_limits import Grant, Grants, Need, needed, suffices
from shared.domain.cancellation import CancellationState
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus, RefundWay, Voucher
from shared.domain.staff import StaffMember
from shared.ports import Services

_DID_NOT_ARRIVE = (RefundStatus.FAILED, RefundStatus.REJECTED)
_WAITS = (CaseState.NEEDS_PERSON, CancellationState.NEEDS_PERSON)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that was made: for which refund, how much (minor units), and what shows it."""

    refund: str
    amount: int
    reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The case after a recording, and whose word is still missing."""

    case: RefundCase
    need: Need | None = None


def record_transfer(
    services: Services, *, by: StaffMember, customer: str, case: str, transfer: Transfer
) -> Recorded:
    """The case with the transfer booked, or waiting for a second person's word.

    Raises:
        NotFoundError: no such case, or no such refund of it.
        ConflictError: it was recorded before (by whom, with which reference), the amount or the
            reference is another, the same person again, or nothing is to be transferred.
    """

    def decide(change: Change) -> Recorded:
        known, refund = _load(change, case, transfer)
        _refuse_done(change, refund)
        _refuse_other(refund, transfer, by)
        note = write_note(change, known, "transfer", by.actor, transfer.reason)
        mine = Voucher(by.actor, by.role.value, change.now, transfer.reference)
        earlier = tuple(v for v in refund.vouchers if v.reference == transfer.reference)
        refund = replace(refund, vouchers=(*earlier, mine))
        change.put(refund)
        change.audit("transfer_vouched", f"as {mine.role}", case=case, refund=refund.id, note=note)
        need = _need(change, refund)
        if not suffices(need, [(v.by, v.role) for v in refund.vouchers]):
            return Recorded(known, need)
        _book(change, refund, transfer)
        return Recorded(change.load(RefundCase, case) or known)

    return transact(services, customer, by.actor, decide)


def _load(change: Change, case: str, transfer: Transfer) -> tuple[RefundCase, RefundOperation]:
    known = change.load(RefundCase, case)
    if known is None:
        raise NotFoundError("refund request")
    refund = change.load(RefundOperation, transfer.refund)
    if refund is None or refund.promised_by not in (known.id, known.cancellation):
        raise NotFoundError("refund")
    return known, refund


def _refuse_done(change: Change, refund: RefundOperation) -> None:
    made = refund
    if refund.replaced_by:
        made = change.load(RefundOperation, refund.replaced_by) or refund
    if made.way is RefundWay.OUT_OF_BAND and made.status is RefundStatus.SUCCEEDED:
        raise ConflictError(
            "already-transferred",
            "This transfer is recorded already.",
            {"reference": made.reference, "recorded_by": [v.by for v in refund.vouchers]},
        )
    promise = promise_of(change, refund)
    waits = promise is not None and promise.state in _WAITS
    if not waits or not (refund.awaits_transfer or refund.status in _DID_NOT_ARRIVE):
        raise ConflictError(
            "nothing-to-transfer",
            f"Nothing of this refund is to be transferred: it is {refund.status.value}.",
            {"state": refund.status.value},
        )


def _refuse_other(refund: RefundOperation, transfer: Transfer, by: StaffMember) -> None:
    if transfer.amount != refund.amount:
        raise ConflictError(
            "other-amount",
            f"This refund is over {refund.amount} {refund.currency}, in minor units.",
            {"amount": refund.amount, "currency": refund.currency},
        )
    # Whoever has mistyped may correct it; somebody else's word is not overwritten.
    if any(v.by != by.actor and v.reference != transfer.reference for v in refund.vouchers):
        raise ConflictError(
            "other-reference",
            "Somebody has recorded another reference for this transfer.",
            {
                "reference": refund.vouchers[0].reference,
                "recorded_by": [v.by for v in refund.vouchers],
            },
        )
    if any(v.by == by.actor and v.reference == transfer.reference for v in refund.vouchers):
        raise ConflictError("same-person", "You have vouched for this; somebody else has to.")


def _need(change: Change, refund: RefundOperation) -> Need:
    """By the amount alone: that it may go was granted before, and counted then."""
    asked = Grant(change.now, refund.amount, refund.currency)
    return needed(limits_in_force(change.services), asked, Grants(change.customer))


def _book(change: Change, refund: RefundOperation, transfer: Transfer) -> None:
    if not refund.awaits_transfer:
        plan = Replan(RefundWay.OUT_OF_BAND, "recorded by staff", reference=transfer.reference)
        replan(change, refund.id, plan)
        return
    settle_replacement(change, replace(refund, reference=transfer.reference))
    promise = promise_of(change, refund)
    if promise is not None:
        reopen(change, promise)
