"""Incidents as the company's own monitoring reports them: over the API or on the event bus.

Trigger: POST /v1/incidents with client credentials; events `IncidentReported` on the bus, whose
detail is the same body.
Idempotency: the reference; the same report again changes nothing, another one is a correction.
"""

from typing import Any

import msgspec

from shared.application.incidents.record_incident import incident_document, record_incident
from shared.domain.errors import InvalidRequestError
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api, fault_in
from shared.runtime.incident_forms import IncidentReport
from shared.runtime.observability import count
from shared.runtime.settings import Effects, ServiceApi, Table
from shared.runtime.sqs import quietly


def report(request: Request) -> Response:
    """One report over the API."""
    services = services_for(Table, Effects, ServiceApi)
    by = request.service(services)
    body = request.json(IncidentReport)
    incident = record_incident(
        services,
        reference=body.reference,
        outage=body.outage(),
        source=body.source,
        by=f"service:{by}",
    )
    return Response(200, incident_document(incident))


@quietly
def heard(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One report on the bus; whoever may put events there is trusted with it.

    Raises:
        InvalidRequestError: it is no report, where and why; it is recorded nowhere and rings.
    """
    services = services_for(Table, Effects, ServiceApi)
    try:
        body = msgspec.convert(event["detail"], IncidentReport)
    except msgspec.ValidationError as error:
        fault = fault_in(error)
        count("IncidentsReported", outcome="refused")
        raise InvalidRequestError(
            "invalid-request",
            f"The event is no report of an incident: {fault['path']}: {fault['message']}.",
            {"errors": [fault]},
        ) from error
    incident = record_incident(
        services,
        reference=body.reference,
        outage=body.outage(),
        source=body.source,
        by=f"bus:{event['source']}",
    )
    count("IncidentsReported", outcome="heard")
    return {"reference": incident.id, "revision": incident.revision}


serve = api({"POST /v1/incidents": report})


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request or an event."""
    return serve(event, context) if "routeKey" in event else heard(event, context)
