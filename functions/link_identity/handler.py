"""Link a sign-in to a customer: the server-side step without which a token is nobody's.

Trigger: POST /v1/identities, with an access token of one of the company's services.
Answers: 201 when linked, 200 when it was before, 409 when linked to another customer.
"""

from typing import Annotated

import msgspec

from shared.application.identify_customer import link_identity
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import ServiceApi, Table


class LinkRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body: whose sign-in, and which customer it is."""

    issuer: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    customer: Annotated[str, msgspec.Meta(pattern="^cus_[A-Za-z0-9_]+$", max_length=255)]


def link(request: Request) -> Response:
    """The link."""
    services = services_for(Table, ServiceApi)
    by = request.service(services)
    wanted = request.json(LinkRequest)
    made = link_identity(
        services,
        issuer=wanted.issuer,
        subject=wanted.subject,
        customer=wanted.customer,
        by=f"service:{by}",
    )
    return Response(201 if made else 200, msgspec.to_builtins(wanted))


lambda_handler = api({"POST /v1/identities": link})
