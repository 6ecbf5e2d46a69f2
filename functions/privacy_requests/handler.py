"""What customers ask of their own data.

Trigger: /v1/privacy-requests…, with the customer's access token.
Idempotency: the first answer to a key is stored with the request and replayed for 24 h.
Answers: 202; 409 with the request that is open; 404 for what is not the caller's.
"""

from shared.application.privacy.confirm_request import confirm_request, withdraw_request
from shared.application.privacy.open_request import open_request
from shared.application.privacy.show_request import list_requests, show_request
from shared.runtime import privacy_forms as forms
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import CustomerApi, Effects, Files, Table, Vault


def _called(request: Request) -> tuple[AwsServices, str]:
    services = services_for(Table, Effects, Vault, Files, CustomerApi)
    return services, request.customer(services)


def ask(request: Request) -> Response:
    """A request; a sign-in of the last ten minutes confirms it, else the code that is mailed."""
    services, customer = _called(request)
    call, wanted = request.client_call(request.route), request.json(forms.AskForm).ask()
    fresh = request.is_fresh(services.clock.now())
    made = open_request(services, customer=customer, ask=wanted, call=call, is_fresh=fresh)
    return answered(made)


def show(request: Request) -> Response:
    """One of the caller's requests, with the link to its archive; or all of them."""
    services, customer = _called(request)
    if request.route.endswith("}"):
        return Response(200, show_request(services, customer, request.path("id")))
    return Response(200, list_requests(services, customer=customer))


def confirm(request: Request) -> Response:
    """One of them, confirmed."""
    services, customer = _called(request)
    code = request.json(forms.CodeForm).code
    return Response(200, confirm_request(services, customer, request.path("id"), code))


def withdraw(request: Request) -> Response:
    """One of them, taken back."""
    services, customer = _called(request)
    return Response(200, withdraw_request(services, customer, request.path("id")))


lambda_handler = api(
    {
        "POST /v1/privacy-requests": ask,
        "GET /v1/privacy-requests": show,
        "GET /v1/privacy-requests/{id}": show,
        "POST /v1/privacy-requests/{id}/confirmation": confirm,
        "DELETE /v1/privacy-requests/{id}": withdraw,
    }
)
