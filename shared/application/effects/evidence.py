"""Evidence out: prepared and uploaded, staged, submitted once; or a dispute given up."""

from dataclasses import replace

from shared.application.change import Change
from shared.application.defend import is_in_time, opened_pack, sealed_pack
from shared.application.effects.performer import (
    Go,
    Performer,
    Refuse,
    Result,
    Skip,
    Verdict,
    key_of,
)
from shared.application.gather_evidence import gather_evidence
from shared.domain.controls import OPERATIONS
from shared.domain.dispute import ANSWERABLE, Dispute, DisputePhase
from shared.domain.dispute_result import DisputeResult
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.evidence import ANY_FILE_FIELD, FILE_FIELD, WATCHED, Evidence, EvidenceState
from shared.domain.evidence_pack import build_pack
from shared.ports import Put, Services


def _known(services: Services, effect: Effect) -> tuple[Dispute, Evidence]:
    name = effect.params["dispute"]
    dispute = services.store.get(Dispute, effect.customer, name)
    evidence = services.store.get(Evidence, effect.customer, name)
    if dispute is None or evidence is None:
        raise BrokenInvariantError(f"evidence effect {effect.id} of an unknown dispute")
    return dispute.record, evidence.record


def _if_watched(services: Services, effect: Effect) -> Verdict:
    _, evidence = _known(services, effect)
    return Go() if evidence.state in WATCHED else Skip(f"it is {evidence.state}")


def _prepare(services: Services, effect: Effect) -> Result:
    """Build the pack and upload its document; what is uploaded and never used harms nobody."""
    dispute, _ = _known(services, effect)
    pack = build_pack(gather_evidence(services, dispute))
    document = services.renderer.render(pack)
    name = f"{dispute.id}.pdf"
    file = services.billing.upload_evidence(document, name=name, key=key_of(effect))
    sealed = sealed_pack(services, effect.customer, pack)
    return {"file": file, "sealed": sealed, "missing": [subject.value for subject in pack.missing]}


def _prepared(change: Change, effect: Effect, result: Result) -> None:
    evidence = change.load(Evidence, effect.params["dispute"])
    if evidence is None or evidence.state not in WATCHED:
        return
    built = replace(
        evidence,
        file=result["file"],
        sealed=result["sealed"],
        missing=tuple(result["missing"]),
        built_at=change.now,
        staged_at=None,
    )
    change.put(built)
    change.effect(EffectKind.STAGE_EVIDENCE, {"dispute": evidence.id})


def _stage(services: Services, effect: Effect) -> Result:
    _send(services, effect, submit=False)
    return {}


def _staged(change: Change, effect: Effect, _result: Result) -> None:
    evidence = change.load(Evidence, effect.params["dispute"])
    if evidence is None or evidence.state not in WATCHED:
        return
    approved = evidence.state is EvidenceState.APPROVED
    state = EvidenceState.APPROVED if approved else EvidenceState.STAGED
    change.put(replace(evidence, state=state, staged_at=change.now))
    change.audit(
        "evidence_staged",
        "complete" if not evidence.missing else "incomplete",
        dispute=evidence.id,
        missing=list(evidence.missing),
    )
    if approved:
        change.effect(EffectKind.SUBMIT_EVIDENCE, {"dispute": evidence.id})


def _may_submit(services: Services, effect: Effect) -> Verdict:
    """Approved, in time, and nobody else has answered: looked at last, at Stripe itself."""
    dispute, evidence = _known(services, effect)
    seen = services.billing.dispute(dispute.id)
    if evidence.state is not EvidenceState.APPROVED:
        return Skip(f"it is {evidence.state}")
    if seen is None or seen.phase not in ANSWERABLE:
        return Refuse("the bank takes no evidence any more")
    if seen.submissions != evidence.submissions:
        return Refuse("evidence has been submitted by somebody else")
    if not is_in_time(evidence, services.clock.now()):
        return Refuse("the deadline has passed")
    return Go()


def _submit(services: Services, effect: Effect) -> Result:
    _send(services, effect, submit=True)
    return {"submitted": True}


def _find_submission(services: Services, effect: Effect) -> Result | None:
    dispute, evidence = _known(services, effect)
    seen = services.billing.dispute(dispute.id)
    if seen is not None and seen.submissions > evidence.submissions:
        return {"submitted": True}
    return None


def _submitted(change: Change, effect: Effect, _result: Result) -> None:
    evidence = change.load(Evidence, effect.params["dispute"])
    if evidence is None:
        return
    submitted = replace(evidence, state=EvidenceState.SUBMITTED, submitted_at=change.now)
    change.put(submitted)
    by = evidence.approved_by or "the policy"
    change.audit("evidence_submitted", f"approved by {by}", dispute=evidence.id)
    change.publish("EvidenceSubmitted", {"dispute": evidence.id, "family": evidence.family.value})


def _not_submitted(change: Change, effect: Effect, reason: str) -> None:
    evidence = change.load(Evidence, effect.params["dispute"])
    if evidence is not None and evidence.state in WATCHED:
        change.put(replace(evidence, state=EvidenceState.MISSED))
    change.alert("evidence_refused", effect.params["dispute"], reason)


def _send(services: Services, effect: Effect, *, submit: bool) -> None:
    dispute, evidence = _known(services, effect)
    pack = opened_pack(services, evidence)
    fields = dict(pack.fields)
    if evidence.file:
        fields[FILE_FIELD.get(evidence.family, ANY_FILE_FIELD)] = evidence.file
    services.billing.send_evidence(dispute.id, fields, submit=submit, key=key_of(effect))


def _may_give_up(services: Services, effect: Effect) -> Verdict:
    """It is given up for good, so only by the word that is on record."""
    _, evidence = _known(services, effect)
    return Go() if evidence.state is EvidenceState.ACCEPTED else Skip(f"it is {evidence.state}")


def _give_up(services: Services, effect: Effect) -> Result:
    services.billing.accept_dispute(effect.params["dispute"], key=key_of(effect))
    return {}


def _find_given_up(services: Services, effect: Effect) -> Result | None:
    seen = services.billing.dispute(effect.params["dispute"])
    return {} if seen is not None and seen.phase not in ANSWERABLE else None


def _record_result(services: Services, effect: Effect) -> Result:
    """Set, never counted up, so that any number of times is once."""
    stored = services.store.get(Dispute, effect.customer, effect.params["dispute"])
    if stored is None:
        raise BrokenInvariantError(f"result of the unknown dispute {effect.params['dispute']}")
    dispute = stored.record
    evidence = services.store.get(Evidence, effect.customer, dispute.id)
    known = services.store.get(DisputeResult, OPERATIONS, dispute.id)
    result = DisputeResult(
        customer=OPERATIONS,
        id=dispute.id,
        kind=dispute.kind,
        outcome=dispute.outcome,
        network=dispute.network,
        reason=dispute.reason,
        reason_code=dispute.reason_code,
        amount=dispute.amount,
        currency=dispute.currency,
        opened_at=dispute.opened_at,
        submitted_at=evidence.record.submitted_at if evidence else None,
        ended_at=effect.created_at if dispute.phase is DisputePhase.ENDED else None,
    )
    services.store.commit([Put(result, known.version if known else 0)])
    return {}


PERFORMERS = {
    EffectKind.PREPARE_EVIDENCE: Performer(send=_prepare, may_send=_if_watched, adopt=_prepared),
    EffectKind.STAGE_EVIDENCE: Performer(send=_stage, may_send=_if_watched, adopt=_staged),
    EffectKind.SUBMIT_EVIDENCE: Performer(
        send=_submit,
        look_up=_find_submission,
        may_send=_may_submit,
        adopt=_submitted,
        reject=_not_submitted,
    ),
    EffectKind.RECORD_RESULT: Performer(send=_record_result),
    EffectKind.ACCEPT_DISPUTE: Performer(
        send=_give_up, look_up=_find_given_up, may_send=_may_give_up
    ),
}
