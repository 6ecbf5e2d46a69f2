"""What each route of deciding does: the case afterwards, and whose word is still missing."""

from functions.decide_cases import schema
from shared.application.cases import decide_case, record_transfer, show_case
from shared.domain.approval_limits import Need
from shared.domain.errors import InvalidRequestError
from shared.domain.refund_case import RefundCase
from shared.domain.staff import StaffMember
from shared.domain.texts import clean_text
from shared.ports import Services
from shared.runtime.http import Request, Response


def shown(services: Services, case: RefundCase, need: Need | None) -> Response:
    """The case as the staff see it."""
    view = show_case.staff_view(services, case)
    return Response(200, view | {"missing": need and need.name.lower()})


def decide(services: Services, person: StaffMember, request: Request) -> Response:
    """The case as decided."""
    body = request.json(schema.DecisionRequest)
    reason = clean_text(body.reason, "$.reason")
    customer, case = request.path("customer"), request.path("id")
    if body.decide != "approve":
        end = decide_case.decline if body.decide == "decline" else decide_case.refer
        ended = end(services, by=person, customer=customer, case=case, reason=reason)
        return shown(services, ended, None)
    if body.digest is None:
        fault = {"path": "$.digest", "message": "the digest of the case as it was shown"}
        raise InvalidRequestError("invalid-request", "Approve what?", {"errors": [fault]})
    reviewed = tuple(body.evidence_reviewed)
    consent = decide_case.Approve(body.digest, reason, body.amount, reviewed)
    decided = decide_case.approve(
        services, by=person, customer=customer, case=case, consent=consent
    )
    return shown(services, decided.case, decided.need)


def transfer(services: Services, person: StaffMember, request: Request) -> Response:
    """The case with a transfer booked, or vouched for by one person."""
    body = request.json(schema.TransferRequest)
    made = record_transfer.Transfer(
        refund=body.refund,
        amount=body.amount,
        reference=clean_text(body.reference, "$.reference"),
        reason=clean_text(body.reason, "$.reason"),
    )
    customer, case = request.path("customer"), request.path("id")
    recorded = record_transfer.record_transfer(
        services, by=person, customer=customer, case=case, transfer=made
    )
    return shown(services, recorded.case, recorded.need)
