"""A privacy request as its person and the staff see it."""

from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.change import present
from shared.application.privacy.words import BECAUSE, DONE, KEPT
from shared.domain.errors import NotFoundError
from shared.domain.privacy import PrivacyRequest, RequestState
from shared.ports import Services

LINK_SECONDS = 900


def show_request(services: Services, customer: str, request: str) -> dict[str, Any]:
    """The request; while its archive is kept, with a link to it that ends after 15 minutes.

    Raises:
        NotFoundError: no such request of this customer.
    """
    stored = services.store.get(PrivacyRequest, customer, request)
    if stored is None:
        raise NotFoundError("privacy request")
    return request_document(services, stored.record, present(services), with_link=True)


def list_requests(services: Services, *, customer: str, staff: bool = False) -> dict[str, Any]:
    """All requests of a customer, the oldest first; for staff with what they have still to do."""
    found = services.store.all_of(PrivacyRequest, customer)
    form, now = staff_document if staff else request_document, present(services)
    return {"privacy_requests": [form(services, one.record, now) for one in found]}


def staff_document(services: Services, request: PrivacyRequest, now: datetime) -> dict[str, Any]:
    """A request with what is left for a person to do elsewhere."""
    return request_document(services, request, now) | {
        "customer": request.customer,
        "made_by": request.made_by,
        "open_steps": [
            {"name": step.name, "instruction": step.instruction} for step in request.open_steps
        ],
    }


def request_document(
    services: Services, request: PrivacyRequest, now: datetime, *, with_link: bool = False
) -> dict[str, Any]:
    """The API's form of a request."""
    waits_for_code = request.state is RequestState.UNCONFIRMED
    return {
        "id": request.id,
        "kind": request.kind.value,
        "on": request.on,
        "ground": request.ground.value,
        "state": request.state.value,
        "received_at": instant(request.received_at),
        "answer_by": instant(request.answer_by),
        "confirm_by": instant(request.check_at) if waits_for_code and request.check_at else None,
        "erased_from": _erased_from(request),
        "deferred_because": [
            {"code": reason.value, "text": BECAUSE[reason]} for reason in request.deferred
        ],
        "answered_at": request.answered_at and instant(request.answered_at),
        "done": [{"code": code, "text": DONE[code]} for code in request.done],
        "kept": [{"code": code, "text": KEPT[code]} for code in request.kept],
        "archive": _archive(services, request, now) if with_link else None,
    }


def _erased_from(request: PrivacyRequest) -> str | None:
    waits = request.state in (RequestState.COOLING_OFF, RequestState.DEFERRED)
    return instant(request.check_at) if waits and request.check_at else None


def _archive(services: Services, request: PrivacyRequest, now: datetime) -> dict[str, str] | None:
    until = request.archive_until
    if request.archive is None or until is None or now >= until:
        return None
    link = services.files.link(request.archive, customer=request.customer, seconds=LINK_SECONDS)
    return {"url": link, "kept_until": instant(until)}
