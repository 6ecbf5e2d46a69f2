"""A dispute at Stripe, seen now: suspend, reinstate or book, in the commit of its event."""

from dataclasses import replace

from shared.application import announce_dispute as announce
from shared.application.book_dispute import book, books_differ, costs_of, parts_of
from shared.application.change import Change, transact
from shared.application.defend import follow_defence
from shared.application.early_warnings import follow_warning
from shared.application.expose import note_exposure, note_exposures
from shared.application.suspend import lift, suspend
from shared.domain.account import Cause, CauseKind
from shared.domain.clauses import CostsRule
from shared.domain.dispute import (
    SHARED,
    Dispute,
    DisputeEffect,
    DisputeFacts,
    DisputePhase,
    decide_dispute,
)
from shared.domain.effects import EffectKind
from shared.domain.errors import NotReadyError
from shared.domain.payment import Payment
from shared.domain.policy import DisputeConsequences
from shared.domain.records import EventMark
from shared.ports import Services

# A dispute on a payment that belongs to no customer is kept here, with an alarm, for a person.
UNASSIGNED = "unassigned"


def handle_dispute(
    services: Services, *, dispute: str, event: str, event_type: str
) -> tuple[DisputeEffect, ...]:
    """What the dispute's present state asked for; nothing when the event was seen before.

    Only the dispute is fetched before the commit: looking for its invoice or subscription never
    delays a suspension.

    Raises:
        NotReadyError: Stripe does not show the dispute yet.
    """
    seen = services.billing.dispute(dispute)
    if seen is None:
        raise NotReadyError(f"dispute {dispute} is not at Stripe")
    customer = seen.customer or UNASSIGNED

    def decide(change: Change) -> tuple[DisputeEffect, ...]:
        if change.load(EventMark, event):
            return (DisputeEffect.NOTHING,)
        known = change.load(Dispute, dispute)
        # Fetched again after the load, so that an older answer meets a moved version.
        fresh = services.billing.dispute(dispute) or seen
        effects = apply_dispute(change, known, fresh)
        change.put(EventMark(customer, event, event_type, change.now))
        return effects

    return transact(services, customer, "stripe", decide)


def apply_dispute(
    change: Change, known: Dispute | None, seen: DisputeFacts
) -> tuple[DisputeEffect, ...]:
    """Put what the dispute's present state asks for into `change`."""
    consequences = dispute_consequences(change)
    parts = [*parts_of(seen, consequences), *costs_of(known, claimed=costs_are_claimed(change))]
    nobodys = change.customer == UNASSIGNED
    differ = not nobodys and books_differ(known, parts, seen.stance)
    effects = decide_dispute(known, seen, books_differ=differ)
    if effects == (DisputeEffect.NOTHING,):
        return effects
    record = recorded(known, seen, change.customer)
    if nobodys:
        effects = (DisputeEffect.PARK,)
    elif effects != (DisputeEffect.PARK,):
        if differ:
            record = book(change, record, parts)
        record = _follow(change, record, consequences, effects)
    change.put(record)
    change.audit(
        "dispute_seen",
        f"{seen.kind} {seen.phase} {seen.outcome}",
        dispute=seen.id,
        did=[effect.value for effect in effects],
        clause=consequences.clause,
        payment=seen.payment,
    )
    return effects


def dispute_consequences(change: Change) -> DisputeConsequences:
    """What the policy in force makes of a chargeback."""
    services = change.services
    return services.policies.load_policy(services.policy, change.now).dispute_consequences


def costs_are_claimed(change: Change) -> bool:
    """Whether the policy has the customer owe costs of contesting, once it is lost."""
    services = change.services
    rule = services.policies.load_policy(services.policy, change.now).rule(CostsRule)
    return rule is not None and rule.owed_when_lost


def recorded(known: Dispute | None, seen: DisputeFacts, customer: str) -> Dispute:
    """Our record of the dispute as it is seen now, with what is booked and entered kept."""
    if known is None:
        shared = {name: getattr(seen, name) for name in SHARED}
        return Dispute(id=seen.id, customer=customer, **shared)
    if not seen.is_understood:
        # What was acted on stays known, so that the next status we understand finds it.
        return replace(known, raw_status=seen.raw_status)
    return replace(known, **{name: getattr(seen, name) for name in SHARED})


def _follow(
    change: Change,
    record: Dispute,
    consequences: DisputeConsequences,
    effects: tuple[DisputeEffect, ...],
) -> Dispute:
    payment = hold_payment(change, record, consequences)
    if payment is not None:
        record = note_exposure(change, payment, record)
        note_exposures(change, payment, but=record.id)
    for effect in effects:
        match effect:
            case DisputeEffect.SUSPEND:
                if consequences.suspend:
                    suspend(change, _cause(change, record, consequences))
                    announce.suspended(change, record)
            case DisputeEffect.REINSTATE:
                lift(change, CauseKind.DISPUTE, record.id)
            case DisputeEffect.TELL_LOSS:
                announce.lost(change, record)
            case DisputeEffect.TELL_WIN:
                announce.won(change, record)
            case DisputeEffect.TELL_INQUIRY:
                announce.inquiry(change, record)
            case _:
                pass
    follow_warning(change, record)
    follow_defence(change, record)
    counts = (DisputeEffect.SUSPEND, DisputeEffect.TELL_INQUIRY)
    if record.phase is DisputePhase.ENDED or any(effect in counts for effect in effects):
        # From its opening on it counts in its network's month, and at its end in the win rate.
        change.effect(EffectKind.RECORD_RESULT, {"dispute": record.id})
    return record


def _cause(change: Change, record: Dispute, consequences: DisputeConsequences) -> Cause:
    return Cause(
        CauseKind.DISPUTE,
        record.id,
        change.now,
        stops_collection=consequences.stop_collection,
        clause=consequences.clause,
    )


def hold_payment(
    change: Change, record: Dispute, consequences: DisputeConsequences
) -> Payment | None:
    """Keep the disputed amount of its payment back, and forbid refunds as policy and Stripe say.

    A payment that we have no record of is read from Stripe whenever a refund is quoted.
    """
    payment = change.load(Payment, record.payment) if record.payment else None
    if payment is None:
        return None
    if record.is_against_us:
        forbids = consequences.block_refunds or not record.refundable
        held = payment.blocked(record.id, record.amount, forbids=forbids)
    else:
        held = payment.unblocked(record.id)
    if held is not payment:
        change.put(held)
    return held
