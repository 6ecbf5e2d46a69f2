"""Record an incident under its reference, correct it, or take it back; every revision stays."""

from dataclasses import replace

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from shared.domain.incident import INCIDENTS, Incident, Outage, Revision
from shared.ports import Services

MAX_SERVICES = 50


def record_incident(
    services: Services, *, reference: str, outage: Outage, source: str, by: str
) -> Incident:
    """The incident of that reference as it is now: new, corrected, or the same as before.

    A report says the whole of what is known; what it says otherwise than before is a correction.

    Raises:
        InvalidRequestError: it ends before it begins, or begins in the future.
        ConflictError: it was taken back.
    """

    def decide(change: Change) -> Incident:
        _refuse_impossible(change, outage)
        known = change.load(Incident, reference)
        revision = Revision(outage, change.now, by, source)
        if known is None:
            incident = Incident(reference, INCIDENTS, (revision,))
        elif known.withdrawn:
            raise ConflictError("withdrawn", "This incident was taken back; use a new reference.")
        else:
            incident = known.corrected(revision)
        if incident == known:
            return incident
        what = "incident_recorded" if known is None else "incident_corrected"
        change.put(incident)
        change.audit(what, source, incident=reference, revision=incident.revision)
        return incident

    return transact(services, INCIDENTS, by, decide)


def withdraw_incident(services: Services, *, reference: str, source: str, by: str) -> Incident:
    """The incident, as one that never was.

    Raises:
        NotFoundError: no such incident.
    """

    def decide(change: Change) -> Incident:
        known = change.load(Incident, reference)
        if known is None:
            raise NotFoundError("incident")
        if known.withdrawn:
            return known
        revision = Revision(known.outage, change.now, by, source)
        incident = replace(known, revisions=(*known.revisions, revision), withdrawn=True)
        change.put(incident)
        change.audit("incident_withdrawn", source, incident=reference)
        return incident

    return transact(services, INCIDENTS, by, decide)


def load_incident(services: Services, reference: str) -> Incident:
    """An incident as it is.

    Raises:
        NotFoundError: no such incident.
    """
    stored = services.store.get(Incident, INCIDENTS, reference)
    if stored is None:
        raise NotFoundError("incident")
    return stored.record


def incident_document(incident: Incident) -> dict[str, object]:
    """An incident as the API shows it, with its earlier revisions."""
    return {
        "reference": incident.id,
        "revision": incident.revision,
        "withdrawn": incident.withdrawn,
        **_outage(incident.outage),
        "revisions": [
            {"at": instant(r.at), "by": r.by, "source": r.source, **_outage(r.outage)}
            for r in incident.revisions
        ],
        "batches": [],
    }


def _outage(outage: Outage) -> dict[str, object]:
    return {
        "services": list(outage.services),
        "started_at": instant(outage.started_at),
        "ended_at": outage.ended_at and instant(outage.ended_at),
        "reported_at": outage.reported_at and instant(outage.reported_at),
        "attribution": outage.attribution and outage.attribution.value,
        "beyond_sla": outage.beyond_sla,
    }


def _refuse_impossible(change: Change, outage: Outage) -> None:
    faults = []
    if not 0 < len(outage.services) <= MAX_SERVICES or len(set(outage.services)) != len(
        outage.services
    ):
        faults.append({"path": "$.services", "message": f"1 to {MAX_SERVICES} products, each once"})
    if outage.ended_at is not None and outage.ended_at <= outage.started_at:
        faults.append({"path": "$.ended_at", "message": "after started_at"})
    if outage.started_at > change.now:
        faults.append({"path": "$.started_at", "message": "not in the future"})
    if faults:
        said = "; ".join(f"{fault['path']}: {fault['message']}" for fault in faults)
        raise InvalidRequestError(
            "invalid-request", f"No report of an incident: {said}.", {"errors": faults}
        )
