"""Propose credits for an incident: a batch that finds whom it hit, and one proposal for each.

Whom it hit is read page by page from the list of each of its services. A page's proposals are made
one commit each and only where they are not there yet, and the batch remembers how far it has come,
so that whatever dies is taken up where it was.
"""

from dataclasses import replace
from datetime import datetime

from shared.application.cases.assess import assess
from shared.application.change import Change, transact
from shared.application.effects.performer import Performer, Result
from shared.application.incidents.record_incident import load_incident
from shared.domain.clauses import Outcome
from shared.domain.credit_batch import (
    PAGE,
    BatchState,
    CreditBatch,
    CreditProposal,
    ProposalState,
)
from shared.domain.derived_id import derived_id
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError, ConflictError, NotFoundError
from shared.domain.facts import Ground, SettleAs
from shared.domain.incident import INCIDENTS, Incident
from shared.domain.periods import Period
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.served_item import ServedItem, served_with
from shared.ports import Services

CHANNEL = "incident"
# The record of the incident is what documents the claim; nobody has to send a screenshot of it.
_EVIDENCE = "incident_record"


def propose_credits(
    services: Services, *, reference: str, settle_as: SettleAs | None, by: str
) -> CreditBatch:
    """A batch for the incident as it is now; the one that there is, if it has one already.

    Raises:
        NotFoundError: no such incident.
        ConflictError: it still lasts, or another batch of it has not ended yet.
    """

    def decide(change: Change) -> CreditBatch:
        incident = change.load(Incident, reference)
        if incident is None:
            raise NotFoundError("incident")
        if incident.outage.ended_at is None:
            raise ConflictError("incident-lasts", "Credits are proposed once it has ended.")
        batches = [
            stored.record
            for stored in services.store.all_of(CreditBatch, INCIDENTS)
            if stored.record.incident == reference
        ]
        known = _open_one(batches, incident.revision)
        if known is not None:
            return known
        batch_id = derived_id(reference, str(len(batches)))
        change.load(CreditBatch, batch_id)
        batch = CreditBatch(
            id=batch_id,
            customer=INCIDENTS,
            incident=reference,
            revision=incident.revision,
            state=BatchState.COLLECTING,
            created_at=change.now,
            created_by=by,
            settle_as=settle_as,
        )
        change.put(batch)
        change.effect(EffectKind.COLLECT_CREDITS, {"batch": batch_id, "page": 0})
        change.audit("credits_collected", f"for revision {incident.revision}", batch=batch_id)
        return batch

    return transact(services, INCIDENTS, by, decide)


def _open_one(batches: list[CreditBatch], revision: int) -> CreditBatch | None:
    """The batch that is open: two of one incident would both propose what neither has paid yet."""
    for batch in batches:
        if batch.state in (BatchState.RELEASED, BatchState.DISCARDED):
            continue
        if batch.revision != revision:
            raise ConflictError(
                "batch-open",
                "The batch of an earlier revision has to be released or discarded first.",
                {"batch": batch.id},
            )
        return batch
    return None


def load_batch(services: Services, batch: str) -> CreditBatch:
    """A batch as it is.

    Raises:
        NotFoundError: no such batch.
    """
    stored = services.store.get(CreditBatch, INCIDENTS, batch)
    if stored is None:
        raise NotFoundError("batch")
    return stored.record


def _collect(services: Services, effect: Effect) -> Result:
    """One page of those who were served: a proposal for each that the incident may have hit."""
    batch = load_batch(services, effect.params["batch"])
    incident = load_incident(services, batch.incident)
    outage = incident.revisions[batch.revision - 1].outage
    number, after = batch.place
    page = services.store.queued(served_with(outage.services[number]), limit=PAGE, after=after)
    added = 0
    for key in page.rows:
        stored = services.store.get(ServedItem, key.customer, key.id)
        if stored and stored.record.was_served(outage.started_at, outage.ended_at):
            added += _propose(services, batch, stored.record)
    place = (number, page.after) if page.after else (number + 1, None)
    last = not page.after and number + 1 == len(outage.services)
    return {"place": list(place), "added": added, "last": last, "from": [number, after]}


def _propose(services: Services, batch: CreditBatch, served: ServedItem) -> int:
    """Put the proposal for a subscription, unless it is there; 1 if it counts for this page."""
    name = derived_id(batch.id, served.subscription)

    def decide(change: Change) -> int:
        known = change.load(CreditProposal, name)
        if known is not None:
            # Made before this page died, or for another product of the same subscription.
            return int(known.served == served.id)
        change.put(
            CreditProposal(
                id=name,
                customer=served.customer,
                batch=batch.id,
                incident=batch.incident,
                subscription=served.subscription,
                state=ProposalState.PENDING,
                due_at=batch.created_at,
                served=served.id,
            )
        )
        change.effect(EffectKind.PROPOSE_CREDIT, {"proposal": name})
        return 1

    return transact(services, served.customer, f"batch:{batch.id}", decide)


def _after_page(change: Change, effect: Effect, result: Result) -> None:
    batch = change.load(CreditBatch, effect.params["batch"])
    if batch is None:
        raise BrokenInvariantError(f"batch {effect.params['batch']} has vanished")
    if list(batch.place) != list(result["from"]) or batch.state is not BatchState.COLLECTING:
        return
    number, after = result["place"]
    change.put(batch.collecting((number, after), result["added"], last=result["last"]))
    if not result["last"]:
        page = effect.params["page"] + 1
        change.effect(EffectKind.COLLECT_CREDITS, {"batch": batch.id, "page": page})


def _assess_proposal(services: Services, effect: Effect) -> Result:
    """What the policy makes of it, put on record; it pays nothing."""

    def decide(change: Change) -> Result:
        known = change.load(CreditProposal, effect.params["proposal"])
        if known is None:
            raise BrokenInvariantError(f"proposal {effect.params['proposal']} has vanished")
        if known.state is not ProposalState.PENDING:
            return {}
        proposed = assessed_proposal(change, known)
        change.put(proposed)
        return {"state": proposed.state.value}

    return transact(services, effect.customer, "incidents", decide)


def assessed_proposal(change: Change, known: CreditProposal) -> CreditProposal:
    """The proposal with what the policy gives for it now."""
    batch = load_batch(change.services, known.batch)
    case = case_of(change, batch, known)
    if not case.invoices:
        return replace(known, state=ProposalState.NOTHING_DUE, reason="no invoice covers it")
    assessed = assess(change, case)
    outcome, total = assessed.decision.outcome, assessed.decision.total
    reasons = ", ".join(f"{r.clause}:{r.code}" for r in assessed.decision.reasons)
    payable = outcome in (Outcome.GRANTED, Outcome.NEEDS_APPROVAL)
    if payable and not total:
        state, total = ProposalState.NOTHING_DUE, 0
    elif payable:
        by_hand = assessed.decision.manual_transfer
        state = ProposalState.NEEDS_PERSON if by_hand else ProposalState.PROPOSED
    else:
        denied = outcome is Outcome.DENIED
        state = ProposalState.NOTHING_DUE if denied else ProposalState.NEEDS_PERSON
        total = 0
    return replace(
        known,
        state=state,
        invoices=case.invoices,
        amount=total,
        currency=assessed.decision.currency or "",
        facts=assessed.facts.digest,
        reason=reasons,
    )


def case_of(change: Change, batch: CreditBatch, proposal: CreditProposal) -> RefundCase:
    """The refund case that a proposal stands for, as it would be opened now."""
    incident = load_incident(change.services, batch.incident)
    outage = incident.outage
    invoices = proposal.invoices or tuple(
        invoice.id
        for invoice in change.services.billing.subscription_invoices(
            proposal.subscription, outage.started_at
        )
        if any(
            line.amount > 0
            and incident.hits(line.product or "", Period(line.period_start, line.period_end))
            for line in invoice.lines
        )
    )
    return RefundCase(
        id=derived_id(proposal.id, "case"),
        customer=proposal.customer,
        ground=Ground.SERVICE_DISRUPTION,
        state=CaseState.RECEIVED,
        invoices=invoices,
        channel=CHANNEL,
        # Whoever was hit has asked when it was reported, not when a batch happens to be made.
        opened_at=_received_at(outage.reported_at or outage.started_at, change.now),
        opened_by=f"batch:{batch.id}",
        subscription=proposal.subscription,
        settle_as=batch.settle_as,
        findings={"evidence": [_EVIDENCE]},
        evidence=(_EVIDENCE,),
    )


def _received_at(reported_at: datetime, now: datetime) -> datetime:
    return min(reported_at, now)


PERFORMERS = {
    EffectKind.COLLECT_CREDITS: Performer(send=_collect, adopt=_after_page),
    EffectKind.PROPOSE_CREDIT: Performer(send=_assess_proposal),
}
