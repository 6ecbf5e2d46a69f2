"""A dispute at Stripe, seen now: suspend, reinstate or book, in the commit of its event."""

from dataclasses import replace

from shared.application.book_dispute import book_funds, book_lost, book_won
from shared.application.change import Change, transact
from shared.domain.account import Cause, CauseKind
from shared.domain.dispute import (
    Dispute,
    DisputeEffect,
    DisputeFacts,
    DisputePhase,
    decide_dispute,
)
from shared.domain.effects import EffectKind
from shared.domain.errors import NotReadyError
from shared.domain.money_text import money_text
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
        effects = decide_dispute(known, fresh)
        if customer == UNASSIGNED and effects != (DisputeEffect.NOTHING,):
            effects = (DisputeEffect.PARK,)
        _apply(change, known, fresh, effects)
        change.put(EventMark(customer, event, event_type, change.now))
        return effects

    return transact(services, customer, "stripe", decide)


def _apply(
    change: Change,
    known: Dispute | None,
    seen: DisputeFacts,
    effects: tuple[DisputeEffect, ...],
) -> None:
    if effects == (DisputeEffect.NOTHING,):
        return
    record = _record(known, seen, change.customer)
    consequences = change.services.policies.load_policy(
        change.services.policy, change.now
    ).dispute_consequences
    for effect in effects:
        match effect:
            case DisputeEffect.BOOK_FUNDS:
                record = book_funds(change, record, seen)
            case DisputeEffect.SUSPEND:
                _suspend(change, record, consequences)
            case DisputeEffect.REINSTATE:
                was_lost = known is not None and known.phase is DisputePhase.LOST
                record = book_won(change, record, was_lost=was_lost)
                _reinstate(change, record)
            case DisputeEffect.BOOK_WIN:
                record = book_won(change, record, was_lost=False)
            case DisputeEffect.BOOK_LOSS:
                record = book_lost(change, record, consequences)
                _announce_loss(change, record)
            case _:
                pass
    change.put(record)
    change.audit(
        "dispute_seen",
        f"{seen.kind} {seen.phase}",
        dispute=seen.id,
        did=[effect.value for effect in effects],
        clause=consequences.clause,
        payment=seen.payment,
    )


def _record(known: Dispute | None, seen: DisputeFacts, customer: str) -> Dispute:
    record = Dispute(
        id=seen.id,
        customer=customer,
        charge=seen.charge,
        payment=seen.payment,
        kind=seen.kind,
        phase=seen.phase,
        raw_status=seen.raw_status,
        amount=seen.amount,
        currency=seen.currency,
        reason=seen.reason,
        opened_at=seen.opened_at,
        respond_by=seen.respond_by,
    )
    if known is None:
        return record
    if seen.phase is DisputePhase.UNRECOGNIZED:
        # What was acted on stays known, so that the next status we understand finds it.
        return replace(known, raw_status=seen.raw_status)
    return replace(
        record,
        booked_amount=known.booked_amount,
        booked_fee=known.booked_fee,
        booked_owed=known.booked_owed,
        booked_currency=known.booked_currency,
    )


def _suspend(change: Change, record: Dispute, consequences: DisputeConsequences) -> None:
    """Access off and refunds blocked, here and now; collection stops through effects."""
    if consequences.block_refunds and record.payment:
        # A payment that we have no record of is read from Stripe whenever a refund is quoted.
        payment = change.load(Payment, record.payment)
        if payment is not None:
            change.put(payment.blocked(record.id, record.amount))
    if consequences.suspend:
        cause = Cause(CauseKind.DISPUTE, record.id, change.now)
        change.account = change.account.with_cause(cause)
        amount = money_text(record.amount, record.currency)
        values = {"charge": record.charge, "dispute": record.id, "amount": amount}
        change.mail("account_suspended", values)
        change.publish("AccountSuspended", {"cause": _named(record), "charge": record.charge})
    if consequences.stop_collection:
        change.effect(EffectKind.PLAN_COLLECTION, {"stop": True})


def _reinstate(change: Change, record: Dispute) -> None:
    """Lift this dispute's cause; service and collection come back when no other is left."""
    if record.payment and (payment := change.load(Payment, record.payment)):
        change.put(payment.unblocked(record.id, record.amount))
    change.account = change.account.without_cause(CauseKind.DISPUTE, record.id)
    if change.account.causes:
        return
    change.effect(EffectKind.PLAN_COLLECTION, {"stop": False})
    change.mail("account_reinstated", {"dispute": record.id})
    change.publish("AccountReinstated", {"cause": _named(record)})


def _announce_loss(change: Change, record: Dispute) -> None:
    if not record.booked_owed:
        return
    owed = money_text(record.booked_owed, record.booked_currency)
    change.mail("chargeback_lost", {"dispute": record.id, "owed": owed})
    change.publish(
        "ChargebackLost",
        {"dispute": record.id, "amount": record.booked_owed, "currency": record.booked_currency},
    )


def _named(record: Dispute) -> dict[str, str]:
    return {"kind": CauseKind.DISPUTE.value, "id": record.id}
