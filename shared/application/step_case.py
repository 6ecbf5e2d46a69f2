"""One step of a refund case, with what each step brings: clocks, the queue, the audit trail."""

from shared.application.change import Change
from shared.domain.case_clocks import ClockKind
from shared.domain.refund_case import CaseState, QueuedCase, RefundCase

_REVIEWED = frozenset({CaseState.APPROVED, CaseState.DENIED, CaseState.WITHDRAWN})


def step_case(change: Change, case: RefundCase, state: CaseState) -> RefundCase:
    """Put the case in `state` into `change`; a case that is there already, or past it, stays."""
    if case.state is state or (state is CaseState.PAYING and not case.may_become(state)):
        return case
    stepped = case.step(state)
    if state in _REVIEWED:
        stepped = stepped.stopped(change.now, ClockKind.REVIEW, ClockKind.EVIDENCE)
    if state is CaseState.WITHDRAWN:
        stepped = stepped.stopped(change.now)
    if state is CaseState.PAID:
        stepped = stepped.stopped(change.now, ClockKind.PAYOUT)
    change.audit(
        f"case_{state.value}", f"from {case.state.value}", case=case.id, policy=case.policy
    )
    return put_case(change, stepped)


def put_case(change: Change, case: RefundCase) -> RefundCase:
    """Put a case into `change` together with its place in the staff's queue."""
    change.put(case)
    change.load(QueuedCase, case.id)
    change.put(QueuedCase(case.customer, case.id, case.queued_until()))
    return case
