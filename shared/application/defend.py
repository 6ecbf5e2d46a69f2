"""Our answer to a dispute: prepared at once, staged, approved, submitted before its deadline.

Evidence counts once, mostly: what is staged is submitted by a person's word, or by the policy's,
with a margin before the bank's deadline. Whoever else answers first, a person at Stripe or Smart
Disputes, is not answered over.
"""

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.early_warnings import warning_rule
from shared.application.weigh_dispute import weigh
from shared.domain.clauses import NO_CONTEST, ContestRule, SubmitBy, WarningAction
from shared.domain.dispute import ANSWERABLE, Dispute, DisputeKind, DisputePhase
from shared.domain.early_warning import WarningKind
from shared.domain.effects import EffectKind
from shared.domain.evidence import (
    LOOK_AGAIN,
    WATCHED,
    Evidence,
    EvidenceState,
    Pack,
    Section,
    Subject,
    family_of,
)
from shared.ports import Services

PACK = "evidence"
# Stripe's Smart Disputes answers by itself where it is asked to, or preferred.
SMART = frozenset({"smart_disputes", "prefer_smart_disputes"})


def contest_rule(change: Change) -> ContestRule:
    """What the policy in force says of contesting."""
    services = change.services
    policy = services.policies.load_policy(services.policy, change.now)
    return policy.rule(ContestRule) or NO_CONTEST


def begin_defence(change: Change, record: Dispute) -> None:
    """Have evidence prepared, where the bank takes any; once for each phase that takes it."""
    known = change.load(Evidence, record.id)
    answered = known is not None and known.respond_by == record.respond_by
    if record.respond_by is None or record.phase not in ANSWERABLE or answered:
        return
    rule = contest_rule(change)
    submit_by = record.respond_by - timedelta(hours=rule.margin_hours)
    reminders = sorted(record.respond_by - timedelta(days=days) for days in rule.remind_days)
    appeal = record.phase is DisputePhase.APPEAL
    left = appeal or record.intended_method in SMART
    if appeal:
        # An appeal has a form of its own and no second chance: a person writes it.
        change.alert("appeal_open", record.id, f"due by {instant(record.respond_by)}")
    change.put(
        Evidence(
            id=record.id,
            customer=change.customer,
            state=EvidenceState.LEFT_ALONE if left else EvidenceState.PREPARING,
            family=family_of(record.network, record.reason_code, record.reason),
            opened_at=record.opened_at,
            respond_by=record.respond_by,
            submit_by=submit_by,
            reminders=tuple(at for at in reminders if change.now < at < submit_by),
            submissions=record.submissions,
        )
    )
    if not left:
        change.effect(EffectKind.PREPARE_EVIDENCE, {"dispute": record.id})


def follow_defence(change: Change, record: Dispute) -> None:
    """A dispute has moved: what is over needs no answer; what was answered elsewhere neither."""
    begin_defence(change, record)
    evidence = change.load(Evidence, record.id)
    if evidence is None or evidence.state not in WATCHED:
        return
    if record.submissions > evidence.submissions:
        state = EvidenceState.SUBMITTED
        change.audit("evidence_answered_elsewhere", record.submission_method, dispute=record.id)
    elif record.intended_method in SMART:
        state = EvidenceState.LEFT_ALONE
    elif record.phase in ANSWERABLE:
        return
    else:
        state = EvidenceState.MISSED
    change.put(replace(evidence, state=state))


def watch_evidence(services: Services, *, customer: str, dispute: str) -> str:
    """A deadline nears: remind, submit, or call a person; a word for the metrics."""

    def decide(change: Change) -> str:
        evidence = change.load(Evidence, dispute)
        record = change.load(Dispute, dispute)
        if evidence is None or record is None or evidence.due_at is None:
            return "nothing_to_do"
        if change.now < evidence.due_at:
            return "nothing_to_do"
        if change.now >= evidence.respond_by:
            change.put(replace(evidence, state=EvidenceState.MISSED))
            change.alert("evidence_missed", dispute, f"due by {instant(evidence.respond_by)}")
            return "evidence_missed"
        if change.now >= evidence.submit_by:
            return _last_call(change, record, evidence)
        change.put(evidence.reminded(change.now))
        _remind(change, record, evidence)
        return "evidence_reminded"

    return transact(services, customer, "schedule", decide)


def _last_call(change: Change, record: Dispute, evidence: Evidence) -> str:
    """The margin begins: submit what may be submitted, else say so until it is too late."""
    waiting = replace(evidence.reminded(change.now), looking_until=change.now + LOOK_AGAIN)
    approved = evidence.state is EvidenceState.APPROVED
    if evidence.staged_at and (approved or _policy_submits(change, record, evidence)):
        change.put(replace(waiting, state=EvidenceState.APPROVED))
        change.effect(EffectKind.SUBMIT_EVIDENCE, {"dispute": record.id})
        return "evidence_submitted"
    change.put(waiting)
    _remind(change, record, evidence)
    return "evidence_reminded"


def _policy_submits(change: Change, record: Dispute, evidence: Evidence) -> bool:
    if record.kind is DisputeKind.INQUIRY:
        asked = warning_rule(change, WarningKind.INQUIRY)
        if asked is not None and asked.action is WarningAction.CONTEST:
            return True
    match contest_rule(change).submit:
        case SubmitBy.ALWAYS:
            return True
        case SubmitBy.IF_IT_PAYS:
            return not evidence.missing and weigh(change.services, record).fight_pays
        case _:
            return False


def _remind(change: Change, record: Dispute, evidence: Evidence) -> None:
    detail = {
        "dispute": record.id,
        "respond_by": instant(evidence.respond_by),
        "state": evidence.state.value,
        "missing": list(evidence.missing),
    }
    change.publish("EvidenceDue", detail)
    left = f"{evidence.state} and due by {instant(evidence.respond_by)}"
    change.alert("evidence_due", record.id, left)


def sealed_pack(services: Services, customer: str, pack: Pack) -> bytes:
    """The pack, sealed for its place in the customer's partition."""
    plain = asdict(pack) | {"missing": [subject.value for subject in pack.missing]}
    content = json.dumps(plain).encode()
    return services.vault.seal(content, customer=customer, kind=PACK, record=pack.dispute)


def opened_pack(services: Services, evidence: Evidence) -> Pack:
    """The pack that `evidence` holds."""
    content = services.vault.open(
        evidence.sealed, customer=evidence.customer, kind=PACK, record=evidence.id
    )
    plain: dict[str, Any] = json.loads(content)
    return Pack(
        dispute=plain["dispute"],
        family=evidence.family,
        title=plain["title"],
        sections=tuple(_section(one) for one in plain["sections"]),
        fields=plain["fields"],
        missing=tuple(Subject(one) for one in plain["missing"]),
    )


def _section(plain: dict[str, Any]) -> Section:
    return Section(
        Subject(plain["subject"]),
        plain["title"],
        plain["text"],
        tuple(plain["head"]),
        tuple(tuple(row) for row in plain["rows"]),
        plain["is_empty"],
    )


def is_in_time(evidence: Evidence, now: datetime) -> bool:
    """Whether the bank still takes it."""
    return now < evidence.respond_by
