"""Decide a refund case: approve within the policy's bound, decline, refer; record a transfer.

Trigger: POST /v1/staff/cases/{customer}/{id}/decision and …/transfers, with the access token of a
member of staff.
Answers: 200 with the case, and whose consent is still missing; 409 when somebody else was faster,
the request is no longer the one that was shown (with its new figures), or the same person agrees
twice; 403 without a fitting role.
"""

from collections.abc import Callable

from functions.decide_cases import routes
from shared.domain.staff import StaffMember
from shared.ports import Services
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, Route, api
from shared.runtime.settings import Effects, StaffApi, Stripe, Table, Vault


def staff(serve: Callable[[Services, StaffMember, Request], Response]) -> Route:
    """A route for who has a role that it allows."""

    def route(request: Request) -> Response:
        services = services_for(Table, Effects, Stripe, Vault, StaffApi)
        return serve(services, request.staff(services), request)

    return route


lambda_handler = api(
    {
        "POST /v1/staff/cases/{customer}/{id}/decision": staff(routes.decide),
        "POST /v1/staff/cases/{customer}/{id}/transfers": staff(routes.transfer),
    }
)
