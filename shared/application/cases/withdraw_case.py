"""Take a refund request back, while nobody has decided on it."""

from dataclasses import replace

from shared.application.change import Change, transact
from shared.application.step_case import step_case
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.refund_case import CaseState, RefundCase
from shared.ports import Services


def withdraw_case(services: Services, *, customer: str, case: str) -> RefundCase:
    """The case, withdrawn.

    Raises:
        NotFoundError: no such case of this customer.
        ConflictError: it is decided, or was taken back before.
    """

    def decide(change: Change) -> RefundCase:
        known = change.load(RefundCase, case)
        if known is None:
            raise NotFoundError("refund request")
        if not known.is_open:
            raise ConflictError(
                "not-open",
                f"This request is {known.state.value}; it can be taken back until it is decided.",
                {"state": known.state.value},
            )
        by = f"customer:{customer}"
        answered = replace(known, decided_at=change.now, decided_by=by)
        return step_case(change, answered, CaseState.WITHDRAWN)

    return transact(services, customer, f"customer:{customer}", decide)
