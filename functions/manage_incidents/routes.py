"""What each route of the staff's work on incidents does."""

from shared.application.incidents import propose_credits as propose
from shared.application.incidents import release_credits as release
from shared.application.incidents import show_incidents as show
from shared.application.incidents.record_incident import (
    incident_document,
    record_incident,
    withdraw_incident,
)
from shared.runtime.bootstrap import AwsServices
from shared.runtime.http import Request, Response
from shared.runtime.incident_forms import BatchApproval, BatchRequest, IncidentReport


def list_all(services: AwsServices, request: Request) -> Response:
    """All incidents."""
    request.staff(services)
    return Response(200, show.list_incidents(services))


def record(services: AwsServices, request: Request) -> Response:
    """An incident, recorded or corrected."""
    by, body = request.staff(services), request.json(IncidentReport)
    incident = record_incident(
        services,
        reference=body.reference,
        outage=body.outage(),
        source=body.source,
        by=by.actor,
    )
    return Response(200, incident_document(incident))


def show_one(services: AwsServices, request: Request) -> Response:
    """An incident with its batches."""
    request.staff(services)
    return Response(200, show.show_incident(services, request.path("id")))


def withdraw(services: AwsServices, request: Request) -> Response:
    """An incident that never was."""
    by = request.staff(services).actor
    incident = withdraw_incident(services, reference=request.path("id"), source="staff", by=by)
    return Response(200, incident_document(incident))


def propose_batch(services: AwsServices, request: Request) -> Response:
    """A batch of credits for an incident."""
    by, body = request.staff(services), request.json(BatchRequest)
    reference = request.path("id")
    batch = propose.propose_credits(
        services, reference=reference, settle_as=body.settle_as, by=by.actor
    )
    return Response(202, show.show_batch(services, batch.id))


def show_batch(services: AwsServices, request: Request) -> Response:
    """A batch as it stands."""
    request.staff(services)
    return Response(200, show.show_batch(services, request.path("id")))


def approve(services: AwsServices, request: Request) -> Response:
    """A consent to a batch."""
    by, body = request.staff(services), request.json(BatchApproval)
    batch, need = release.approve_batch(
        services, batch=request.path("id"), digest=body.digest, reason=body.reason, by=by
    )
    return Response(202, show.show_batch(services, batch.id, need))


def discard(services: AwsServices, request: Request) -> Response:
    """A batch without consequences."""
    by = request.staff(services)
    batch = release.discard_batch(services, batch=request.path("id"), reason="discarded", by=by)
    return Response(200, show.show_batch(services, batch.id))
