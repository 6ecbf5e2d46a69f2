"""Incidents as the company's own monitoring reports them: over the API or on the event bus.

Trigger: POST /v1/incidents with client credentials; events `IncidentReported` on the bus, whose
detail is the same body.
Idempotency: the reference; the same report again changes nothing, another one is a correction.
"""

from typing import Any

from shared.application.incidents.record_incident import incident_document, record_incident
from shared.domain.incident import Incident
from shared.ports import Services
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.incident_forms import IncidentReport, report_in
from shared.runtime.observability import count
from shared.runtime.settings import Effects, ServiceApi, Table
from shared.runtime.sqs import quietly


def record(services: Services, told: IncidentReport, *, by: str) -> Incident:
    """The incident of a report."""
    return record_incident(
        services, reference=told.reference, outage=told.outage(), source=told.source, by=by
    )


def report(request: Request) -> Response:
    """One report over the API."""
    services = services_for(Table, Effects, ServiceApi)
    by = request.service(services)
    incident = record(services, request.json(IncidentReport), by=f"service:{by}")
    return Response(200, incident_document(incident))


@quietly
def heard(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """One report on the bus; whoever may put events there is trusted with it.

    What is no report is recorded nowhere: it fails, which rings, and the log says where and why.
    """
    services = services_for(Table, Effects, ServiceApi)
    incident = record(services, report_in(event["detail"]), by=f"bus:{event['source']}")
    count("IncidentsReported", outcome="heard")
    return {"reference": incident.id, "revision": incident.revision}


serve = api({"POST /v1/incidents": report})


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A request or an event."""
    return serve(event, context) if "routeKey" in event else heard(event, context)
