"""Whether a cancellation that was executed at once is complete: every cent out and documented."""

from shared.application.change import Change
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.refund_operation import RefundOperation, RefundStatus

_ENDED_BADLY = frozenset({RefundStatus.FAILED, RefundStatus.REJECTED, RefundStatus.NEEDS_PERSON})


def settle_cancellation(change: Change, cancellation: Cancellation) -> None:
    """Step the cancellation to executed, or to a person, when its refunds say so."""
    operations = [change.load(RefundOperation, refund) for refund in cancellation.refunds]
    refunds = [operation for operation in operations if operation]
    if any(refund.status in _ENDED_BADLY for refund in refunds):
        hand_over(change, cancellation)
    elif (
        all(r.status is RefundStatus.SUCCEEDED and r.credit_note for r in refunds)
        and all(credit.credit_note for credit in cancellation.credits)
        and cancellation.state is not CancellationState.EXECUTED
    ):
        change.put(cancellation.step(CancellationState.EXECUTED))


def hand_over(change: Change, cancellation: Cancellation) -> None:
    """A person has to look at this cancellation; the audit trail says why."""
    if cancellation.state is not CancellationState.NEEDS_PERSON:
        change.put(cancellation.step(CancellationState.NEEDS_PERSON))
