"""Quote a cancellation.

Trigger: POST /v1/quotes, with the customer's access token.
Answers: 201 with a quote that lives 15 minutes; 404 for a subscription that is not the caller's,
409 when it has ended or is ending.
"""

from typing import Annotated

import msgspec

from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import CustomerApi, Stripe, Table


class QuoteRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body: which subscription, and when it should end."""

    subscription: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    timing: Timing


def quote(request: Request) -> Response:
    """A stored quote."""
    services = services_for(Table, Stripe, CustomerApi)
    customer = request.customer(services)
    wanted = request.json(QuoteRequest)
    shown = quote_cancellation(
        services, customer=customer, subscription=wanted.subscription, timing=wanted.timing
    )
    return Response(201, shown)


lambda_handler = api({"POST /v1/quotes": quote})
