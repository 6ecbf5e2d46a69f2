"""Whether a promise is kept in full: every cent out, and documented."""

from collections.abc import Sequence

from shared.application.change import Change
from shared.application.promises import Promise
from shared.application.step_case import step_case
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus


def settle(change: Change, promise: Promise) -> None:
    """Step a promise on, or to a person, when its refunds say so."""
    refunds = promised(change, promise)
    if any(refund.problem for refund in refunds):
        hand_over(change, promise)
    elif all(r.status is RefundStatus.SUCCEEDED and r.is_documented for r in refunds) and all(
        credit.credit_note for credit in promise.credits
    ):
        _kept(change, promise)
    elif isinstance(promise, RefundCase):
        _under_way(change, promise, refunds)


def promised(change: Change, promise: Promise) -> list[RefundOperation]:
    """The refunds that stand for what was promised: what was replaced is left out."""
    operations = [change.load(RefundOperation, refund) for refund in promise.refunds]
    return [operation for operation in operations if operation and not operation.replaced_by]


def reopen(change: Change, promise: Promise) -> None:
    """A promise that waited for a person is under way again, unless something else waits too."""
    if any(refund.problem for refund in promised(change, promise)):
        return
    if isinstance(promise, RefundCase):
        step_case(change, promise, CaseState.PAYING)
    elif promise.state is CancellationState.NEEDS_PERSON:
        change.put(promise.step(CancellationState.EXECUTING))
        _follow(change, promise, CaseState.PAYING)


def hand_over(change: Change, promise: Promise) -> None:
    """A person has to look at this promise; the audit trail says why."""
    if isinstance(promise, RefundCase):
        step_case(change, promise, CaseState.NEEDS_PERSON)
        return
    if promise.state is not CancellationState.NEEDS_PERSON:
        change.put(promise.step(CancellationState.NEEDS_PERSON))
    _follow(change, promise, CaseState.NEEDS_PERSON)


def _kept(change: Change, promise: Promise) -> None:
    if isinstance(promise, RefundCase):
        step_case(change, promise, CaseState.PAID)
        return
    if promise.state is not CancellationState.EXECUTED:
        change.put(promise.step(CancellationState.EXECUTED))
    _follow(change, promise, CaseState.PAID)


def _under_way(change: Change, case: RefundCase, refunds: Sequence[RefundOperation]) -> None:
    if any(refund.status is not RefundStatus.RESERVED for refund in refunds):
        step_case(change, case, CaseState.PAYING)


def _follow(change: Change, cancellation: Cancellation, state: CaseState) -> None:
    """The case that led to a cancellation is settled with it."""
    case = cancellation.refund_case and change.load(RefundCase, cancellation.refund_case)
    if case:
        step_case(change, case, state)
