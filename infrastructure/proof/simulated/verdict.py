"""What must be true when everything has come to rest: both sides agree, and nobody was forgotten.

Computed from Stripe's objects and what callers were told, not from the product's own comparison;
that comparison has to come to the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from infrastructure.proof.simulated.accounts import judge_accounts
from infrastructure.proof.simulated.case_rules import judge_case_messages, judge_cases
from infrastructure.proof.simulated.messages import judge_audit, judge_messages
from shared.application.reconcile import Report
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation, CancellationState, Timing
from shared.domain.controls import Scope, window_of
from shared.domain.effects import Effect, EffectKind
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.reconciliation import DivergenceKind
from shared.domain.records import AuditEntry
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus, status_seen
from shared.domain.subscription import Subscription

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
        *_credits(life),
        *_payments(life),
        *judge_cases(life),
        *judge_accounts(life, _named(report, allowed)),
        *_audit(life),
        *judge_audit(life),
        *_compared(report, allowed),
        *life.callers.judge(life.lost_since),
    ]
    if life.lost_since is None:
        # A table that was set back has forgotten what it said and spent since.
        found += [*_caps(life), *judge_messages(life), *judge_case_messages(life)]
    return found


def _ended(life: Lifetime) -> Found:
    """I3: nothing is under way any more."""
    table = life.world.table
    for effect in table.every(Effect):
        if effect.due_at is not None:
            yield "I3", f"effect {effect.kind} {effect.id} is still {effect.status}"
    waiting = {
        one.id for one in table.every(Cancellation) if one.state is CancellationState.NEEDS_PERSON
    } | {one.id for one in table.every(RefundCase) if one.state is CaseState.NEEDS_PERSON}
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
        quiet = one.state in (CancellationState.EXECUTED, CancellationState.WITHDRAWN)
        if quiet and not one.credits and not mine and one.refunds:
            yield "lost", f"the refunds of {one.id} are gone"


def _credits(life: Lifetime) -> Found:
    """I4: what was given to a balance is what the ledger has."""
    table, notes = life.world.table, life.world.stripe.notes
    credited: dict[str, int] = defaultdict(int)
    for entry in table.every(LedgerEntry):
        if entry.target is Book.CREDITED:
            credited[entry.cause] += entry.amount
    for one in (*table.every(Cancellation), *table.every(RefundCase)):
        given = sum(c.amount for c in one.credits if c.credit_note in notes)
        if credited[one.id] != given:
            yield "I4", f"{one.id}: {credited[one.id]} credited in the ledger, {given} at Stripe"


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
    for effect in life.world.table.every(Effect):
        if effect.kind is EffectKind.SCHEDULE_CANCELLATION and effect.status == "needs_person":
            kinds.add(DivergenceKind.SUBSCRIPTION_END_DIFFERS)
        if effect.kind is EffectKind.ISSUE_CREDIT_NOTE and effect.status == "needs_person":
            kinds |= {DivergenceKind.CREDIT_NOTE_UNKNOWN_HERE, DivergenceKind.CREDIT_NOTE_MISSING}
        if effect.kind is EffectKind.ISSUE_CREDIT_NOTE and effect.status == "rejected":
            kinds.add(DivergenceKind.CREDIT_NOTE_MISSING)  # no room is left on the invoice
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
