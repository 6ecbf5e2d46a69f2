"""The staff's list of declarations that nobody is matched with, and the match.

Trigger: /v1/staff/declarations and below, with the access token of a member of staff.
Answers: 200; 404 for a declaration or subscription that is not there; 409 when it is matched.
"""

from typing import Annotated

import msgspec

from shared.application.intake import take_declaration as use
from shared.application.privacy.log_access import log_access
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import Effects, StaffApi, Stripe, Table, Vault

StripeId = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,5}_[A-Za-z0-9_]{1,250}$")]


class Match(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whose contract it is."""

    customer: StripeId
    subscription: StripeId


def list_open(request: Request) -> Response:
    """The declarations that wait, the oldest first."""
    services = services_for(Table, Effects, Stripe, Vault, StaffApi)
    request.staff(services)
    return Response(200, use.list_declarations(services, after=request.query("after")))


def match(request: Request) -> Response:
    """A declaration, matched."""
    services = services_for(Table, Effects, Stripe, Vault, StaffApi)
    by, body = request.staff(services), request.json(Match)
    log_access(services, body.customer, actor=by.actor, what=request.route)
    matched = use.match_declaration(
        services,
        request.path("id"),
        customer=body.customer,
        subscription=body.subscription,
        by=by.actor,
    )
    return Response(200, matched)


lambda_handler = api(
    {
        "GET /v1/staff/declarations": list_open,
        "POST /v1/staff/declarations/{id}/matches": match,
    }
)
