"""A dispute as staff see it, with the arithmetic and the pack; and what they decide on it."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.defend import is_in_time, opened_pack
from shared.application.early_warnings import overrule_refund
from shared.application.weigh_dispute import network_now, weigh
from shared.domain.dispute import ANSWERABLE, Dispute
from shared.domain.dispute_economics import Weighing
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.evidence import WATCHED, Evidence, EvidenceState
from shared.domain.network_month import NetworkMonth
from shared.domain.staff import StaffMember
from shared.ports import Services


class Judgement(StrEnum):
    """What a person has done with a dispute."""

    PREPARE = "prepare"
    CONTEST = "contest"
    ACCEPT = "accept"


def show_dispute(
    services: Services, customer: str, dispute: str, by: StaffMember
) -> dict[str, Any]:
    """The dispute with its books, its evidence and what each way is worth.

    Any member of staff may look; `by` is asked for so that nobody else gets here.

    Raises:
        NotFoundError: no such dispute of this customer.
    """
    assert by.roles
    stored = services.store.get(Dispute, customer, dispute)
    if stored is None:
        raise NotFoundError("dispute")
    record = stored.record
    evidence = services.store.get(Evidence, customer, dispute)
    return {
        "id": record.id,
        "kind": record.kind.value,
        "phase": record.phase.value,
        "outcome": record.outcome.value,
        "charge": record.charge,
        "payment": record.payment,
        "amount": record.amount,
        "currency": record.currency,
        "reason": record.reason,
        "network": record.network,
        "reason_code": record.reason_code,
        "opened_at": instant(record.opened_at),
        "exposure": record.exposure,
        "booked": [
            {
                "what": part.what.partition(":")[0],
                "currency": part.currency,
                "taken": part.taken,
                "returned": part.returned,
                "in_dispute": part.in_dispute,
                "owed": part.owed,
                "absorbed": part.absorbed,
            }
            for part in record.booked
        ],
        "evidence": evidence and _evidence(services, evidence.record),
        "weighing": _weighing(weigh(services, record), network_now(services, record.network)),
    }


def _evidence(services: Services, evidence: Evidence) -> dict[str, Any]:
    sections = opened_pack(services, evidence).sections if evidence.sealed else ()
    return {
        "state": evidence.state.value,
        "about": evidence.family.value,
        "respond_by": instant(evidence.respond_by),
        "submit_by": instant(evidence.submit_by),
        "missing": list(evidence.missing),
        "file": evidence.file,
        "submitted_at": _maybe(evidence.submitted_at),
        "sections": [
            {
                "subject": section.subject.value,
                "title": section.title,
                "text": section.text,
                "head": list(section.head),
                "rows": [list(row) for row in section.rows],
            }
            for section in sections
        ],
    }


def _maybe(at: datetime | None) -> str | None:
    return instant(at) if at else None


def _weighing(weighed: Weighing, month: NetworkMonth | None) -> dict[str, Any]:
    return {
        "currency": weighed.stakes.currency,
        "amount": weighed.stakes.amount,
        "received_fee": weighed.stakes.received_fee,
        "countering_fee": weighed.stakes.countering_fee,
        "won_before": weighed.record.won,
        "lost_before": weighed.record.lost,
        "win_rate": str(weighed.record.rate),
        "contest": weighed.contest,
        "accept": weighed.accept,
        "refund": weighed.refund,
        "best": weighed.best,
        "case_cost": weighed.stakes.case_cost,
        "network": month
        and {
            "name": month.network,
            "month": month.month,
            "disputes": month.disputes,
            "payments": month.payments,
            "ratio": str(month.ratio) if month.ratio is not None else None,
            "limit": str(month.limit.ratio),
            "left": month.left,
        },
    }


def judge_dispute(
    services: Services,
    customer: str,
    what: tuple[str, Judgement],
    by: StaffMember,
    call: ClientCall,
) -> Answer:
    """Prepare its evidence anew, contest it with what is staged, or give it up for good.

    Args:
        services: the ports.
        customer: whose dispute.
        what: which dispute, and the judgement.
        by: who judges.
        call: the caller's idempotency key.

    Raises:
        NotFoundError: no such dispute of this customer.
        ConflictError: the bank takes no answer any more, or has one.
    """
    dispute, judgement = what
    first = replay(services, customer, call)
    if first is not None:
        return first

    def decide(change: Change) -> Answer:
        record, evidence = change.load(Dispute, dispute), change.load(Evidence, dispute)
        if record is None:
            raise NotFoundError("dispute")
        if evidence is None or evidence.state not in WATCHED or record.phase not in ANSWERABLE:
            state = evidence.state if evidence else "not answerable"
            raise ConflictError("not-answerable", f"This dispute is {state}.")
        if not is_in_time(evidence, change.now):
            raise ConflictError("too-late", "The bank's deadline has passed.")
        judged = _judge(change, evidence, judgement, by)
        change.put(judged)
        if judgement is not Judgement.PREPARE:
            overrule_refund(change, record.charge, by)
        change.audit(f"dispute_{judgement.value}", "by staff", dispute=dispute)
        answer = Answer(202, {"dispute": dispute, "state": judged.state.value})
        remember(change, call, answer)
        return answer

    return transact(services, customer, by.actor, decide)


def _judge(change: Change, evidence: Evidence, judgement: Judgement, by: StaffMember) -> Evidence:
    named = {"dispute": evidence.id}
    match judgement:
        case Judgement.PREPARE:
            change.effect(EffectKind.PREPARE_EVIDENCE, named)
            return evidence
        case Judgement.CONTEST:
            # Once it is staged, that is; what is still being prepared follows by itself.
            if evidence.staged_at:
                change.effect(EffectKind.SUBMIT_EVIDENCE, named)
            return replace(evidence, state=EvidenceState.APPROVED, approved_by=by.actor)
        case Judgement.ACCEPT:
            change.effect(EffectKind.ACCEPT_DISPUTE, named)
            return replace(evidence, state=EvidenceState.ACCEPTED, approved_by=by.actor)
