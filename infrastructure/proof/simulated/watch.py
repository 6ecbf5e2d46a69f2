"""What must hold at every step: each write, each request that moves money, each mail.

Stated here a second time and apart from the product's own rules, so that a rule that is dropped
there is missed here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.case_rules import CaseRules
from infrastructure.proof.simulated.hub import MINUTE, Killed
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation
from shared.domain.controls import RefundCap
from shared.domain.dispute import Dispute, DisputeKind
from shared.domain.effects import Effect
from shared.domain.errors import BrokenInvariantError, FairexitError, OutcomeUnknownError
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import LedgerEntry
from shared.domain.payment import Payment
from shared.domain.records import Assessment, AuditEntry, EventMark, Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundFacts, RefundOperation
from shared.domain.subscription import Subscription
from shared.runtime.sqs import FailedError

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

# Which status may follow which; staying is always allowed, what is not named is an end.
REFUND_STEPS: Mapping[str, set[str]] = {
    "reserved": {
        "pending",
        "requires_action",
        "succeeded",
        "failed",
        "rejected",
        "needs_person",
    },
    "pending": {"requires_action", "succeeded", "failed"},
    "requires_action": {"pending", "succeeded", "failed"},
    "succeeded": {"failed"},
    "rejected": {"pending", "requires_action", "succeeded", "failed"},
    "needs_person": {"pending", "requires_action", "succeeded", "failed"},
}
EFFECT_STEPS: Mapping[str, set[str]] = {
    "pending": {"sent", "done", "rejected", "needs_person"},
    "sent": {"done", "rejected", "needs_person"},
}
CANCELLATION_STEPS: Mapping[str, set[str]] = {
    "scheduled": {"withdrawn", "executed", "needs_person"},
    "executing": {"executed", "needs_person"},
    "needs_person": {"executed"},
    "executed": {"needs_person"},
}
OUTCOME_STEPS: Mapping[str, set[str]] = {
    "undecided": {"won", "lost", "closed", "prevented"},
    "lost": {"won"},
}
FOREIGN_STEPS: Mapping[str, set[str]] = {
    "pending": {"requires_action", "succeeded", "failed"},
    "requires_action": {"pending", "succeeded", "failed"},
    "succeeded": {"failed"},
}
# After the last request under one key, a look-up counts when that request can no longer be
# executing at Stripe; and how long a worker may still act on what it read.
SETTLED = 5 * MINUTE
LONGEST_RUN = 3 * MINUTE
# A worker may die before it has noted an answer, but not so often.
MOST_BROKEN, MOST_REFUSED = 5, 8


@dataclass(slots=True)
class Posts:
    """The requests of one operation: its keys in order, and when the last one went out."""

    keys: list[str] = field(default_factory=list)
    last: int = 0
    refused: int = 0


class Watch:
    """Sees every step of a lifetime; `violations` are what no lifetime may have."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.violations: list[tuple[str, str]] = []
        self.errors: dict[str, int] = defaultdict(int)
        self.sent_out: dict[tuple[str, str], tuple[str, Any]] = {}
        self.refund_posts: dict[str, Posts] = defaultdict(Posts)
        self._looks: dict[tuple[str, str], tuple[int, frozenset[str]]] = {}
        self._charged: dict[str, int] = defaultdict(int)
        self.closed_since: int | None = None
        self.caps: tuple[RefundCap, ...] = ()
        self.cases = CaseRules(world)

    def violate(self, invariant: str, detail: str) -> None:
        """Something happened that must not."""
        self.violations.append((invariant, f"{self._world.hub.instant():%m-%d %H:%M:%S} {detail}"))

    # -- ends of workers

    def ended(self, error: BaseException | None) -> None:
        """A function has ended."""
        # A handler that fails has said so in its log.
        if error is not None and not isinstance(error, (Killed, FailedError)):
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """A failure is expected only as one of the errors that the product names."""
        self.errors[type(error).__name__] += 1
        if isinstance(error, BrokenInvariantError):
            self.violate("broken", str(error))
        elif not isinstance(error, FairexitError):
            self.violate("unexpected", f"{type(error).__name__}: {error}")

    # -- writes

    def written(self, old: Any, new: Any) -> None:
        """A record was committed over another."""
        check = _CHECKS.get(type(new))
        if check is not None:
            for detail in check(old, new):
                self.violate("I5", f"{type(new).__name__}: {detail}")
        if isinstance(new, RefundCase):
            for detail in self.cases.written(old, new):
                self.violate("I21", f"case {new.id}: {detail}")
        if isinstance(new, (Quote, Assessment)):
            self._taken_off_once(new)

    def _taken_off_once(self, decided: Quote | Assessment) -> None:
        """I2 from the other side: no refund is taken off what a customer is given twice."""
        made = self._world.stripe.refunds.values()
        at_stripe = {refund.operation for refund in made}
        operations = self._world.table.all_of(RefundOperation, decided.customer)
        unmade = [one.record for one in operations if one.record.id not in at_stripe]
        for invoice in json.loads(decided.case)["invoices"]:
            for payment in invoice["payments"]:
                most = sum(one.amount for one in (*made, *unmade) if one.payment == payment["id"])
                if payment["refunded"] > most:
                    gone = f"{payment['refunded']} taken off {payment['id']}"
                    self.violate("I2", f"{decided.id}: {gone}, {most} have ever left it")

    def consented(self, case: str, person: str, digest: str, amount: int) -> None:
        """A member of staff is about to agree to what is shown, up to an amount."""
        self.cases.consents.add((case, person, digest, amount))

    # -- requests

    def posted(self, name: str, key: str | None, params: Any) -> None:
        """A request is on its way to Stripe."""
        if name == "refund_payment":
            operation, payment, amount, customer = params
            self._intended(key, operation, payment, amount, customer)
            self._keyed(("refund", payment), operation, key)
        elif name == "issue_credit_note":
            self._keyed(("note", params[0]), params[0], key)
        elif name == "add_charge":
            self._keyed(("charge", params[0]), params[0], key)

    def _intended(
        self, key: str | None, operation: str, payment: str, amount: int, customer: str
    ) -> None:
        """I6: intent, key and reservation are stored, and the switch was open."""
        table = self._world.table
        effects = [stored.record for stored in table.all_of(Effect, customer)]
        if key is None or key not in {effect.key for effect in effects}:
            self.violate("I6", f"key {key} of refund {operation} is not stored")
        promised = table.get(RefundOperation, customer, operation)
        held = table.get(Payment, customer, payment)
        if promised is None or held is None:
            self.violate("I6", f"refund {operation} was never promised")
        elif promised.record.amount != amount or promised.record.payment != payment:
            self.violate("I6", f"refund {operation} is not what was promised")
        elif promised.record.status == "reserved" and held.record.reserved < amount:
            self.violate("I6", f"refund {operation} without its reservation")
        if promised is not None:
            for detail in self.cases.paid_out(promised.record):
                self.violate("I21", f"refund {operation}: {detail}")
        closed = self.closed_since
        if closed is not None and self._world.hub.now - closed > LONGEST_RUN:
            self.violate("I13", f"refund {operation} went out while the switch was closed")

    def _keyed(self, subject: tuple[str, str], operation: str, key: str | None) -> None:
        """I7: another key only after a look-up that came late enough and found nothing."""
        now, posts = self._world.hub.now, self.refund_posts[f"{subject[0]} {operation}"]
        if key is not None and key not in posts.keys:
            looked, found = self._looks.get(subject, (-1, frozenset()))
            settled = looked >= posts.last + SETTLED and operation not in found
            if posts.keys and not settled:
                self.violate("I7", f"{operation} under {key} after {posts.keys}")
            posts.keys.append(key)
        posts.last = now

    def answered(self, name: str, key: str | None, params: Any, error: Exception) -> None:
        """I3: what is refused, or broken for as long as its key lives, is not asked for ever."""
        kind = {"refund_payment": "refund", "issue_credit_note": "note"}.get(name)
        if kind is None:
            return
        posts = self.refund_posts[f"{kind} {params[0]}"]
        posts.refused += 1
        if posts.refused >= (
            MOST_BROKEN if isinstance(error, OutcomeUnknownError) else MOST_REFUSED
        ):
            self.violate("I3", f"{name} under {key} again and again after {error}")

    def looked(self, payment: str, found: Sequence[RefundFacts]) -> None:
        """The refunds of a payment were listed."""
        names = frozenset(one.operation for one in found if one.operation)
        self._looks["refund", payment] = (self._world.hub.now, names)

    def looked_for(self, kind: str, operation: str, found: str | None) -> None:
        """A credit note or a charge was looked for by its operation."""
        names = frozenset({operation} if found else ())
        self._looks[kind, operation] = (self._world.hub.now, names)

    # -- what came of it

    def refunded(self, made: RefundFacts) -> None:
        """I1: one refund an operation."""
        refunds = self._world.stripe.refunds.values()
        live = [r for r in refunds if r.operation == made.operation and r.status != "failed"]
        if made.operation and len(live) > 1:
            self.violate("I1", f"{len(live)} refunds for {made.operation}")

    def documented(self, operation: str) -> None:
        """One credit note an operation."""
        notes = [n for n in self._world.stripe.notes.values() if n.operation == operation]
        if len(notes) > 1:
            self.violate("I1", f"{len(notes)} credit notes for {operation}")

    def charged(self, operation: str) -> None:
        """One invoice item an operation."""
        self._charged[operation] += 1
        if self._charged[operation] > 1:
            self.violate("I17", f"charge {operation} was added twice")

    def sent(self, how: str, name: str, what: str, content: Mapping[str, Any]) -> None:
        """A mail or an event went out: any number of times, always the same."""
        known = self.sent_out.setdefault((how, name), (what, content))
        if known != (what, content):
            self.violate("I9", f"{how} {name} says now {what}, said {known[0]}")


def _steps(old: str, new: str, steps: Mapping[str, set[str]]) -> list[str]:
    fine = old == new or new in steps.get(old, ())
    return [] if fine else [f"{old} then {new}"]


def _refund(old: RefundOperation | None, new: RefundOperation) -> list[str]:
    if old is None:
        return [] if new.status == "reserved" else [f"begins as {new.status}"]
    found = _steps(old.status, new.status, REFUND_STEPS)
    if (old.amount, old.payment, old.currency) != (new.amount, new.payment, new.currency):
        found.append("another promise under the same id")
    if old.stripe_refund not in (None, new.stripe_refund):
        found.append(f"{old.stripe_refund} became {new.stripe_refund}")
    return found


def _effect(old: Effect | None, new: Effect) -> list[str]:
    if old is None:
        return [] if new.status == "pending" else [f"begins as {new.status}"]
    found = _steps(old.status, new.status, EFFECT_STEPS)
    if not old.epoch <= new.epoch <= old.epoch + 1:
        found.append(f"epoch {old.epoch} then {new.epoch}")
    if (old.key != new.key) != (old.epoch != new.epoch):
        found.append(f"key {old.key} became {new.key} in epoch {new.epoch}")
    if new.attempts < old.attempts:
        found.append(f"attempt {old.attempts} then {new.attempts}")
    return found


def _cancellation(old: Cancellation | None, new: Cancellation) -> list[str]:
    if old is None:
        fine = new.state in ("scheduled", "executing")
        return [] if fine else [f"begins as {new.state}"]
    return _steps(old.state, new.state, CANCELLATION_STEPS)


def _dispute(old: Dispute | None, new: Dispute) -> list[str]:
    if old is None:
        return []
    if old.kind is DisputeKind.CHARGEBACK and new.kind is DisputeKind.INQUIRY:
        return ["a chargeback became an inquiry"]
    if old.kind is not new.kind:
        return []
    return _steps(old.outcome, new.outcome, OUTCOME_STEPS)


def _foreign(old: ForeignRefund | None, new: ForeignRefund) -> list[str]:
    return _steps(old.status, new.status, FOREIGN_STEPS) if old else []


def _subscription(old: Subscription | None, new: Subscription) -> list[str]:
    if old is not None and old.ended_at is not None and new.ended_at != old.ended_at:
        return [f"ended {old.ended_at}, then {new.ended_at}"]
    return []


def _payment(old: Payment | None, new: Payment) -> list[str]:
    """I2 as well: nothing is promised that is not there."""
    found = []
    if min(new.reserved, new.refunded, new.disputed) < 0:
        found.append(f"below zero: {new}")
    promised = new.reserved - (old.reserved if old else 0)
    if promised > 0 and new.left() < 0 and not new.disputes:
        found.append(f"{promised} promised, {-new.left()} more than there is")
    return found


def _account(old: Account | None, new: Account) -> list[str]:
    before = old.audit_sequence if old else 0
    fine = new.audit_sequence >= before
    return [] if fine else [f"audit {before} then {new.audit_sequence}"]


def _once(old: object, new: object) -> list[str]:
    return [] if old is None else [f"written again: {new}"]


_CHECKS: dict[type, Callable[[Any, Any], list[str]]] = {
    RefundOperation: _refund,
    Effect: _effect,
    Cancellation: _cancellation,
    Dispute: _dispute,
    ForeignRefund: _foreign,
    Subscription: _subscription,
    Payment: _payment,
    Account: _account,
    LedgerEntry: _once,
    AuditEntry: _once,
    EventMark: _once,
}
