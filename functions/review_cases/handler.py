"""The staff's side of refund cases, up to the decision.

Trigger: /v1/staff/cases and below, with the access token of a member of staff.
Answers: 200 and 201 with the case; 403 without a fitting role; 404 for a case that is not there;
409 when it is decided, and by whom.
"""

from collections.abc import Callable

from functions.review_cases import routes
from shared.domain.staff import StaffMember
from shared.ports import Services
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, Route, api
from shared.runtime.settings import Effects, StaffApi, Stripe, Table, Uploads, Vault


def staff(serve: Callable[[Services, StaffMember, Request], Response]) -> Route:
    """A route for who has a role that it allows."""

    def route(request: Request) -> Response:
        services = services_for(Table, Effects, Stripe, Vault, Uploads, StaffApi)
        return serve(services, request.staff(services), request)

    return route


lambda_handler = api(
    {
        "GET /v1/staff/cases": staff(routes.list_cases),
        "POST /v1/staff/cases": staff(routes.open_on_behalf),
        "GET /v1/staff/cases/{customer}/{id}": staff(routes.show),
        "POST /v1/staff/cases/{customer}/{id}/findings": staff(routes.find),
        "POST /v1/staff/cases/{customer}/{id}/questions": staff(routes.ask),
        "POST /v1/staff/cases/{customer}/{id}/callback": staff(routes.call_back),
        "POST /v1/staff/cases/{customer}/{id}/evidence": staff(routes.upload),
        "POST /v1/staff/cases/{customer}/{id}/evidence/{evidence}": staff(routes.confirm),
        "GET /v1/staff/cases/{customer}/{id}/evidence/{evidence}": staff(routes.look),
    }
)
