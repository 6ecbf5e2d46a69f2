"""A customer asks for the means to pay what they owe, suspended or not.

Trigger: POST /v1/receivables, with the customer's access token.
Idempotency: takes an Idempotency-Key, whose first answer is replayed.
Answers: 409 when nothing is owed in that currency, or the invoice is there already, which it shows.
"""

import msgspec

from shared.application.collect_owed import collect_owed
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import CustomerApi, Effects, Table
from shared.runtime.staff_forms import Currency


class PaymentForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """In which currency the customer wants to pay what is owed."""

    currency: Currency


def pay(request: Request) -> Response:
    """An invoice with a page to pay it on; nothing is charged by itself."""
    services = services_for(Table, Effects, CustomerApi)
    customer = request.customer(services)
    call = request.client_call(request.route)
    body = request.json(PaymentForm)
    by = f"customer:{customer}"
    return answered(collect_owed(services, customer, body.currency, by, call))


lambda_handler = api({"POST /v1/receivables": pay})
