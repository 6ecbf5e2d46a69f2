"""Whether and until when service is owed; this is how access ends to the second.

Trigger: GET /v1/access/{customer}, with an access token of one of the company's services.
Answers: 200; 404 for a customer that is not known.
"""

from shared.application.show_account import check_access
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import ServiceApi, Table


def access(request: Request) -> Response:
    """Access per subscription item."""
    services = services_for(Table, ServiceApi)
    request.service(services)
    return Response(200, check_access(services, customer=request.path("customer")))


lambda_handler = api({"GET /v1/access/{customer}": access})
