"""Give a payment back before it becomes a chargeback, as the refund case that it stands for.

The case is out of goodwill, so the policy's own bounds on that hold, with the limits on what is
granted without, or by, a person. Where they ask for more consents the case waits for people.
"""

from dataclasses import replace

from shared.application.approval_need import (
    approval_need,
    note_grant_by_person,
    note_grant_to_customer,
)
from shared.application.cases.assess import Assessed, assess, keep
from shared.application.cases.conclude import POLICY, review
from shared.application.cases.pay import pay
from shared.application.change import Change, transact
from shared.application.early_warnings import end_warning
from shared.application.effects.performer import Performer, Result
from shared.application.step_case import put_case
from shared.domain.approval_limits import Need, suffices
from shared.domain.case_clocks import start_review
from shared.domain.clauses import Outcome
from shared.domain.derived_id import derived_id
from shared.domain.dispute import Dispute, DisputeKind, DisputePhase
from shared.domain.early_warning import EarlyWarning, WarningKind, WarningState
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.evidence import WATCHED, Evidence, EvidenceState
from shared.domain.facts import Ground
from shared.domain.refund_case import CaseApproval, CaseState, RefundCase
from shared.ports import Services

CHANNEL = "early_warning"
_AGENT = "agent"


def _prevent(services: Services, effect: Effect) -> Result:
    """Open the case and pay it, if nothing has come in between; all in one commit."""
    charge, customer = effect.params["charge"], effect.customer
    try:
        return transact(services, customer, POLICY, lambda change: _carry_out(change, charge))
    except (ConflictError, NotFoundError) as refusal:
        why = str(refusal)
        return transact(services, customer, POLICY, lambda change: _ask(change, charge, why))


def _carry_out(change: Change, charge: str) -> Result:
    known = change.load(EarlyWarning, charge)
    if known is None or known.state is not WarningState.PLANNED:
        return {}
    if not _stands(change, known):
        end_warning(change, known, "nothing is left to prevent")
        return {"state": WarningState.OVER.value}
    case = _case(change, known)
    seen = assess(change, case)
    approval = CaseApproval(
        by=known.decided_by or POLICY,
        role=known.role or _AGENT,
        at=change.now,
        digest=seen.facts.digest,
        amount=known.amount,
        note=known.clause or known.source,
    )
    case = replace(case, approvals=(approval,))
    decided = assess(change, case, case.approvals)
    policy = decided.facts.policy
    case = replace(case, policy=f"{policy.id}@{policy.version}")
    case = case.with_clock(start_review(policy, case.ground, change.now))
    case = keep(change, put_case(change, case), decided)
    if not _may_pay(change, known, decided):
        return _leave_to_people(change, known, review(change, case, policy))
    amount, currency = decided.decision.total, decided.decision.currency or ""
    note_grant_to_customer(change, amount=amount, currency=currency)
    if known.decided_by:
        note_grant_by_person(change, known.decided_by, amount=amount, currency=currency)
    case = replace(case, discretionary=True)
    pay(change, case, decided, by=known.decided_by or POLICY, person=known.decided_by)
    change.put(replace(known, state=WarningState.REFUNDED, refund_case=case.id))
    change.audit("early_warning_refunded", known.clause, charge=known.id, case=case.id)
    _answer_no_more(change, known)
    return {"state": WarningState.REFUNDED.value, "case": case.id}


def _stands(change: Change, known: EarlyWarning) -> bool:
    """Whether it is still no more than a warning, here and at Stripe."""
    disputes = [s.record for s in change.services.store.all_of(Dispute, change.customer)]
    if any(one.charge == known.id and one.is_against_us for one in disputes):
        return False
    billing = change.services.billing
    if known.kind is WarningKind.FRAUD_WARNING:
        warned = billing.fraud_warning(known.source)
        return warned is not None and warned.actionable
    asked = billing.dispute(known.source)
    return (
        asked is not None
        and asked.kind is DisputeKind.INQUIRY
        and asked.phase is not DisputePhase.ENDED
        and asked.refundable
    )


def _case(change: Change, known: EarlyWarning) -> RefundCase:
    """The case over the one invoice that the payment has paid, or over the payment alone."""
    if known.payment is None:
        raise NotFoundError("payment")
    invoices = change.services.billing.invoices_paid_by(known.payment) or [known.payment]
    if len(invoices) > 1:
        raise ConflictError("needs-review", "The payment has paid several invoices.")
    others = [s.record for s in change.services.store.all_of(RefundCase, change.customer)]
    if any(other.overlaps(Ground.GOODWILL, tuple(invoices)) for other in others):
        raise ConflictError("needs-review", "A case over this invoice is open already.")
    found = change.services.billing.invoice_of(change.customer, invoices[0])
    if found is None:
        raise NotFoundError("invoice")
    case = RefundCase(
        id=derived_id(change.customer, "early warning", known.id, known.source),
        customer=change.customer,
        ground=Ground.GOODWILL,
        state=CaseState.RECEIVED,
        invoices=(found.id,),
        channel=CHANNEL,
        opened_at=change.now,
        opened_by=known.decided_by or POLICY,
        subscription=found.subscription,
    )
    change.load(RefundCase, case.id)
    return case


def _may_pay(change: Change, known: EarlyWarning, decided: Assessed) -> bool:
    """Whether it is granted, exactly the payment goes back, and who agreed is enough."""
    decision = decided.decision
    back = [one for one in decided.returns if one.total]
    exact = [(one.refunds, one.total) for one in back] == [
        ({known.payment: known.amount}, known.amount)
    ]
    if decision.outcome is not Outcome.GRANTED or not exact:
        return False
    need = approval_need(
        change, amount=decision.total, currency=decision.currency or "", person=known.decided_by
    )
    agreed = [(known.decided_by, known.role or _AGENT)] if known.decided_by else []
    return suffices(need if not agreed else max(need, Need.ONE_PERSON), agreed)


def _leave_to_people(change: Change, known: EarlyWarning, case: RefundCase) -> Result:
    change.put(replace(known, state=WarningState.CASE_OPENED, refund_case=case.id))
    why = "it takes more consents, or another amount would go back"
    change.audit("early_warning_case_opened", why, charge=known.id, case=case.id)
    change.alert("refund_needs_consent", known.id, f"case {case.id} waits: {why}")
    return {"state": WarningState.CASE_OPENED.value, "case": case.id}


def _ask(change: Change, charge: str, why: str) -> Result:
    """It cannot go back by itself: a person has to look."""
    known = change.load(EarlyWarning, charge)
    if known is None or known.state is not WarningState.PLANNED:
        return {}
    change.put(replace(known, state=WarningState.ASKED, act_at=None))
    change.audit("early_warning_asked", why, charge=charge)
    change.alert("refund_needs_consent", charge, why)
    return {"state": WarningState.ASKED.value}


def _answer_no_more(change: Change, known: EarlyWarning) -> None:
    """What has gone back is not argued for any more."""
    evidence = change.load(Evidence, known.source)
    if evidence is not None and evidence.state in WATCHED:
        change.put(replace(evidence, state=EvidenceState.ACCEPTED, approved_by=POLICY))


PERFORMERS = {EffectKind.PREVENT_DISPUTE: Performer(send=_prevent)}
