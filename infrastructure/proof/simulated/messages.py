"""Whether everybody who had to hear of something heard of it, and once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.dispute import Dispute
from shared.domain.effects import Effect, EffectKind
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import LedgerEntry
from shared.domain.records import AuditEntry
from shared.domain.refund_operation import RefundOperation
from shared.domain.subscription import Subscription

if TYPE_CHECKING:
    from infrastructure.proof.simulated.lifetime import Lifetime

# The clocks of two workers may differ by as much and more.
MESSAGES = (EffectKind.SEND_MAIL, EffectKind.PUBLISH_EVENT)
AT_ONCE = timedelta(minutes=10)


def judge_messages(life: Lifetime) -> Iterator[tuple[str, str]]:
    """I20: each thing that happened was told under one id, by mail and as an event."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (_, name), (what, content) in life.world.watch.sent_out.items():
        for subject in _subjects(content):
            told[what, subject].add(name)
    for effect in life.world.table.every(Effect):
        # Given up after its whole ladder, in front of a person.
        if effect.kind in MESSAGES and effect.status == "needs_person":
            content = effect.params.get("values") or effect.params["detail"]
            for subject in _subjects(content):
                told[effect.params.get("template") or effect.params["name"], subject].add(effect.id)
    for what, subject in _expected(life):
        times = len(told[what, subject])
        if times != 1:
            yield "I20", f"{what} of {subject} was told {times} times"


def _subjects(content: Mapping[str, Any]) -> list[str]:
    """What a message is about, by every member that names it."""
    cause = content.get("cause")
    named = [content.get(m) for m in ("refund", "cancellation", "dispute", "reference")]
    named.append(cause.get("id") if isinstance(cause, Mapping) else None)
    return [str(name) for name in named if name]


def _expected(life: Lifetime) -> Iterator[tuple[str, str]]:
    table = life.world.table
    operations = {one.id for one in table.every(RefundOperation)}
    for entry in table.every(LedgerEntry):
        if entry.what in ("refund", "refund_failed") and entry.cause in operations:
            issued = entry.what == "refund"
            yield ("refund_issued" if issued else "refund_failed"), entry.cause
            yield ("RefundIssued" if issued else "RefundFailed"), entry.cause
    for one in table.every(Cancellation):
        if one.effective_at > one.requested_at + AT_ONCE and one.refund_case is None:
            yield "cancellation_scheduled", one.id
            yield "CancellationScheduled", one.id
        if one.state is CancellationState.WITHDRAWN:
            yield "cancellation_withdrawn", one.id
            yield "CancellationWithdrawn", one.id
        elif (
            one.state is CancellationState.EXECUTED and one.effective_at <= life.world.hub.instant()
        ):
            yield "SubscriptionEnded", _ended_by(life, one)
    yield from _of_disputes(life)


def _ended_by(life: Lifetime, one: Cancellation) -> str:
    """What has ended its subscription: itself, or a case that ended it sooner."""
    stored = life.world.table.get(Subscription, one.customer, one.subscription)
    last = stored.record.cancellation if stored else None
    known = life.world.table.get(Cancellation, one.customer, last or "")
    return known.record.id if known and known.record.refund_case else one.id


# What a dispute's state has led to, as the audit trail says, and who heard of it.
DISPUTE_TOLD = {
    "suspend": ("account_suspended", "AccountSuspended"),
    "tell_win": ("ChargebackWon",),
    "tell_inquiry": ("InquiryReceived",),
}


def _of_disputes(life: Lifetime) -> Iterator[tuple[str, str]]:
    world = life.world
    policy = world.ports().policies.load_policy(world.policy, world.hub.instant())
    suspends = policy.dispute_consequences.suspend
    owed = policy.dispute_consequences.amount_becomes_owed_when_lost
    for entry in world.table.every(AuditEntry):
        if entry.what != "dispute_seen":
            continue
        for did in entry.details["did"]:
            if did != "suspend" or suspends:
                yield from ((what, entry.details["dispute"]) for what in DISPUTE_TOLD.get(did, ()))
            if did == "reinstate" and suspends:
                yield "account_reinstated", entry.details["dispute"]
                yield "AccountReinstated", entry.details["dispute"]
            if did == "tell_loss" and owed:
                yield "chargeback_lost", entry.details["dispute"]
                yield "ChargebackLost", entry.details["dispute"]


def judge_audit(life: Lifetime) -> Iterator[tuple[str, str]]:
    """I20: what was decided stands in the trail, under the name of what it was decided on."""
    trail = {
        (entry.what, str(value))
        for entry in life.world.table.every(AuditEntry)
        for value in entry.details.values()
        if isinstance(value, str)
    }
    for what, subject in _decided(life):
        if (what, subject) not in trail:
            yield "I20", f"{what} of {subject} is not in the audit trail"


def _decided(life: Lifetime) -> Iterator[tuple[str, str]]:
    table = life.world.table
    for one in table.every(RefundOperation):
        if one.status in ("succeeded", "failed", "pending", "requires_action"):
            yield f"refund_{one.status}", str(one.stripe_refund)
        if one.status == "rejected":
            yield "refund_rejected", one.id
    for other in table.every(ForeignRefund):
        claimed = other.claimed_by is not None
        yield f"foreign_refund_{'claimed' if claimed else other.status}", other.id
    yield from _cancellations_decided(life)
    for dispute in table.every(Dispute):
        yield "dispute_seen", dispute.id
    yield from (("double_loss_exposed", d.id) for d in table.every(Dispute) if d.exposure)
    for subscription in table.every(Subscription):
        if subscription.ended_at and _ended_by_schedule(life, subscription):
            yield "subscription_ended", subscription.id
    yield from _effects_decided(life)


def _cancellations_decided(life: Lifetime) -> Iterator[tuple[str, str]]:
    for known in life.world.table.every(Cancellation):
        if known.refund_case is None:
            yield "cancellation_requested", known.id
        if known.state is CancellationState.WITHDRAWN:
            yield "cancellation_withdrawn", known.id


def _effects_decided(life: Lifetime) -> Iterator[tuple[str, str]]:
    trail = _trail(life)
    for effect in life.world.table.every(Effect):
        if effect.due_at is None:
            names = ("done", "skipped", "alerted") if effect.status == "done" else (effect.status,)
            if not any((f"effect_{name}", effect.id) in trail for name in names):
                yield f"effect_{effect.status}", effect.id
        if effect.kind is EffectKind.ISSUE_CREDIT_NOTE and effect.status == "done":
            yield "credit_note_issued", str(effect.result.get("credit_note"))


def _trail(life: Lifetime) -> set[tuple[str, str]]:
    return {
        (entry.what, str(entry.details["effect"]))
        for entry in life.world.table.every(AuditEntry)
        if "effect" in entry.details
    }


def _ended_by_schedule(life: Lifetime, subscription: Subscription) -> bool:
    known = life.world.table.get(
        Cancellation, subscription.customer, subscription.cancellation or ""
    )
    return known is None or (
        known.record.refund_case is None
        and known.record.effective_at > known.record.requested_at + AT_ONCE
    )
