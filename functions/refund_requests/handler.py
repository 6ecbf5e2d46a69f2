"""The customer's refund requests: open, read, take back, answer, add evidence, book the call back.

Trigger: /v1/refund-requests and below, with the customer's access token.
Idempotency: a request that asks for what an open one asks for joins it and says so.
Answers: 201 with the request, 200 when it joined; 404 for what is not the caller's; 409 when the
policy does not take it, it is decided, or a file is refused.
"""

from collections.abc import Callable

from functions.refund_requests import routes
from shared.ports import Services
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, Route, api
from shared.runtime.settings import CustomerApi, Effects, Stripe, Table, Uploads, Vault


def customers(serve: Callable[[Services, str, Request], Response]) -> Route:
    """A route for whose customer's token it is."""

    def route(request: Request) -> Response:
        services = services_for(Table, Effects, Stripe, Vault, Uploads, CustomerApi)
        return serve(services, request.customer(services), request)

    return route


lambda_handler = api(
    {
        "POST /v1/refund-requests": customers(routes.open_request),
        "GET /v1/refund-requests": customers(routes.list_requests),
        "GET /v1/refund-requests/{id}": customers(routes.show_request),
        "DELETE /v1/refund-requests/{id}": customers(routes.withdraw),
        "POST /v1/refund-requests/{id}/evidence": customers(routes.upload),
        "POST /v1/refund-requests/{id}/evidence/{evidence}": customers(routes.confirm),
        "POST /v1/refund-requests/{id}/replies": customers(routes.reply),
        "POST /v1/refund-requests/{id}/callback": customers(routes.book),
    }
)
