"""The customer's own view.

Trigger: GET /v1/account and GET /v1/subscriptions, with the customer's access token.
"""

from shared.application.show_account import show_account, show_subscriptions
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import CustomerApi, Table


def account(request: Request) -> Response:
    """Standing, causes, balances."""
    services = services_for(Table, CustomerApi)
    customer = request.customer(services)
    return Response(200, show_account(services, customer=customer))


def subscriptions(request: Request) -> Response:
    """Subscriptions with items, periods and what can be done."""
    services = services_for(Table, CustomerApi)
    customer = request.customer(services)
    return Response(200, show_subscriptions(services, customer=customer))


lambda_handler = api({"GET /v1/account": account, "GET /v1/subscriptions": subscriptions})
