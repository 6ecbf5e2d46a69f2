"""Stripe as a company sees it: its objects, what becomes of them, and the events that tell it.

Small on purpose: what our use cases read and change, with the refusals that decide about money.
`billing.py` puts the API in front of it. The names and rules are those of the local Stripe, which
is held against Stripe's own documents: the tests of the port (`tests/contract/stripe/test_port_*`)
ask both. Where it is narrower, docs/proof.md says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from infrastructure.proof.simulated.faults import Fault, Oracle
from infrastructure.proof.simulated.hub import DAY, EPOCH, MINUTE, SECOND, Hub
from shared.adapters.stripe_disputes import dispute_from_stripe
from shared.domain.dispute import DisputeFacts
from shared.domain.errors import RefusedError
from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts, PendingCharge
from shared.domain.reconciliation import ChangeFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus

FEE = 1500
GONE = ("failed", "canceled")
BEGINS_AS = {
    Fault.REFUND_PENDS: "pending",
    Fault.REFUND_ASKS: "requires_action",
    Fault.REFUND_FAILS: "pending",
}
SUCCEEDS_LATER = (Fault.REFUND_PENDS, Fault.REFUND_ASKS)
DISPUTE_STEPS = {
    "warning_needs_response": ("warning_closed", "needs_response"),
    "needs_response": ("won", "lost"),
    "lost": ("won",),
}


@dataclass(slots=True)
class Paid:
    """A payment on an invoice (minor units)."""

    id: str
    customer: str
    amount: int
    currency: str
    method: str = "card"
    created_at: datetime = EPOCH


@dataclass(slots=True)
class Invoice:
    """An invoice; what was paid from the customer's balance or outside Stripe has no payment."""

    facts: InvoiceFacts
    customer: str
    paid: list[Paid] = field(default_factory=list)
    other: list[PaymentFacts] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Note:
    """A credit note that was issued."""

    id: str
    invoice: str
    customer: str
    total: int
    credit: int
    refunds: tuple[tuple[str, int], ...]
    operation: str
    created_at: datetime


@dataclass(slots=True)
class Stripe:
    """All objects of one account. Time, chance and listeners come from outside."""

    hub: Hub
    oracle: Oracle
    chance: Callable[[int], int]
    deliver: Callable[[dict[str, Any]], None] = lambda _: None
    emails: dict[str, str] = field(default_factory=dict)
    subscriptions: dict[str, SubscriptionFacts] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    pending: dict[str, PendingCharge] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)
    charged: dict[str, str] = field(default_factory=dict)
    refunds: dict[str, RefundFacts] = field(default_factory=dict)
    disputes: dict[str, DisputeFacts] = field(default_factory=dict)
    _raw_disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    movements: list[MovementFacts] = field(default_factory=list)
    changes: list[ChangeFacts] = field(default_factory=list)
    # What was collected: of which subscription, by which invoice, when, for time until when.
    billed: list[tuple[str, str, datetime, datetime]] = field(default_factory=list)
    made: int = 0

    def now(self) -> datetime:
        """The present in whole seconds."""
        return self.hub.instant().replace(microsecond=0)

    def name(self, prefix: str) -> str:
        """A fresh id."""
        self.made += 1
        return f"{prefix}_{self.made:04d}"

    # -- events

    def emit(self, kind: str, type_: str, name: str, customer: str | None) -> None:
        """Tell of a change: at most once in the list, any number of times by delivery."""
        event, now = self.name("evt"), self.now()
        envelope = {
            "event": event,
            "type": type_,
            "created": int(now.timestamp()),
            "object": name,
            "object_kind": kind,
            "customer": customer,
        }
        fault = self.oracle.draw("event")
        if fault is Fault.EVENT_NEVER_MADE:
            return
        self.changes.append(ChangeFacts(event, name, now))
        if fault is Fault.EVENT_LOST:
            return
        times = 2 + self.chance(3) if fault is Fault.EVENT_TWICE else 1
        for number in range(times):
            delay = 50 + self.chance(3 * SECOND)
            if fault is Fault.EVENT_LATE or number:
                delay = self.chance(self.chance(3 * DAY) + 1)
            self.hub.after(delay, lambda: self.deliver(dict(envelope)))

    # -- subscriptions

    def set_subscription(self, facts: SubscriptionFacts, type_: str) -> None:
        """Write a subscription and tell of it."""
        self.subscriptions[facts.id] = facts
        self.emit("subscription", f"customer.subscription.{type_}", facts.id, facts.customer)

    def end(self, subscription: str, at: datetime) -> None:
        """End a subscription; no proration and no last invoice."""
        facts = self.subscriptions[subscription]
        for one in self.invoices.values():
            if one.facts.subscription == subscription and one.facts.collects:
                one.facts = replace(one.facts, collects=False)
        ended = replace(facts, status=SubscriptionStatus.ENDED, ended_at=at)
        self.set_subscription(ended, "deleted")

    def add_invoice(
        self,
        facts: SubscriptionFacts,
        lines: tuple[LineFacts, ...],
        *,
        status: str,
        paid: list[Paid],
        other: list[PaymentFacts] | None = None,
        name: str | None = None,
    ) -> str:
        """An invoice of a subscription."""
        name = name or self.name("in")
        begun = min(line.period_start for line in lines)
        created = self.now() if status == "draft" else min(self.now(), begun)
        invoice = InvoiceFacts(
            id=name,
            number=name.upper(),
            status=status,
            created_at=created,
            currency=facts.items[0].currency,
            lines=lines,
            payments=(),
            credited=0,
            subscription=facts.id,
            collects=status in ("open", "draft"),
            customer=facts.customer,
            paid_at=created if status == "paid" else None,
        )
        self.invoices[name] = Invoice(invoice, facts.customer, paid, other or [])
        return name

    def pay(self, invoice: str) -> None:
        """Charge the card for what is on it; what is billed beyond an end is nobody's to pay."""
        known, now = self.invoices[invoice], self.now()
        facts = known.facts
        amount = sum(line.amount for line in facts.lines)
        if amount > 0:
            made = Paid(f"pi_{invoice}", known.customer, amount, facts.currency, created_at=now)
            known.paid.append(made)
            until = max(line.period_end for line in facts.lines)
            self.billed.append((facts.subscription or "", invoice, now, until))
        known.facts = replace(facts, status="paid", paid_at=now)

    # -- payments and refunds

    def payments(self) -> Mapping[str, Paid]:
        """Every payment by its id."""
        return {paid.id: paid for invoice in self.invoices.values() for paid in invoice.paid}

    def refunded(self, payment: str) -> int:
        """What has left a payment by refunds, or is about to."""
        return sum(
            one.amount
            for one in self.refunds.values()
            if one.payment == payment and one.status not in GONE
        )

    def disputes_of(self, payment: str) -> list[DisputeFacts]:
        """The disputes that have taken a payment, and forbid refunds of it."""
        return [
            one for one in self.disputes.values() if one.payment == payment and not one.refundable
        ]

    def refund(
        self,
        payment: str,
        amount: int,
        operation: str | None = None,
        operation_customer: str | None = None,
    ) -> RefundFacts:
        """Send money back, or refuse: never more than is there, never what a bank has taken."""
        paid = self.payments().get(payment)
        if paid is None:
            raise RefusedError("resource_missing", "no such payment")
        self.check_refund(paid, amount)
        fate = self.oracle.draw("refund")
        begins = BEGINS_AS.get(fate, "succeeded") if fate else "succeeded"
        made = RefundFacts(
            id=self.name("re"),
            payment=payment,
            amount=amount,
            currency=paid.currency,
            status=begins,
            failure=None,
            operation=operation,
            operation_customer=operation_customer,
            customer=paid.customer,
            created_at=self.now(),
        )
        self.refunds[made.id] = made
        self._move(made.id, "refund", -amount, paid.currency)
        self.emit("refund", "refund.created", made.id, paid.customer)
        if fate is not None:
            status = "succeeded" if fate in SUCCEEDS_LATER else "failed"
            late = fate is Fault.REFUND_FAILS_LATE
            delay = MINUTE + self.chance((8 if late else 3) * DAY)
            self.hub.after(delay, lambda: self.settle(made.id, status))
        return made

    def check_refund(self, paid: Paid, amount: int) -> None:
        """Refuse what cannot go back."""
        left = paid.amount - self.refunded(paid.id)
        if self.disputes_of(paid.id):
            raise RefusedError("charge_disputed", "charged back")
        if not left:
            raise RefusedError("charge_already_refunded", "nothing is left")
        if not 0 < amount <= left:
            raise RefusedError("400", "more than is left")

    def settle(
        self, refund: str, status: str, failure: str | None = "expired_or_canceled_card"
    ) -> None:
        """A refund's later fate, unless it has met one."""
        known = self.refunds[refund]
        if known.status in GONE or known.status == status:
            return
        failure = failure if status == "failed" else None
        self.refunds[refund] = replace(known, status=status, failure=failure)
        if status == "failed":
            self._move(refund, "refund_failure", known.amount, known.currency)
            self.emit("refund", "refund.failed", refund, known.customer)
        self.emit("refund", "refund.updated", refund, known.customer)

    def _move(self, source: str, category: str, net: int, currency: str) -> None:
        name = self.name("txn")
        self.movements.append(MovementFacts(name, source, category, net, currency, self.now()))

    # -- disputes

    def open_dispute(self, payment: str, *, inquiry: bool) -> str | None:
        """A bank asks, or takes the money; None when it has done so before."""
        paid = self.payments()[payment]
        if any(one.payment == payment for one in self.disputes.values()):
            return None
        amount = paid.amount if inquiry else paid.amount - self.refunded(payment)
        if amount <= 0:
            return None
        name = self.name("du")
        self._raw_disputes[name] = {
            "id": name,
            "charge": payment.replace("pi_", "ch_"),
            "payment_intent": payment,
            "status": "warning_needs_response",
            "amount": amount,
            "currency": paid.currency,
            "balance_transactions": [],
            "is_charge_refundable": True,
            "reason": "fraudulent",
            "created": int(self.now().timestamp()),
            "livemode": False,
        }
        if inquiry:
            self._tell_dispute(name, "created")
        else:
            self._withdraw(name)
            self._tell_dispute(name, "created")
            self._tell_dispute(name, "funds_withdrawn")
        return name

    def _withdraw(self, dispute: str) -> None:
        raw = self._raw_disputes[dispute]
        raw |= {"status": "needs_response", "is_charge_refundable": False}
        self._move_funds(dispute, "dispute", -raw["amount"], FEE)
        for refund in list(self.refunds.values()):
            if refund.payment == raw["payment_intent"] and refund.status == "pending":
                self.settle(refund.id, "failed", "charge_for_pending_refund_disputed")

    def _move_funds(self, dispute: str, category: str, amount: int, fee: int) -> None:
        raw = self._raw_disputes[dispute]
        self._move(dispute, category, amount - fee, raw["currency"])
        row = {"id": self.movements[-1].id, "amount": amount, "fee": fee, "net": amount - fee}
        row["currency"] = raw["currency"]
        raw["balance_transactions"] = [*raw["balance_transactions"], row]

    def move_dispute(self, dispute: str, status: str) -> bool:
        """A dispute's next step, in Stripe's words; whether it could be taken."""
        raw = self._raw_disputes[dispute]
        if status not in DISPUTE_STEPS.get(raw["status"], ()):
            return False
        raw["status"] = status
        if status == "needs_response":
            self._withdraw(dispute)
            self._tell_dispute(dispute, "updated")
            self._tell_dispute(dispute, "funds_withdrawn")
            return True
        if status == "won":
            raw["is_charge_refundable"] = True
            self._move_funds(dispute, "dispute_reversal", raw["amount"], 0)
            self._tell_dispute(dispute, "funds_reinstated")
        self._tell_dispute(dispute, "closed")
        return True

    def _tell_dispute(self, dispute: str, what: str) -> None:
        """Events name the dispute; what it is now is read through the product's own adapter."""
        raw = self._raw_disputes[dispute]
        customer = self.payments()[raw["payment_intent"]].customer
        self.disputes[dispute] = dispute_from_stripe(raw, customer)
        self.emit("dispute", f"charge.dispute.{what}", dispute, None)
