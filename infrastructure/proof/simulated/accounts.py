"""What accounts must be at the end: standing, subscriptions, and what is billed from now on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.domain.account import Account
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.dispute import Dispute, DisputeFacts, Stance
from shared.domain.effects import Effect, EffectKind
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.subscription import Subscription, SubscriptionStatus

if TYPE_CHECKING:
    from infrastructure.proof.simulated.lifetime import Lifetime

Found = Iterator[tuple[str, str]]


def judge_accounts(life: Lifetime, named: set[str]) -> list[tuple[str, str]]:
    """Every invariant that they break; `named` is what a person has been told of."""
    return [
        *_disputes(life),
        *_exposure(life),
        *_subscriptions(life, named),
        *_charges(life),
        *_invoices(life),
    ]


def _disputes(life: Lifetime) -> Found:
    """I4 and I9: the books and the standing are what Stripe's disputes are now."""
    table, stripe = life.world.table, life.world.stripe
    known = {one.id: one for one in table.every(Dispute)}
    argued: dict[str, int] = defaultdict(int)
    open_: dict[str, set[str]] = defaultdict(set)
    for entry in table.every(LedgerEntry):
        argued[entry.cause] += entry.amount * (
            (entry.source is Book.BANK) - (entry.target is Book.BANK)
        )
    for seen in stripe.disputes.values():
        record = known.get(seen.id)
        if record is None or _state(record) != _state(seen):
            yield "I9", f"{seen.id} is {_state(seen)}, here {record and _state(record)}"
            continue
        taken = seen.withdrawn - seen.returned + seen.fee
        if seen.is_understood and seen.stance in (Stance.ARGUED, Stance.LOST):
            open_[seen.customer or ""].add(seen.id)
        if argued[seen.id] != taken:
            yield "I4", f"{seen.id}: {argued[seen.id]} in the ledger, {taken} taken"
    for plan in life.script.plans:
        yield from _standing(life, plan.customer, open_[plan.customer])


COLLECTION = (
    EffectKind.PLAN_COLLECTION,
    EffectKind.PAUSE_COLLECTION,
    EffectKind.RESUME_COLLECTION,
    EffectKind.HOLD_INVOICE,
    EffectKind.RELEASE_INVOICE,
)
ENDING = (EffectKind.SCHEDULE_CANCELLATION, EffectKind.UNSCHEDULE_CANCELLATION)
SWEEPING = (
    EffectKind.SWEEP_CHARGES,
    EffectKind.REMOVE_CHARGE,
    EffectKind.FINALIZE_DRAFT,
    EffectKind.VOID_INVOICE,
)


def _given_up(life: Lifetime, kinds: tuple[EffectKind, ...]) -> bool:
    """Whether an effect of these kinds has ended with a person, after its whole ladder."""
    effects = life.world.table.every(Effect)
    return any(one.kind in kinds and one.status == "needs_person" for one in effects)


def _exposure(life: Lifetime) -> Found:
    """I2: what may have left twice is known to somebody."""
    table, stripe = life.world.table, life.world.stripe
    for record in table.every(Dispute):
        held = table.get(Payment, record.customer, record.payment or "")
        if held is None or record.stance not in (Stance.ARGUED, Stance.LOST):
            continue
        gone = stripe.refunded(held.record.id) + record.amount
        exposed = max(0, gone - held.record.amount)
        if record.exposure != exposed:
            yield "I2", f"{record.id}: {exposed} may have left twice, {record.exposure} is known"


def _invoices(life: Lifetime) -> Found:
    """I17: nothing that was billed ahead is collected after an end, or during a chargeback."""
    table = life.world.table
    ends = {
        one.subscription: one.effective_at
        for one in table.every(Cancellation)
        if one.state is CancellationState.EXECUTED and one.effective_at <= life.world.hub.instant()
    }
    if _given_up(life, (*COLLECTION, *SWEEPING)) or life.lost_since is not None:
        return
    for invoice in life.world.stripe.invoices.values():
        facts = invoice.facts
        end = ends.get(facts.subscription or "")
        waits = facts.status in ("open", "draft")
        if end and waits and all(line.period_start >= end for line in facts.lines):
            yield "I17", f"{facts.id} is {facts.status} for time after {end}"
        stored = table.get(Account, invoice.customer)
        stopped = bool(stored and stored.record.stops_collection)
        if waits and end is None and facts.collects is stopped:
            yield "I17", f"{facts.id} collects: {facts.collects}, collection stopped: {stopped}"


def _state(one: Dispute | DisputeFacts) -> str:
    return f"{one.kind} {one.phase} {one.outcome}"


def _standing(life: Lifetime, customer: str, open_: set[str]) -> Found:
    world = life.world
    policy = world.ports().policies.load_policy(world.policy, world.hub.instant())
    rules = policy.dispute_consequences
    stored = world.table.get(Account, customer)
    account = stored.record if stored else Account(customer)
    wanted = open_ if rules.suspend else set()
    if {cause.id for cause in account.causes} != wanted:
        yield "I9", f"{customer} is suspended for {account.causes}, should be for {wanted}"
    disputes = [world.stripe.disputes[name] for name in open_]
    argued = sum(d.withdrawn + d.fee for d in disputes if d.stance is Stance.ARGUED)
    lost = [d for d in disputes if d.stance is Stance.LOST]
    owed = sum(d.withdrawn * rules.amount_becomes_owed_when_lost for d in lost)
    owed += sum(d.fee * rules.fees_become_owed_when_lost for d in lost)
    balance = account.balance("usd")
    if (balance.in_dispute, balance.owed) != (argued, owed):
        yield "I4", f"{customer}: {balance}, should be {argued} in dispute and {owed} owed"
    forgot = life.lost_since is not None  # and with it what it had stopped
    # What has ended bills nothing more, and Stripe takes no changes of it.
    alive = [
        name
        for name in _subscriptions_of(life, customer)
        if world.stripe.subscriptions[name].status is not SubscriptionStatus.ENDED
    ]
    paused = [name for name in alive if name in world.stripe.paused]
    if _given_up(life, COLLECTION):
        return
    if not open_ and paused and not forgot:
        yield "I16", f"collection of {customer} is still stopped"
    if open_ and rules.stop_collection:
        for name in alive:
            if name not in world.stripe.paused:
                yield "I17", f"collection of {name} goes on during a chargeback"


def _subscriptions_of(life: Lifetime, customer: str) -> list[str]:
    return [p.subscription for p in life.script.plans if p.customer == customer]


def _subscriptions(life: Lifetime, named: set[str]) -> Found:
    """I16 and I17: service ends when it was said to, on both sides, and nobody pays for later."""
    table, stripe = life.world.table, life.world.stripe
    known = {one.id: one for one in table.every(Subscription)}
    cancellations = table.every(Cancellation)
    told, swept = {CancellationState.NEEDS_PERSON}, not _given_up(life, SWEEPING)
    for seen in stripe.subscriptions.values():
        here = known.get(seen.id)
        if here is None:
            yield "I4", f"{seen.id} is unknown here"
            continue
        judged = [one for one in cancellations if one.subscription == seen.id and one.state in told]
        if here.status is not seen.status and not judged and seen.id not in named:
            yield "I16", f"{seen.id} is {seen.status}, here {here.status}"
        differs = here.ends_at != seen.cancels_at and not here.ended_at
        if differs and not judged and seen.id not in named:
            yield "I16", f"{seen.id} ends {seen.cancels_at} at Stripe, here {here.ends_at}"
    for one in cancellations:
        yield from _as_promised(life, one, known[one.subscription])
        for billed, invoice, at, until in stripe.billed:
            after = at >= one.effective_at and until > one.effective_at
            late = billed == one.subscription and after
            stands = one.state is not CancellationState.WITHDRAWN and one.requested_at < at
            if not late or not stands or one.subscription in named:
                continue
            if swept and not _alerted(life, "billed_after_end", invoice):
                yield "I17", f"{one.subscription} was billed {invoice} at {at} after {one.id}"


def _as_promised(life: Lifetime, one: Cancellation, subscription: Subscription) -> Found:
    sooner = life.world.table.get(Cancellation, one.customer, subscription.cancellation or "")
    ours = subscription.cancellation == one.id or bool(
        # A case gives time back that was to be served still, and ends the service now.
        sooner and sooner.record.refund_case and one.state is CancellationState.EXECUTED
    )
    if one.state is CancellationState.WITHDRAWN:
        if ours:
            yield "I16", f"{one.id} was taken back and stands on {one.subscription}"
        yield from _taken_back(life, one, subscription)
        return
    if one.effective_at > life.world.hub.instant():
        return
    until = subscription.access_until()
    if not ours or subscription.ended_at is None:
        yield "I16", f"{one.id} did not end {one.subscription}"
    elif until is None or until > one.effective_at:
        yield "I16", f"service of {one.subscription} after {one.effective_at}"


def _taken_back(life: Lifetime, one: Cancellation, subscription: Subscription) -> Found:
    """Nothing but another cancellation ends what was taken back, or a person hears of it."""
    seen = life.world.stripe.subscriptions[one.subscription]
    ends = seen.cancels_at is not None or seen.ended_at is not None
    told = _given_up(life, ENDING) or _alerted(life, "withdrawal_not_kept", one.id)
    lost = life.lost_since is not None
    if ends and subscription.cancellation is None and not told and not lost:
        yield "I16", f"{one.id} was taken back, and {one.subscription} ends all the same"


def _alerted(life: Lifetime, what: str, subject: str) -> bool:
    """Whether a person was called because of it."""
    sent = (content for _, content in life.world.watch.sent_out.values())
    return any((one.get("what"), one.get("subject")) == (what, subject) for one in sent)


def _charges(life: Lifetime) -> Found:
    """I17: nothing waits to be billed for time after an end."""
    stripe = life.world.stripe
    if _given_up(life, SWEEPING) or life.lost_since is not None:
        return
    ends = {
        one.subscription: one.effective_at
        for one in life.world.table.every(Cancellation)
        if one.state not in (CancellationState.WITHDRAWN, CancellationState.NEEDS_PERSON)
    }
    for charge in stripe.pending.values():
        end = ends.get(charge.subscription or "")
        if end is not None and charge.period_end > end:
            yield "I17", f"{charge.id} would be billed for time after {end}"
