"""Approve a batch of credits as one, and carry each out as the refund case that it stands for."""

from collections import Counter
from dataclasses import dataclass, replace

from shared.application.approval_need import (
    approval_need,
    note_grant_by_person,
    note_grant_to_customer,
)
from shared.application.cases.assess import assess, keep
from shared.application.cases.pay import pay
from shared.application.change import Change, transact
from shared.application.effects.performer import Performer, Result
from shared.application.incidents.propose_credits import case_of, load_batch
from shared.application.step_case import put_case
from shared.domain.approval_limits import Need, suffices
from shared.domain.case_clocks import start_review
from shared.domain.clauses import Outcome
from shared.domain.credit_batch import (
    PAGE,
    BatchConsent,
    BatchState,
    CreditBatch,
    CreditProposal,
    ProposalState,
    digest_of,
    proposals_of,
    totals,
)
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError, ConflictError
from shared.domain.incident import INCIDENTS
from shared.domain.refund_case import CaseApproval, RefundCase
from shared.domain.staff import StaffMember
from shared.ports import Services

# A page of the list, and what the table then reads of it in one call.
_READ = 100


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with all of its proposals as each stands."""

    batch: CreditBatch
    proposals: tuple[CreditProposal, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every proposal is there and assessed."""
        counted = len(self.proposals) == self.batch.collected
        pending = any(p.state is ProposalState.PENDING for p in self.proposals)
        return self.batch.state is not BatchState.COLLECTING and counted and not pending

    @property
    def counts(self) -> dict[str, int]:
        """How many proposals there are in each state."""
        return dict(sorted(Counter(p.state.value for p in self.proposals).items()))

    @property
    def payable(self) -> tuple[CreditProposal, ...]:
        """The proposals that an approval is about."""
        unpaid = (ProposalState.NOTHING_DUE, ProposalState.NEEDS_PERSON, ProposalState.PENDING)
        return tuple(p for p in self.proposals if p.state not in unpaid)


def view_batch(services: Services, batch: str) -> BatchView:
    """A batch and its proposals.

    Raises:
        NotFoundError: no such batch.
    """
    known = load_batch(services, batch)
    found: list[CreditProposal] = []
    after: str | None = None
    while True:
        page = services.store.queued(proposals_of(batch), limit=_READ, after=after)
        keys = [(key.customer, key.id) for key in page.rows]
        found += [s.record for s in services.store.get_many(CreditProposal, keys)]
        if page.after is None:
            return BatchView(known, tuple(found))
        after = page.after


def approve_batch(
    services: Services, *, batch: str, digest: str, reason: str, by: StaffMember
) -> tuple[CreditBatch, Need | None]:
    """Count a consent to exactly these proposals; when it is enough, they are carried out.

    Raises:
        NotFoundError: no such batch.
        ConflictError: still collecting, decided already, other figures than were shown, or the
            same person again.
    """
    view = view_batch(services, batch)
    _refuse_unapprovable(view, digest)

    def decide(change: Change) -> tuple[CreditBatch, Need | None]:
        known = change.load(CreditBatch, batch)
        if known is None or known.state is not BatchState.PROPOSED:
            raise ConflictError("already-decided", "This batch is decided already.")
        earlier = tuple(c for c in known.consents if c.digest == digest)
        if any(consent.by == by.actor for consent in earlier):
            raise ConflictError("same-person", "You have agreed already; somebody else has to.")
        mine = BatchConsent(by.actor, by.role.value, change.now, digest, reason)
        known = replace(known, consents=(*earlier, mine), digest=digest)
        sums = totals(view.payable)
        need = _need(change, sums, by)
        change.audit("credits_approved", reason, batch=batch, totals=dict(sums), facts=digest)
        if not suffices(need, [(c.by, c.role) for c in known.consents]):
            change.put(known)
            return known, need
        for currency, amount in sums:
            note_grant_by_person(change, by.actor, amount=amount, currency=currency)
        released = replace(known, state=BatchState.RELEASING, totals=sums, place=(0, None))
        change.put(released)
        change.effect(EffectKind.RELEASE_CREDITS, {"batch": batch, "page": 0})
        return released, None

    return transact(services, INCIDENTS, by.actor, decide)


def discard_batch(services: Services, *, batch: str, reason: str, by: StaffMember) -> CreditBatch:
    """The batch, without consequences.

    Raises:
        NotFoundError: no such batch.
        ConflictError: it is approved already.
    """
    load_batch(services, batch)

    def decide(change: Change) -> CreditBatch:
        known = change.load(CreditBatch, batch)
        if known is None or known.state in (BatchState.RELEASING, BatchState.RELEASED):
            raise ConflictError("already-decided", "This batch is decided already.")
        discarded = replace(known, state=BatchState.DISCARDED)
        change.put(discarded)
        change.audit("credits_discarded", reason, batch=batch)
        return discarded

    return transact(services, INCIDENTS, by.actor, decide)


def _refuse_unapprovable(view: BatchView, digest: str) -> None:
    if not view.is_complete:
        raise ConflictError(
            "still-collecting", "Not every proposal is there yet.", {"proposals": view.counts}
        )
    if digest != digest_of(view.payable):
        raise ConflictError(
            "facts-changed",
            "These are no longer the proposals that you were shown.",
            {"digest": digest_of(view.payable), "totals": dict(totals(view.payable))},
        )


def _need(change: Change, sums: tuple[tuple[str, int], ...], by: StaffMember) -> Need:
    """Whose consent the whole batch takes: of its currencies the one that asks for most."""
    needs = [
        approval_need(change, amount=amount, currency=currency, person=by.actor)
        for currency, amount in sums
    ]
    return max([Need.ONE_PERSON, *needs])


def _release(services: Services, effect: Effect) -> Result:
    """One page of the proposals: each that was approved gets an effect of its own."""
    batch = load_batch(services, effect.params["batch"])
    page = services.store.queued(proposals_of(batch.id), limit=PAGE, after=batch.place[1])
    for key in page.rows:
        _let_go(services, key.customer, key.id)
    return {"after": page.after, "from": batch.place[1]}


def _let_go(services: Services, customer: str, proposal: str) -> None:
    def decide(change: Change) -> None:
        known = change.load(CreditProposal, proposal)
        if known is None or known.state is not ProposalState.PROPOSED:
            return
        change.put(replace(known, state=ProposalState.APPROVED))
        change.effect(EffectKind.CARRY_OUT_CREDIT, {"proposal": proposal})

    transact(services, customer, "incidents", decide)


def _after_release(change: Change, effect: Effect, result: Result) -> None:
    batch = change.load(CreditBatch, effect.params["batch"])
    if batch is None:
        raise BrokenInvariantError(f"batch {effect.params['batch']} has vanished")
    if batch.state is not BatchState.RELEASING or batch.place[1] != result["from"]:
        return
    if result["after"] is None:
        change.put(replace(batch, state=BatchState.RELEASED))
        return
    change.put(replace(batch, place=(0, result["after"])))
    page = effect.params["page"] + 1
    change.effect(EffectKind.RELEASE_CREDITS, {"batch": batch.id, "page": page})


def _carry_out(services: Services, effect: Effect) -> Result:
    """Open the case and pay it, if it still comes to what was approved; all in one commit."""
    proposal, customer = effect.params["proposal"], effect.customer
    try:
        return transact(services, customer, "incidents", lambda change: _pay(change, proposal))
    except ConflictError as refusal:
        why = refusal.slug
        return transact(
            services, customer, "incidents", lambda change: _set_aside(change, proposal, why)
        )


def _pay(change: Change, proposal: str) -> Result:
    known = change.load(CreditProposal, proposal)
    if known is None or known.state is not ProposalState.APPROVED:
        return {}
    batch = load_batch(change.services, known.batch)
    case = case_of(change, batch, known)
    if change.load(RefundCase, case.id) is not None:
        raise BrokenInvariantError(f"proposal {known.id} has a case and is not carried out")
    approvals = _approvals(batch, known)
    assessed = assess(change, case, approvals)
    figures = (assessed.decision.total, assessed.decision.currency, assessed.facts.digest)
    if figures != (known.amount, known.currency, known.facts):
        change.put(replace(known, state=ProposalState.CHANGED, reason="it comes to other figures"))
        change.audit("credit_changed", "it comes to other figures", proposal=known.id)
        return {"state": ProposalState.CHANGED.value}
    if assessed.decision.outcome is not Outcome.GRANTED:
        return _set_aside(change, proposal, "the policy wants other consents")
    policy = assessed.facts.policy
    case = replace(case, policy=f"{policy.id}@{policy.version}", approvals=approvals)
    case = case.with_clock(start_review(policy, case.ground, change.now))
    case = keep(change, put_case(change, case), assessed)
    by = batch.consents[-1].by
    pay(change, case, assessed, by=by, person=by)
    # Who approved the batch has it counted as a whole; with the customer each part counts.
    note_grant_to_customer(change, amount=known.amount, currency=known.currency or "")
    change.put(replace(known, state=ProposalState.CARRIED_OUT, case=case.id))
    return {"state": ProposalState.CARRIED_OUT.value, "case": case.id}


def _set_aside(change: Change, proposal: str, why: str) -> Result:
    known = change.load(CreditProposal, proposal)
    if known is None or known.state is not ProposalState.APPROVED:
        return {}
    change.put(replace(known, state=ProposalState.NEEDS_PERSON, reason=why))
    change.audit("credit_set_aside", why, proposal=known.id)
    return {"state": ProposalState.NEEDS_PERSON.value}


def _approvals(batch: CreditBatch, proposal: CreditProposal) -> tuple[CaseApproval, ...]:
    """The consents to the batch, as consents to this part of it."""
    return tuple(
        CaseApproval(
            by=consent.by,
            role=consent.role,
            at=consent.at,
            digest=proposal.facts or "",
            amount=proposal.amount,
            note=batch.id,
            evidence_reviewed=("incident_record",),
        )
        for consent in batch.consents
    )


PERFORMERS = {
    EffectKind.RELEASE_CREDITS: Performer(send=_release, adopt=_after_release),
    EffectKind.CARRY_OUT_CREDIT: Performer(send=_carry_out),
}
