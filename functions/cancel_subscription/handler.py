"""Confirm a quote, and read the cancellation that came of it.

Trigger: POST /v1/cancellations (with an Idempotency-Key) and GET /v1/cancellations/{id}, with the
customer's access token.
Idempotency: the first answer to a key is stored with the cancellation and replayed for 24 h.
Answers: 202 with the cancellation; 409 with new figures when the quote has expired or a fact has
changed; 404 for what is not the caller's.
"""

from typing import Annotated

import msgspec

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.show_cancellation import show_cancellation
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import CustomerApi, Effects, Stripe, Table, Vault

ROUTE = "POST /v1/cancellations"


class CancellationRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body: the quote to execute, and what the customer says about it."""

    quote_id: Annotated[str, msgspec.Meta(max_length=26)]
    reason: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    feedback: Annotated[str, msgspec.Meta(max_length=2000)] | None = None


def cancel(request: Request) -> Response:
    """The cancellation, accepted."""
    services = services_for(Table, Effects, Stripe, Vault, CustomerApi)
    customer = request.customer(services)
    call = request.client_call(ROUTE)
    body = request.json(CancellationRequest)
    confirmed = ConfirmQuote(body.quote_id, body.reason, body.feedback)
    answer = cancel_subscription(services, customer=customer, request=confirmed, call=call)
    return answered(answer)


def show(request: Request) -> Response:
    """The cancellation as it stands."""
    services = services_for(Table, Effects, Stripe, Vault, CustomerApi)
    customer = request.customer(services)
    found = show_cancellation(services, customer=customer, cancellation=request.path("id"))
    return Response(200, found)


lambda_handler = api({ROUTE: cancel, "GET /v1/cancellations/{id}": show})
