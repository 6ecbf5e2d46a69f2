"""A refund case as its customer sees it, and as the staff see it."""

import json
from collections.abc import Sequence
from typing import Any

from shared.application.case_document import instant
from shared.application.cases.notes import open_note
from shared.application.cases.read_signals import read_signals
from shared.application.show_cancellation import refund_document
from shared.domain.case_clocks import CaseClock
from shared.domain.errors import ErasedError, NotFoundError
from shared.domain.records import Assessment, AuditEntry, CaseNote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation
from shared.domain.upload import Upload
from shared.ports import Services


def list_cases(services: Services, *, customer: str) -> dict[str, Any]:
    """All refund requests of a customer, the oldest first."""
    found = services.store.all_of(RefundCase, customer)
    return {"data": [customer_view(services, stored.record) for stored in found]}


def show_case(services: Services, *, customer: str, case: str) -> dict[str, Any]:
    """One refund request as its customer sees it.

    Raises:
        NotFoundError: no such request of this customer.
    """
    return customer_view(services, load_case(services, customer, case))


def load_case(services: Services, customer: str, case: str) -> RefundCase:
    """A case as it stands.

    Raises:
        NotFoundError: no such case of this customer.
    """
    stored = services.store.get(RefundCase, customer, case)
    if stored is None:
        raise NotFoundError("refund request")
    return stored.record


def customer_view(services: Services, case: RefundCase) -> dict[str, Any]:
    """What the customer may know: the state, the clocks' ends, the answer; not who decided."""
    stored = services.store.get(Assessment, case.customer, case.id)
    document = json.loads(stored.record.document) if stored else None
    answered = case.decided_at is not None and document is not None
    clocks = {clock.kind.value: clock for clock in case.clocks}
    return {
        "id": case.id,
        "state": case.state.value,
        "ground": case.ground.value,
        "ground_stated": case.ground_stated,
        "invoices": list(case.invoices),
        "channel": case.channel,
        "opened_at": instant(case.opened_at),
        "policy": case.policy,
        "asked_for": list(case.asked_for),
        "review_by": _due(clocks.get("review")),
        "payout_by": _due(clocks.get("payout")),
        "callback": _callback(case),
        "evidence": [_evidence(one) for one in uploads_of(services, case)],
        "outcome": document["outcome"] if answered and document else None,
        "amount": case.amount if answered else None,
        "currency": case.currency if answered else None,
        "reasons": document["reasons"] if answered and document else [],
        "refunds": _refunds(services, case),
    }


def staff_view(services: Services, case: RefundCase) -> dict[str, Any]:
    """Everything: facts, trace, findings, consents, texts, timeline."""
    stored = services.store.get(Assessment, case.customer, case.id)
    assessment = stored.record if stored else None
    notes = [n.record for n in services.store.all_of(CaseNote, case.customer)]
    return customer_view(services, case) | {
        "customer": case.customer,
        "opened_by": case.opened_by,
        "findings": dict(case.findings),
        "goodwill": case.goodwill,
        "digest": assessment and assessment.facts_digest,
        "assessed_at": assessment and instant(assessment.assessed_at),
        "facts": assessment and json.loads(assessment.case),
        "quote": assessment and json.loads(assessment.document),
        "approvals": [
            {"by": a.by, "role": a.role, "at": instant(a.at), "amount": a.amount, "note": a.note}
            for a in case.approvals
        ],
        "clocks": [_clock(clock) for clock in case.clocks],
        "notes": [_note(services, note) for note in notes if note.refund_case == case.id],
        "timeline": timeline(services, case),
        "decided_by": case.decided_by,
        "manual_transfer": case.manual_transfer,
        "cancellation": case.cancellation,
        "signals": read_signals(services, case),
    }


def timeline(services: Services, case: RefundCase) -> list[dict[str, Any]]:
    """The audit entries of a case, the oldest first."""
    entries = [stored.record for stored in services.store.all_of(AuditEntry, case.customer)]
    return [
        {
            "at": instant(entry.at),
            "actor": entry.actor,
            "what": entry.what,
            "why": entry.why,
            "details": dict(entry.details),
        }
        for entry in entries
        if entry.details.get("case") == case.id or entry.details.get("refund") in case.refunds
    ]


def uploads_of(services: Services, case: RefundCase) -> Sequence[Upload]:
    """What was uploaded to a case."""
    found = [stored.record for stored in services.store.all_of(Upload, case.customer)]
    return [one for one in found if one.refund_case == case.id]


def _due(clock: CaseClock | None) -> str | None:
    return None if clock is None or clock.is_paused else instant(clock.due_at)


def _callback(case: RefundCase) -> dict[str, Any] | None:
    slot = case.callback
    if slot is None:
        return None
    return {
        "state": slot.state.value,
        "from": instant(slot.earliest),
        "to": instant(slot.latest),
        "booked_at": slot.booked_at and instant(slot.booked_at),
    }


def _evidence(one: Upload) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "state": one.state.value,
        "content_type": one.content_type,
        "size": one.size,
        "sha256": one.sha256,
    }


def _clock(clock: CaseClock) -> dict[str, Any]:
    return {
        "kind": clock.kind.value,
        "since": instant(clock.since),
        "due_at": instant(clock.due_at),
        "warned_at": clock.warned_at and instant(clock.warned_at),
        "late_at": clock.late_at and instant(clock.late_at),
        "stopped_at": clock.stopped_at and instant(clock.stopped_at),
        "pauses": [
            {"since": instant(p.since), "until": p.until and instant(p.until)} for p in clock.pauses
        ],
    }


def _note(services: Services, note: CaseNote) -> dict[str, Any]:
    try:
        text = open_note(services, note)
    except ErasedError:
        text = ""
    return {"id": note.id, "kind": note.kind, "by": note.by, "at": instant(note.at), "text": text}


def _refunds(services: Services, case: RefundCase) -> list[dict[str, Any]]:
    found = [services.store.get(RefundOperation, case.customer, r) for r in case.refunds]
    return [refund_document(stored.record) for stored in found if stored]
