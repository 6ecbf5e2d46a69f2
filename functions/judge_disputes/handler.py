"""Trigger: staff look at a dispute, decide on it, and ask for what is owed.

Idempotency: what is made takes an Idempotency-Key, whose first answer is replayed.
Answers: 404 for what is not known; 409 when the bank takes no answer any more, or nothing is owed.
"""

from shared.application.collect_owed import collect_owed
from shared.application.early_warnings import decide_warning
from shared.application.judge_dispute import judge_dispute, show_dispute
from shared.runtime import staff_forms as forms
from shared.runtime.bootstrap import AwsServices, services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import Effects, StaffApi, Table, Vault


def ready(request: Request) -> tuple[AwsServices, str]:
    """The services, and whose account."""
    return services_for(Table, Effects, StaffApi, Vault), request.path("customer")


def show(request: Request) -> Response:
    """The dispute with its evidence and the arithmetic."""
    services, customer = ready(request)
    by = request.staff(services)
    return Response(200, show_dispute(services, customer, request.path("id"), by))


def judge(request: Request) -> Response:
    """Evidence prepared anew, submitted, or the dispute given up."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.JudgementForm)
    what = (request.path("id"), body.decision)
    return answered(judge_dispute(services, customer, what, by, call))


def warned(request: Request) -> Response:
    """A payment that was warned of goes back, or stays."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.WarningForm)
    what = (request.path("id"), body.decision)
    return answered(decide_warning(services, customer, what, by, call))


def collect(request: Request) -> Response:
    """An invoice over what is owed."""
    services, customer = ready(request)
    by, call, body = forms.read(request, services, forms.CollectForm)
    return answered(collect_owed(services, customer, body.currency, by.actor, call))


lambda_handler = api(
    {
        "GET /v1/staff/accounts/{customer}/disputes/{id}": show,
        "POST /v1/staff/accounts/{customer}/disputes/{id}/decisions": judge,
        "POST /v1/staff/accounts/{customer}/early-warnings/{id}/decisions": warned,
        "POST /v1/staff/accounts/{customer}/collections": collect,
    }
)
