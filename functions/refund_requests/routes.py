"""What each route of the customer's refund requests does."""

from datetime import UTC

from functions.refund_requests.schema import (
    CallbackRequest,
    RefundRequest,
    ReplyRequest,
    UploadRequest,
)
from shared.application.cases import give_evidence, open_case, review_case, show_case
from shared.application.cases.withdraw_case import withdraw_case
from shared.domain.refund_case import RefundCase
from shared.domain.texts import clean_text
from shared.ports import Services
from shared.runtime.http import Request, Response


def shown(services: Services, case: RefundCase, status: int = 200) -> Response:
    """The request as its customer sees it."""
    return Response(status, show_case.customer_view(services, case))


def open_request(services: Services, customer: str, request: Request) -> Response:
    """A new request, or the open one that this one joins."""
    body = request.json(RefundRequest)
    wanted = open_case.OpenCase(
        quote=body.quote_id,
        invoice=body.invoice,
        ground=body.ground,
        statement=body.statement and clean_text(body.statement, "$.statement"),
        service_date=body.service_date and body.service_date.astimezone(UTC),
        amount_asked=body.amount_asked,
        settle_as=body.settle_as,
    )
    by = f"customer:{customer}"
    opened = open_case.open_case(services, customer=customer, wanted=wanted, by=by)
    view = show_case.customer_view(services, opened.case)
    return Response(200 if opened.joined else 201, view | {"joined": opened.joined})


def list_requests(services: Services, customer: str, _request: Request) -> Response:
    """All requests."""
    return Response(200, show_case.list_cases(services, customer=customer))


def show_request(services: Services, customer: str, request: Request) -> Response:
    """One request."""
    return shown(services, show_case.load_case(services, customer, request.path("id")))


def withdraw(services: Services, customer: str, request: Request) -> Response:
    """The request, taken back."""
    return shown(services, withdraw_case(services, customer=customer, case=request.path("id")))


def upload(services: Services, customer: str, request: Request) -> Response:
    """A place to upload to."""
    body = request.json(UploadRequest)
    offered = give_evidence.offer_upload(
        services,
        customer=customer,
        case=request.path("id"),
        offer=give_evidence.Offer(body.kind, body.content_type, body.size),
        by=f"customer:{customer}",
    )
    return Response(201, offered)


def confirm(services: Services, customer: str, request: Request) -> Response:
    """The request with the upload checked and taken."""
    case = give_evidence.confirm_upload(
        services,
        customer=customer,
        case=request.path("id"),
        evidence=request.path("evidence"),
        by=f"customer:{customer}",
    )
    return shown(services, case)


def reply(services: Services, customer: str, request: Request) -> Response:
    """The request with the customer's answer."""
    message = clean_text(request.json(ReplyRequest).message, "$.message")
    case = review_case.reply(services, customer=customer, case=request.path("id"), message=message)
    return shown(services, case)


def book(services: Services, customer: str, request: Request) -> Response:
    """The request with the call back booked."""
    at, case = request.json(CallbackRequest).at.astimezone(UTC), request.path("id")
    by = f"customer:{customer}"
    booked = review_case.book_callback(services, customer=customer, case=case, at=at, by=by)
    return shown(services, booked)
