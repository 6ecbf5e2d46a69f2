"""The incidents that are on record, as facts of a case."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.domain.incident import INCIDENTS, Incident, incident_facts
from shared.domain.invoice import InvoiceFacts, LineFacts
from shared.domain.periods import Period
from shared.ports import Services


def recorded_incidents(services: Services, invoices: Iterable[InvoiceFacts]) -> Sequence[Incident]:
    """The incidents that hit a line of these invoices, each once."""
    lines = [line for invoice in invoices for line in invoice.lines]
    found = [stored.record for stored in services.store.all_of(Incident, INCIDENTS)]
    return [incident for incident in found if any(_hits(incident, line) for line in lines)]


def incident_members(
    services: Services, invoices: Iterable[InvoiceFacts]
) -> list[Mapping[str, Any]]:
    """The same in the members of a case document."""
    return incident_facts(recorded_incidents(services, invoices))


def _hits(incident: Incident, line: LineFacts) -> bool:
    if line.product is None or line.amount <= 0:
        return False
    return incident.hits(line.product, Period(line.period_start, line.period_end))
