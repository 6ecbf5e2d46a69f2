"""Staff and people's requests about their data: read, made on their behalf, finished elsewhere.

Trigger: /v1/staff/accounts/{customer}/privacy-requests…, with an access token of staff.
Idempotency: one request of a kind is open at a time; a step is done once.
Answers: 409 with the request that is open, or while a mail has to go out first.
"""

from shared.application.privacy.hold_data import complete_step
from shared.application.privacy.open_request import open_for
from shared.application.privacy.show_request import list_requests
from shared.runtime import privacy_forms as forms
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import Effects, StaffApi, Table, Vault


def _services() -> AwsServices:
    return services_for(Table, Effects, Vault, StaffApi)


def show(request: Request) -> Response:
    """A person's requests, with what is left to be done elsewhere."""
    services = _services()
    request.staff(services)
    return Response(200, list_requests(services, customer=request.path("customer"), staff=True))


def ask(request: Request) -> Response:
    """A request on a person's behalf; it counts as confirmed."""
    services = _services()
    by, body = request.staff(services).actor, request.json(forms.StaffAskForm)
    customer, wanted = request.path("customer"), body.ask(body.ground)
    made = open_for(services, customer=customer, ask=wanted, actor=by, reason=body.reason)
    return Response(202, made)


def finish(request: Request) -> Response:
    """Something was done elsewhere."""
    services = _services()
    by, step = request.staff(services).actor, request.json(forms.StepForm).step
    customer, known = request.path("customer"), request.path("id")
    done = complete_step(services, customer=customer, request=known, step=step, actor=by)
    return Response(200, done)


lambda_handler = api(
    {
        "GET /v1/staff/accounts/{customer}/privacy-requests": show,
        "POST /v1/staff/accounts/{customer}/privacy-requests": ask,
        "POST /v1/staff/accounts/{customer}/privacy-requests/{id}/steps": finish,
    }
)
