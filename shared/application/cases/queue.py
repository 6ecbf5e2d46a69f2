"""The staff's queue: every case with something to do, the first due first."""

from typing import Any

from shared.application.case_document import instant
from shared.domain.refund_case import QueuedCase, RefundCase
from shared.ports import Services

PAGE = 50


def show_queue(services: Services, *, after: str | None) -> dict[str, Any]:
    """A page of the queue, from the due index; `next` asks for the one behind it.

    The index may lag behind by a moment, so each case is read as it is now.

    Raises:
        InvalidRequestError: `after` is no cursor.
    """
    page = services.store.queued(QueuedCase.queue, limit=PAGE, after=after)
    rows = []
    for due in page.rows:
        stored = services.store.get(RefundCase, due.customer, due.id)
        if stored is not None and (at := stored.record.queued_until()) is not None:
            rows.append(_row(stored.record) | {"due_at": instant(at)})
    return {"data": rows, "next": page.after}


def _row(case: RefundCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "customer": case.customer,
        "state": case.state.value,
        "ground": case.ground.value,
        "ground_stated": case.ground_stated,
        "channel": case.channel,
        "opened_at": instant(case.opened_at),
        "amount": case.amount,
        "currency": case.currency,
        "late": any(c.late_at is not None and c.stopped_at is None for c in case.clocks),
        "approvals": len(case.approvals),
    }
