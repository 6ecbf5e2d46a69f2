"""A customer suspects a breach: keep it, acknowledge it, call the owner."""

from dataclasses import replace
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.domain.errors import NotFoundError
from shared.domain.privacy_records import BreachReport, BreachState
from shared.ports import Services

SEALED_AS = "breach_report"


def report_breach(services: Services, *, customer: str, text: str, call: ClientCall) -> Answer:
    """The acknowledgement: what was reported is sealed, mailed back as received, and alarmed."""
    if (first := replay(services, customer, call)) is not None:
        return first

    def decide(change: Change) -> Answer:
        report_id = services.ids.new()
        sealed = services.vault.seal(
            text.encode(), customer=customer, kind=SEALED_AS, record=report_id
        )
        report = BreachReport(customer, report_id, change.now, BreachState.REPORTED, sealed)
        change.put(report)
        change.mail("breach_received", {"report": report_id})
        change.alert("breach_reported", report_id, "a customer suspects a breach")
        change.audit("breach_reported", "by the customer", report=report_id)
        answer = Answer(202, _document(report))
        remember(change, call, answer)
        return answer

    return transact(services, customer, f"customer:{customer}", decide)


def read_breach(services: Services, *, customer: str, report: str) -> dict[str, Any]:
    """The report with its text, for staff.

    Raises:
        NotFoundError: no such report.
        ErasedError: the customer is erased, and the text with them.
    """
    stored = services.store.get(BreachReport, customer, report)
    if stored is None:
        raise NotFoundError("breach report")
    text = services.vault.open(stored.record.text, customer=customer, kind=SEALED_AS, record=report)
    return _document(stored.record) | {"customer": customer, "text": text.decode()}


def close_breach(services: Services, customer: str, report: str, actor: str) -> dict[str, Any]:
    """The report, dealt with; closing it twice is fine.

    Raises:
        NotFoundError: no such report.
    """

    def decide(change: Change) -> dict[str, Any]:
        known = change.load(BreachReport, report)
        if known is None:
            raise NotFoundError("breach report")
        if known.state is BreachState.CLOSED:
            return _document(known)
        closed = replace(known, state=BreachState.CLOSED, closed_at=change.now, closed_by=actor)
        change.put(closed)
        change.audit("breach_closed", "dealt with", report=report)
        return _document(closed)

    return transact(services, customer, actor, decide)


def _document(report: BreachReport) -> dict[str, Any]:
    return {
        "id": report.id,
        "state": report.state.value,
        "reported_at": instant(report.reported_at),
    }
