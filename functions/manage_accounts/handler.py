"""Trigger: /v1/staff/accounts/{customer}…, where staff see and change an account.

Idempotency: what is made takes an Idempotency-Key, whose first answer is replayed.
"""

from shared.application import manage_account as use
from shared.runtime import staff_forms as forms
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import Effects, StaffApi, Table


def ready(request: Request) -> tuple[AwsServices, str]:
    """The services, and whose account."""
    return services_for(Table, Effects, StaffApi), request.path("customer")


def show(request: Request) -> Response:
    """The account as staff see it."""
    services, customer = ready(request)
    return Response(200, use.show_to_staff(services, customer, request.staff(services)))


def suspend(request: Request) -> Response:
    """Suspended for a violation."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.Violation)
    return answered(use.suspend_for_violation(services, customer, body.found(), by, call))


def lift(request: Request) -> Response:
    """A suspension for a violation, lifted."""
    services, customer = ready(request)
    found = use.lift_suspension(services, customer, request.path("id"), request.staff(services))
    return Response(200, found)


def cost(request: Request) -> Response:
    """A cost of contesting, entered."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.CostForm)
    return answered(use.enter_cost(services, customer, body.entry(), by, call))


def cancel(request: Request) -> Response:
    """A subscription, ended without a refund."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.EndForm)
    return answered(use.cancel_by_clause(services, customer, body.end(), by, call))


lambda_handler = api(
    {
        "GET /v1/staff/accounts/{customer}": show,
        "POST /v1/staff/accounts/{customer}/suspensions": suspend,
        "DELETE /v1/staff/accounts/{customer}/suspensions/{id}": lift,
        "POST /v1/staff/accounts/{customer}/costs": cost,
        "POST /v1/staff/accounts/{customer}/cancellations": cancel,
    }
)
