"""Take a cancellation back.

Trigger: DELETE /v1/cancellations/{id}, with the customer's access token.
Answers: 200 with the cancellation, withdrawn, also when it was taken back before; 409 when the
cycle has ended; 404 for what is not the caller's.
"""

from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import CustomerApi, Effects, Table


def withdraw(request: Request) -> Response:
    """The cancellation, withdrawn."""
    services = services_for(Table, Effects, CustomerApi)
    customer = request.customer(services)
    taken_back = withdraw_cancellation(services, customer=customer, cancellation=request.path("id"))
    return Response(200, taken_back)


lambda_handler = api({"DELETE /v1/cancellations/{id}": withdraw})
