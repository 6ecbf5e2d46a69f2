"""Gather what our records and Stripe's say about a disputed payment. Nothing is changed."""

import json
from datetime import datetime
from typing import Any

from shared.domain.arrears import Arrears
from shared.domain.cancellation import Cancellation
from shared.domain.clauses import ContestRule
from shared.domain.dispute import Dispute
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import NotReadyError
from shared.domain.evidence import Activity, ActivityEvent
from shared.domain.evidence_pack import EvidenceFacts, Happened, Terms
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.money_text import money_text
from shared.domain.policy import Policy
from shared.domain.refund_operation import RefundOperation
from shared.domain.subscription import Subscription
from shared.ports import Services

ACTIVITY = "activity"
# Consequences that the bank cares for are about money and service, not about our own duties.
_TERMS = ("consequence", "formula", "window", "exclusion", "line_filter", "standing", "ground")


def gather_evidence(services: Services, dispute: Dispute) -> EvidenceFacts:
    """The facts as they are now.

    Raises:
        NotReadyError: Stripe does not show the payment.
    """
    story = services.billing.charge_story(dispute.charge)
    if story is None:
        raise NotReadyError(f"charge {dispute.charge} is not at Stripe")
    customer = dispute.customer
    policy = services.policies.load_policy(services.policy, story.paid_at)
    subscriptions = [s.record for s in services.store.all_of(Subscription, customer)]
    begins = [item.period_start for one in subscriptions for item in one.items]
    return EvidenceFacts(
        dispute=dispute,
        story=story,
        terms=_terms(policy),
        purchased_at=min(begins, default=None),
        cancellations=_cancellations(services, customer),
        refunds=_refunds(services, dispute),
        messages=_messages(services, customer),
        activity=read_activity(services, customer),
    )


def read_activity(services: Services, customer: str) -> tuple[ActivityEvent, ...]:
    """What the company's systems have reported, in time's order."""
    events = []
    for stored in services.store.all_of(Activity, customer):
        batch = stored.record
        opened = services.vault.open(
            batch.sealed, customer=customer, kind=ACTIVITY, record=batch.id
        )
        events += [_event(one) for one in json.loads(opened)]
    return tuple(sorted(events, key=lambda one: one.at))


def _event(plain: dict[str, Any]) -> ActivityEvent:
    return ActivityEvent(**plain | {"at": datetime.fromisoformat(plain["at"])})


def _terms(policy: Policy) -> Terms:
    rule = policy.rule(ContestRule)
    said = [(c.id, c.text) for c in policy.clauses if c.kind in _TERMS]
    return Terms(
        title=policy.title,
        version=policy.version,
        since=policy.effective_at,
        digest=policy.digest,
        disclosed=(rule.disclosed if rule else None) or "",
        clauses=tuple(dict.fromkeys(said)),
    )


def _cancellations(services: Services, customer: str) -> tuple[Happened, ...]:
    found = [
        Happened(one.requested_at, f"cancellation {one.timing}, {one.state}", one.subscription)
        for one in (s.record for s in services.store.all_of(Cancellation, customer))
    ]
    found += [
        Happened(one.since, f"invoice {one.number} unpaid", one.subscription or one.id)
        for one in (s.record for s in services.store.all_of(Arrears, customer))
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def _refunds(services: Services, dispute: Dispute) -> tuple[Happened, ...]:
    found = [
        Happened(one.reserved_at, _amount(one, one.reason or "by the policy"), one.id)
        for one in (s.record for s in services.store.all_of(RefundOperation, dispute.customer))
        if one.payment == dispute.payment
    ]
    found += [
        Happened(one.seen_at, _amount(one, "made by hand"), one.id)
        for one in (s.record for s in services.store.all_of(ForeignRefund, dispute.customer))
        if one.payment == dispute.payment and one.claimed_by is None
    ]
    return tuple(sorted(found, key=lambda one: one.at))


def _amount(refund: RefundOperation | ForeignRefund, why: str) -> str:
    return f"{money_text(refund.amount, refund.currency)} {refund.status}, {why}"


def _messages(services: Services, customer: str) -> tuple[Happened, ...]:
    sent = [
        Happened(one.last_sent_at or one.created_at, str(one.params["template"]), one.id)
        for one in (s.record for s in services.store.all_of(Effect, customer))
        if one.kind is EffectKind.SEND_MAIL
        and one.status is EffectStatus.DONE
        and one.result.get("sent")
    ]
    return tuple(sorted(sent, key=lambda one: one.at))
