"""The staff's side of incidents: recorded, corrected, and made good in batches.

Trigger: /v1/staff/incidents, /v1/staff/credit-batches and below, with a staff member's token.
Idempotency: an incident has its reference, a batch its incident and revision, a consent its person.
Answers: 200 with what there is now; 202 where proposals or payments follow; 409 with the new
figures when they are no longer those that were shown.
"""

from collections.abc import Callable

from functions.manage_incidents import routes
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, Route, api
from shared.runtime.settings import Effects, StaffApi, Table


def staff(serve: Callable[[AwsServices, Request], Response]) -> Route:
    """A route with the services that it needs."""
    return lambda request: serve(services_for(Table, Effects, StaffApi), request)


lambda_handler = api(
    {
        "GET /v1/staff/incidents": staff(routes.list_all),
        "POST /v1/staff/incidents": staff(routes.record),
        "GET /v1/staff/incidents/{id}": staff(routes.show_one),
        "DELETE /v1/staff/incidents/{id}": staff(routes.withdraw),
        "POST /v1/staff/incidents/{id}/credit-batches": staff(routes.propose_batch),
        "GET /v1/staff/credit-batches/{id}": staff(routes.show_batch),
        "POST /v1/staff/credit-batches/{id}/approvals": staff(routes.approve),
        "DELETE /v1/staff/credit-batches/{id}": staff(routes.discard),
    }
)
