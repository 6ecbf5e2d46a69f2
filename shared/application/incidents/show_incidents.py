"""Incidents and batches of credits, as staff see them."""

from collections.abc import Iterable
from typing import Any

from shared.application.case_document import instant
from shared.application.incidents.record_incident import incident_document, load_incident
from shared.application.incidents.release_credits import view_batch
from shared.domain.approval_limits import Need
from shared.domain.credit_batch import MOVING, CreditBatch, CreditProposal, digest_of, totals
from shared.domain.incident import INCIDENTS, Incident
from shared.ports import Services

# As many proposals as staff read through; the totals are over all of them.
SHOWN = 200


def list_incidents(services: Services) -> dict[str, Any]:
    """All incidents, the last one first."""
    found = [stored.record for stored in services.store.all_of(Incident, INCIDENTS)]
    found.sort(key=lambda one: (one.outage.started_at, one.id), reverse=True)
    return {"data": [incident_document(incident) for incident in found]}


def show_incident(services: Services, reference: str) -> dict[str, Any]:
    """An incident with its batches.

    Raises:
        NotFoundError: no such incident.
    """
    incident = load_incident(services, reference)
    batches = [stored.record for stored in services.store.all_of(CreditBatch, INCIDENTS)]
    mine = [batch for batch in batches if batch.incident == reference]
    return incident_document(incident) | {"batches": [_batch(batch) for batch in mine]}


def show_batch(services: Services, batch: str, need: Need | None = None) -> dict[str, Any]:
    """A batch with its totals, its progress, and what each proposal comes to.

    Raises:
        NotFoundError: no such batch.
    """
    view = view_batch(services, batch)
    moving = sum(p.state in MOVING for p in view.proposals)
    shown = sorted(view.proposals, key=lambda p: (-p.amount, p.id))[:SHOWN]
    return _batch(view.batch) | {
        "complete": view.is_complete,
        "counts": [{"state": state, "count": count} for state, count in view.counts.items()],
        "under_way": moving,
        "totals": _totals(view.payable),
        "digest": digest_of(view.payable) if view.is_complete else None,
        "needs": need.name.lower() if need is not None else None,
        "proposals": [_proposal(proposal) for proposal in shown],
        "carried_out": _totals(p for p in view.proposals if p.case is not None),
    }


def _totals(proposals: Iterable[CreditProposal]) -> list[dict[str, Any]]:
    return [{"currency": currency, "amount": amount} for currency, amount in totals(proposals)]


def _batch(batch: CreditBatch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "incident": batch.incident,
        "revision": batch.revision,
        "state": batch.state.value,
        "settle_as": batch.settle_as and batch.settle_as.value,
        "created_at": instant(batch.created_at),
        "created_by": batch.created_by,
        "collected": batch.collected,
        "consents": [
            {"by": c.by, "role": c.role, "at": instant(c.at), "reason": c.reason}
            for c in batch.consents
        ],
    }


def _proposal(proposal: CreditProposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "customer": proposal.customer,
        "subscription": proposal.subscription,
        "state": proposal.state.value,
        "invoices": list(proposal.invoices),
        "amount": proposal.amount,
        "currency": proposal.currency,
        "reason": proposal.reason,
        "case": proposal.case,
    }
