"""Legal holds, who has looked at a customer, and reports of a breach.

Trigger: /v1/staff/accounts/{customer}/…, with an access token of staff.
Answers: 404 for what is not there; 410 for the text of a person who is erased.
"""

from shared.application.privacy.hold_data import lift_hold, place_hold
from shared.application.privacy.log_access import access_log
from shared.application.privacy.report_breach import close_breach, read_breach
from shared.runtime import privacy_forms as forms
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import Effects, StaffApi, Table, Vault


def _called(request: Request) -> tuple[AwsServices, str, str]:
    """The services, the customer, and who of the staff calls."""
    services = services_for(Table, Effects, Vault, StaffApi)
    return services, request.path("customer"), request.staff(services).actor


def hold(request: Request) -> Response:
    """A legal hold, placed."""
    services, customer, by = _called(request)
    return Response(201, place_hold(services, customer, request.json(forms.HoldForm).reference, by))


def lift(request: Request) -> Response:
    """A legal hold, lifted."""
    services, customer, by = _called(request)
    return Response(200, lift_hold(services, customer, request.path("id"), by))


def show_access(request: Request) -> Response:
    """Who has looked at this customer."""
    services, customer, _ = _called(request)
    return Response(200, access_log(services, of=customer))


def show_breach(request: Request) -> Response:
    """A reported breach, with its text."""
    services, customer, _ = _called(request)
    return Response(200, read_breach(services, customer=customer, report=request.path("id")))


def end_breach(request: Request) -> Response:
    """A reported breach, dealt with."""
    services, customer, by = _called(request)
    return Response(200, close_breach(services, customer, request.path("id"), by))


lambda_handler = api(
    {
        "POST /v1/staff/accounts/{customer}/legal-holds": hold,
        "DELETE /v1/staff/accounts/{customer}/legal-holds/{id}": lift,
        "GET /v1/staff/accounts/{customer}/access-log": show_access,
        "GET /v1/staff/accounts/{customer}/breach-reports/{id}": show_breach,
        "POST /v1/staff/accounts/{customer}/breach-reports/{id}/closure": end_breach,
    }
)
