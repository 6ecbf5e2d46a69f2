"""What each route of the staff's case work does."""

import base64
from datetime import UTC

from functions.review_cases import schema
from shared.application.cases import give_evidence, open_case, queue, review_case, show_case
from shared.application.privacy.log_access import log_access, log_list
from shared.domain.refund_case import RefundCase
from shared.domain.staff import StaffMember
from shared.domain.texts import clean_text
from shared.ports import Services
from shared.runtime.http import Request, Response


def place(request: Request) -> dict[str, str]:
    """Which case of which customer."""
    return {"customer": request.path("customer"), "case": request.path("id")}


def shown(services: Services, case: RefundCase, status: int = 200) -> Response:
    """The case as the staff see it."""
    return Response(status, show_case.staff_view(services, case))


def list_cases(services: Services, person: StaffMember, request: Request) -> Response:
    """The queue, the first due first; whoever stands on this page of it was looked at."""
    page = queue.show_queue(services, after=request.query("after"))
    shown_ones = [row["customer"] for row in page["data"]]
    log_list(services, shown_ones, actor=person.actor, what=request.route)
    return Response(200, page)


def open_on_behalf(services: Services, person: StaffMember, request: Request) -> Response:
    """A case on a customer's behalf, or the open one that it joins."""
    body = request.json(schema.OnBehalfRequest)
    log_access(services, body.customer, actor=person.actor, what=request.route)
    wanted = open_case.OpenCase(
        invoice=body.invoice,
        ground=body.ground,
        statement=clean_text(body.statement, "$.statement"),
        service_date=body.service_date and body.service_date.astimezone(UTC),
        amount_asked=body.amount_asked,
        settle_as=body.settle_as,
        channel=body.channel,
    )
    opened = open_case.open_case(services, customer=body.customer, wanted=wanted, by=person.actor)
    view = show_case.staff_view(services, opened.case)
    return Response(200 if opened.joined else 201, view | {"joined": opened.joined})


def show(services: Services, _person: StaffMember, request: Request) -> Response:
    """A case with facts, trace, texts and timeline."""
    return shown(services, show_case.load_case(services, *place(request).values()))


def find(services: Services, person: StaffMember, request: Request) -> Response:
    """The case with what was found out."""
    body = request.json(schema.FindingsRequest)
    reason = clean_text(body.reason, "$.reason")
    case = review_case.record_findings(
        services,
        by=person,
        **place(request),
        found=body.found(),
        goodwill=body.goodwill,
        reason=reason,
        ground=body.ground,
    )
    return shown(services, case)


def ask(services: Services, person: StaffMember, request: Request) -> Response:
    """The case, waiting for the customer."""
    body = request.json(schema.QuestionRequest)
    message, kinds = clean_text(body.message, "$.message"), tuple(body.kinds)
    case = review_case.ask_customer(
        services, by=person, **place(request), kinds=kinds, message=message
    )
    return shown(services, case)


def call_back(services: Services, person: StaffMember, request: Request) -> Response:
    """The case with its call back done."""
    message = clean_text(request.json(schema.CallbackNote).message, "$.message")
    case = review_case.note_callback(services, by=person, **place(request), message=message)
    return shown(services, case)


def upload(services: Services, person: StaffMember, request: Request) -> Response:
    """A place to upload to what the customer sent another way."""
    body = request.json(schema.StaffUpload)
    offer = give_evidence.Offer(body.kind, body.content_type, body.size)
    return Response(
        201,
        give_evidence.offer_upload(services, **place(request), offer=offer, by=person.actor),
    )


def confirm(services: Services, person: StaffMember, request: Request) -> Response:
    """The case with the upload checked and taken."""
    case = give_evidence.confirm_upload(
        services, **place(request), evidence=request.path("evidence"), by=person.actor
    )
    return shown(services, case)


def look(services: Services, person: StaffMember, request: Request) -> Response:
    """A file, opened; that it was looked at is on record."""
    evidence, content = give_evidence.open_evidence(
        services, **place(request), evidence=request.path("evidence"), by=person
    )
    return Response(
        200,
        {
            "id": evidence.id,
            "kind": evidence.kind,
            "content_type": evidence.content_type.value,
            "sha256": evidence.sha256,
            "content": base64.b64encode(content).decode(),
        },
    )
