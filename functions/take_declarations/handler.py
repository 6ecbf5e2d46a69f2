"""Declarations of whoever is not signed in: taken with a receipt at once, and confirmed by a code.

Trigger: POST /v1/declarations and its confirmations, without a token; the API's throttling and a
limit for each address hold floods off.
Answers: 202 with the number and the instant that count; 404 for a wrong code; 429 for too many.
"""

from functions.take_declarations.schema import ConfirmationForm, DeclarationForm
from shared.application.intake import take_declaration as use
from shared.domain.texts import clean_text
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import Effects, Stripe, Table, Vault


def take(request: Request) -> Response:
    """A declaration."""
    body = request.json(DeclarationForm)
    declared = use.Declared(
        body.kind,
        clean_text(body.name, "$.name"),
        clean_text(body.contract, "$.contract"),
        body.email,
        clean_text(body.text, "$.text") if body.text else "",
    )
    return Response(
        202, use.take_declaration(services_for(Table, Effects, Stripe, Vault), declared)
    )


def confirm(request: Request) -> Response:
    """Its confirmation."""
    code = request.json(ConfirmationForm).code
    services = services_for(Table, Effects, Stripe, Vault)
    return Response(200, use.confirm_declaration(services, request.path("id"), code))


lambda_handler = api(
    {
        "POST /v1/declarations": take,
        "POST /v1/declarations/{id}/confirmations": confirm,
    }
)
