"""What must be true when everything has come to rest: both sides agree, and nobody was forgotten.

Computed from Stripe's objects and what callers were told, not from the product's own comparison;
that comparison has to come to the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.messages import judge_audit, judge_messages
from shared.application.reconcile import Report
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation, CancellationState, Timing
from shared.domain.controls import Scope, window_of
from shared.domain.dispute import Dispute, DisputeFacts, Stance
from shared.domain.effects import Effect, EffectKind
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import DivergenceKind
from shared.domain.records import AuditEntry
from shared.domain.refund_operation import RefundOperation, RefundStatus, status_seen
from shared.domain.subscription import Subscription, SubscriptionStatus

if TYPE_CHECKING:
    from infrastructure.proof.simulated.lifetime import Lifetime

Found = Iterator[tuple[str, str]]
BAD_ENDS = (RefundStatus.FAILED, RefundStatus.REJECTED, RefundStatus.NEEDS_PERSON)
HOLDS = (RefundStatus.RESERVED, RefundStatus.PENDING, RefundStatus.NEEDS_PERSON)
A_WHILE = timedelta(hours=1)


def judge(life: Lifetime, report: Report) -> list[tuple[str, str]]:
    """Every invariant that the end of a lifetime breaks."""
    allowed = _for_a_person(life)
    found = [
        *_ended(life),
        *_refunds(life),
        *_payments(life),
        *_disputes(life),
        *_subscriptions(life, _named(report, allowed)),
        *_charges(life),
        *_audit(life),
        *judge_audit(life),
        *_exposure(life),
        *_invoices(life),
        *_compared(report, allowed),
        *life.callers.judge(life.lost_since),
    ]
    if life.lost_since is None:
        # A table that was set back has forgotten what it said and spent since.
        found += [*_caps(life), *judge_messages(life)]
    return found


def _ended(life: Lifetime) -> Found:
    """I3: nothing is under way any more."""
    table = life.world.table
    for effect in table.every(Effect):
        if effect.due_at is not None:
            yield "I3", f"effect {effect.kind} {effect.id} is still {effect.status}"
    waiting = {
        one.id for one in table.every(Cancellation) if one.state is CancellationState.NEEDS_PERSON
    }
    for operation in table.every(RefundOperation):
        if operation.status is RefundStatus.RESERVED and operation.promised_by not in waiting:
            yield "I3", f"refund {operation.id} is still reserved"
    yield from _overdue(life)


def _overdue(life: Lifetime) -> Found:
    table, now = life.world.table, life.world.hub.instant()
    for cancellation in table.every(Cancellation):
        late = cancellation.effective_at < now - A_WHILE
        if cancellation.state is CancellationState.EXECUTING:
            yield "I3", f"cancellation {cancellation.id} is still executing"
        if cancellation.state is CancellationState.SCHEDULED and late:
            yield "I3", f"cancellation {cancellation.id} is overdue"
    for subscription in table.every(Subscription):
        if subscription.due_at and subscription.due_at < now - A_WHILE:
            yield "I16", f"the end of {subscription.id} is overdue"


def _refunds(life: Lifetime) -> Found:
    """I4, and nothing promised is lost: it is out, or a person was told."""
    stripe, table = life.world.stripe, life.world.table
    operations = {one.id: one for one in table.every(RefundOperation)}
    foreign = {one.id: one for one in table.every(ForeignRefund) if one.claimed_by is None}
    booked: dict[str, int] = defaultdict(int)
    for entry in table.every(LedgerEntry):
        for evidence in entry.evidence:
            sign = (entry.target is Book.REFUNDED) - (entry.source is Book.REFUNDED)
            booked[evidence] += sign * entry.amount
    for refund in stripe.refunds.values():
        wanted = refund.amount if refund.status == "succeeded" else 0
        if booked[refund.id] != wanted:
            yield "I4", f"{refund.id}: {booked[refund.id]} in the ledger, {wanted} at Stripe"
        known = operations.get(refund.operation or "") or foreign.get(refund.id)
        status = status_seen(refund.status)
        if known is None and status is not RefundStatus.FAILED:
            yield "I4", f"{refund.id} is unknown here"
        elif known is not None and known.status is not status:
            yield "I4", f"{refund.id} is {refund.status}, here {known.status}"
    live = {r.operation for r in stripe.refunds.values()}
    for operation in operations.values():
        moved = operation.status in (RefundStatus.SUCCEEDED, RefundStatus.PENDING)
        if moved and operation.id not in live:
            yield "I4", f"refund {operation.id} is {operation.status} and not at Stripe"
    yield from _promises(life, operations)


def _promises(life: Lifetime, operations: dict[str, RefundOperation]) -> Found:
    table, notes = life.world.table, life.world.stripe.notes
    issued = {note.id: note for note in notes.values()}
    credited: dict[str, int] = defaultdict(int)
    for entry in table.every(LedgerEntry):
        if entry.target is Book.CREDITED:
            credited[entry.cause] += entry.amount
    for one in table.every(Cancellation):
        mine = [operations[refund] for refund in one.refunds if refund in operations]
        bad = [operation.id for operation in mine if operation.status in BAD_ENDS]
        if bad and one.state is not CancellationState.NEEDS_PERSON:
            yield "lost", f"refunds {bad} of {one.id} did not leave, and nobody was told"
        if one.state is CancellationState.EXECUTED and one.timing is Timing.IMMEDIATELY:
            unpaid = [o.id for o in mine if o.status is not RefundStatus.SUCCEEDED]
            loose = [o.id for o in mine if o.credit_note not in issued]
            loose += [c.invoice for c in one.credits if c.credit_note not in issued]
            if unpaid or loose:
                yield "lost", f"{one.id} is executed; unpaid {unpaid}, undocumented {loose}"
        given = sum(c.amount for c in one.credits if c.credit_note in issued)
        if credited[one.id] != given:
            yield "I4", f"{one.id}: {credited[one.id]} credited in the ledger, {given} at Stripe"
        quiet = one.state in (CancellationState.EXECUTED, CancellationState.WITHDRAWN)
        if quiet and not one.credits and not mine and one.refunds:
            yield "lost", f"the refunds of {one.id} are gone"


def _payments(life: Lifetime) -> Found:
    """I2, and what is held is explained."""
    table, stripe = life.world.table, life.world.stripe
    operations = table.every(RefundOperation)
    for payment in table.every(Payment):
        mine = [one for one in operations if one.payment == payment.id]
        held = sum(one.amount for one in mine if one.status in HOLDS)
        if held != payment.reserved:
            yield "I2", f"{payment.id}: {payment.reserved} reserved, {held} held"
        pending = sum(one.amount for one in mine if one.status is RefundStatus.PENDING)
        if payment.refunded + pending != stripe.refunded(payment.id):
            yield (
                "I4",
                (
                    f"{payment.id}: {payment.refunded} refunded here,"
                    f" {stripe.refunded(payment.id) - pending} at Stripe"
                ),
            )
    for name, paid in stripe.payments().items():
        if stripe.refunded(name) > paid.amount:
            yield "I2", f"{name}: more refunded than paid"


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
    if _given_up(life, (*COLLECTION, *SWEEPING)):
        return
    for invoice in life.world.stripe.invoices.values():
        facts = invoice.facts
        end = ends.get(facts.subscription or "")
        waits = facts.status in ("open", "draft")
        if end and waits and all(line.period_start >= end for line in facts.lines):
            yield "I17", f"{facts.id} is {facts.status} for time after {end}"
        stored = table.get(Account, invoice.customer)
        stopped = bool(stored and stored.record.stops_collection)
        if waits and end is None and facts.collects is stopped and life.lost_since is None:
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
    paused = [one for one in _subscriptions_of(life, customer) if one in world.stripe.paused]
    if _given_up(life, COLLECTION):
        return
    if not open_ and paused and not forgot:
        yield "I16", f"collection of {customer} is still stopped"
    if open_ and rules.stop_collection:
        for name in _subscriptions_of(life, customer):
            alive = world.stripe.subscriptions[name].status is not SubscriptionStatus.ENDED
            if alive and name not in world.stripe.paused:
                yield "I17", f"collection of {name} goes on during a chargeback"


def _subscriptions_of(life: Lifetime, customer: str) -> list[str]:
    return [p.subscription for p in life.script.plans if p.customer == customer]


def _subscriptions(life: Lifetime, named: set[str]) -> Found:
    """I16 and I17: service ends when it was said to, on both sides, and nobody pays for later."""
    table, stripe = life.world.table, life.world.stripe
    known = {one.id: one for one in table.every(Subscription)}
    cancellations = table.every(Cancellation)
    told = {CancellationState.NEEDS_PERSON}
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
        for billed, invoice, at in stripe.billed:
            late = billed == one.subscription and at >= one.effective_at
            stands = one.state is not CancellationState.WITHDRAWN and one.requested_at < at
            if late and stands and one.subscription not in named:
                yield "I17", f"{one.subscription} was billed {invoice} at {at} after {one.id}"


def _as_promised(life: Lifetime, one: Cancellation, subscription: Subscription) -> Found:
    ours = subscription.cancellation == one.id
    if one.state is CancellationState.WITHDRAWN:
        if ours:
            yield "I16", f"{one.id} was taken back and stands on {one.subscription}"
        return
    if one.effective_at > life.world.hub.instant():
        return
    until = subscription.access_until()
    if not ours or subscription.ended_at is None:
        yield "I16", f"{one.id} did not end {one.subscription}"
    elif until is None or until > one.effective_at:
        yield "I16", f"service of {one.subscription} after {one.effective_at}"


def _charges(life: Lifetime) -> Found:
    """I17: nothing waits to be billed for time after an end."""
    stripe = life.world.stripe
    if _given_up(life, SWEEPING):
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


def _audit(life: Lifetime) -> Found:
    """I20: the trail of every account is whole."""
    entries: dict[str, set[int]] = defaultdict(set)
    for entry in life.world.table.every(AuditEntry):
        entries[entry.customer].add(entry.sequence)
    for account in life.world.table.every(Account):
        if entries[account.customer] != set(range(1, account.audit_sequence + 1)):
            yield "I20", f"the audit trail of {account.customer} has gaps"


def _caps(life: Lifetime) -> Found:
    """I13: what has left in a window is within every cap."""
    for cap in life.world.watch.caps:
        spent: dict[object, list[int]] = defaultdict(list)
        for effect in life.world.table.every(Effect):
            if effect.kind is EffectKind.REFUND_PAYMENT and effect.epoch == 1 and effect.sent_at:
                who = effect.customer if cap.scope is Scope.CUSTOMER else ""
                spent[window_of(cap, effect.sent_at), who].append(effect.params["amount"])
        for window, amounts in spent.items():
            most = dict(cap.amounts).get("usd", sum(amounts))
            if len(amounts) > cap.count or sum(amounts) > most:
                yield "I13", f"{amounts} in {window}, and the cap is {cap}"


def _for_a_person(life: Lifetime) -> frozenset[DivergenceKind]:
    """What only a person can judge, in a lifetime that brings it about."""
    kinds = {DivergenceKind.BILLED_AFTER_END}
    if Fault.STRIPE_LATE in life.fired.values():
        # A change that is executed late undoes what was asked for since.
        kinds.add(DivergenceKind.SUBSCRIPTION_END_DIFFERS)
    for effect in life.world.table.every(Effect):
        if effect.kind is EffectKind.ISSUE_CREDIT_NOTE and effect.status == "needs_person":
            kinds |= {DivergenceKind.CREDIT_NOTE_UNKNOWN_HERE, DivergenceKind.CREDIT_NOTE_MISSING}
    if life.lost_since is not None:
        # Made for a promise, or taken back, in what the table has forgotten.
        kinds.add(DivergenceKind.CREDIT_NOTE_UNKNOWN_HERE)
        kinds.add(DivergenceKind.SUBSCRIPTION_END_DIFFERS)
    return frozenset(kinds)


def _named(report: Report, kinds: frozenset[DivergenceKind]) -> set[str]:
    found = (one.divergence for one in report.findings)
    return {one.subject for one in found if one.kind in kinds}


def _compared(report: Report, allowed: frozenset[DivergenceKind]) -> Found:
    """The product's own comparison finds nothing that it should have put right."""
    for customer, why in report.unread:
        yield "L1", f"{customer} could not be compared: {why}"
    for finding in report.findings:
        one = finding.divergence
        if one.kind not in allowed:
            yield "L1", f"{one.kind} {one.subject}: {one.detail} {finding.note}"
