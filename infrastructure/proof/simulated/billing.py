"""Stripe's API in front of the simulated account: what is read, with what can go wrong."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.hub import SECOND
from infrastructure.proof.simulated.keys import Keys
from infrastructure.proof.simulated.stripe import GONE, Invoice, Note, Paid, Stripe
from infrastructure.proof.simulated.worker import Worker
from shared.domain.arrears import DunningFacts
from shared.domain.contact import Contact
from shared.domain.dispute import DisputeFacts
from shared.domain.errors import OutcomeUnknownError, RefusedError, UnavailableError
from shared.domain.invoice import CreditNoteLine, InvoiceFacts, PaymentFacts, PendingCharge
from shared.domain.network_month import ChargeFacts
from shared.domain.reconciliation import ChangeFacts, CreditNoteFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts
from shared.ports import Page

R = TypeVar("R")
T = TypeVar("T")

PER_PAGE = 10
FINALIZED = ("paid", "open")
TIMES_OUT = 10 * SECOND


class Reads:
    """The half of `shared.ports.Billing` that changes nothing, for one worker."""

    def __init__(self, worker: Worker, stripe: Stripe, keys: Keys) -> None:
        self.worker = worker
        self.stripe = stripe
        self.keys = keys

    # -- the two ways of asking

    def ask(self, name: str, read: Callable[[], T]) -> T:
        """One request that reads."""
        fault = self.worker.enter("ask", name)
        if fault is Fault.STRIPE_BUSY:
            raise UnavailableError("stripe: 429")
        if fault is Fault.STRIPE_READ_CUT or self.worker.world.stripe_is_down:
            self.worker.pass_time(TIMES_OUT)
            raise OutcomeUnknownError("stripe: cut")
        answer = read()
        self.worker.leave(fault)
        return answer

    # -- lists

    def page(self, kind: type[R], *, since: datetime | None, after: str | None) -> Page[R]:
        """See `Billing`."""
        return self.ask("page", lambda: self.page_of(kind, since, after))

    def page_of(self, kind: type[Any], since: datetime | None, after: str | None) -> Page[Any]:
        """A part of a list, as Stripe pages it."""
        stripe = self.stripe
        lists: dict[type, Callable[[], list[Any]]] = {
            RefundFacts: lambda: list(stripe.refunds.values()),
            DisputeFacts: lambda: list(stripe.disputes.values()),
            SubscriptionFacts: self.all_subscriptions,
            CreditNoteFacts: lambda: [_note_facts(note) for note in stripe.notes.values()],
            ChangeFacts: lambda: list(stripe.changes),
            MovementFacts: lambda: list(stripe.movements),
            ChargeFacts: lambda: [_charge_facts(paid) for paid in stripe.payments().values()],
        }
        rows = lists[kind]()
        if since is not None:
            second = since.replace(microsecond=0)
            rows = [row for row in rows if _created(row) >= second]
        rows.reverse()
        begin = 0
        if after is not None:
            names = [_name(row) for row in rows]
            if after not in names:
                raise RefusedError("resource_missing", after)
            begin = names.index(after) + 1
        part = rows[begin : begin + PER_PAGE]
        more = begin + PER_PAGE < len(rows)
        return Page(tuple(part), _name(part[-1]) if more else None)

    def all_subscriptions(self) -> list[SubscriptionFacts]:
        """Every subscription, ended ones too."""
        return [self.as_it_is(one) for one in self.stripe.subscriptions.values()]

    def as_it_is(self, facts: SubscriptionFacts) -> SubscriptionFacts:
        """A subscription with its collection as it stands."""
        return replace(facts, collection_paused=facts.id in self.stripe.paused)

    # -- reads

    def contact(self, customer: str) -> Contact | None:
        """See `Billing`."""
        emails = self.stripe.emails
        return self.ask(
            "contact", lambda: Contact(emails[customer]) if customer in emails else None
        )

    def subscription(self, subscription: str) -> SubscriptionFacts | None:
        """See `Billing`."""

        def read() -> SubscriptionFacts | None:
            found = self.stripe.subscriptions.get(subscription)
            return self.as_it_is(found) if found else None

        return self.ask("subscription", read)

    def subscriptions(self, customer: str) -> list[SubscriptionFacts]:
        """See `Billing`."""
        return self.ask(
            "subscriptions",
            lambda: [one for one in self.all_subscriptions() if one.customer == customer][::-1],
        )

    def subscription_invoices(self, subscription: str, after: datetime) -> list[InvoiceFacts]:
        """See `Billing`."""

        def read() -> list[InvoiceFacts]:
            return [
                self.whole(name)
                for name, invoice in self.stripe.invoices.items()
                if invoice.facts.subscription == subscription
                and invoice.facts.status in FINALIZED
                and any(line.period_end > after for line in invoice.facts.lines)
            ]

        return self.ask("subscription_invoices", read)

    def whole(self, name: str) -> InvoiceFacts:
        """An invoice with its payments."""
        invoice = self.stripe.invoices[name]
        paid = [self.payment_now(one.id) for one in invoice.paid]
        credited = sum(note.credit for note in self.stripe.notes.values() if note.invoice == name)
        payments = tuple(one for one in (*paid, *invoice.other) if one)
        return replace(invoice.facts, payments=payments, credited=credited)

    def invoice_of(self, customer: str, reference: str) -> InvoiceFacts | None:
        """See `Billing`."""

        def read() -> InvoiceFacts | None:
            for name, one in self.stripe.invoices.items():
                meant = reference in (name, one.facts.number) and one.customer == customer
                if meant and one.facts.status in FINALIZED:
                    return self.whole(name)
            return None

        return self.ask("invoice_of", read)

    def bill(self, invoice: str) -> None:
        """See `Billing`; nothing here was billed by usage, so nothing is compared."""
        del invoice
        self.ask("bill", lambda: None)

    def dunning(self, invoice: str) -> DunningFacts | None:
        """See `Billing`; nobody fails to pay here."""

        def read() -> DunningFacts | None:
            known = self.stripe.invoices.get(invoice)
            return _dunning_facts(known) if known else None

        return self.ask("dunning", read)

    def paid_invoices(self, customer: str) -> list[InvoiceFacts]:
        """See `Billing`."""

        def read() -> list[InvoiceFacts]:
            mine = [one.facts for one in self.stripe.invoices.values() if one.customer == customer]
            paid = [facts for facts in mine if facts.status == "paid"]
            return sorted(paid, key=lambda facts: (facts.paid_at or facts.created_at, facts.id))

        return self.ask("paid_invoices", read)

    def open_invoices(self, customer: str) -> list[InvoiceFacts]:
        """See `Billing`."""
        return self.ask(
            "open_invoices",
            lambda: [
                one.facts
                for status in ("open", "draft")
                for one in reversed(self.stripe.invoices.values())
                if one.customer == customer and one.facts.status == status
            ],
        )

    def pending_charges(self, customer: str, subscription: str) -> list[PendingCharge]:
        """See `Billing`."""
        del customer
        return self.ask(
            "pending_charges",
            lambda: [
                one
                for one in reversed(self.stripe.pending.values())
                if one.subscription == subscription
            ],
        )

    def dispute(self, dispute: str) -> DisputeFacts | None:
        """See `Billing`."""
        return self.ask("dispute", lambda: self.stripe.disputes.get(dispute))

    def payment(self, payment: str) -> PaymentFacts | None:
        """See `Billing`."""
        return self.ask("payment", lambda: self.payment_now(payment))

    def payment_now(self, payment: str) -> PaymentFacts | None:
        """A payment as it stands."""
        paid = self.stripe.payments().get(payment)
        if paid is None:
            return None
        held = self.stripe.disputes_of(payment)
        return PaymentFacts(
            id=paid.id,
            amount=paid.amount,
            fee=0,
            refunded=self.stripe.refunded(payment),
            disputed=sum(one.amount for one in held),
            refundable=not held,
            method=paid.method,
            total=paid.amount,
        )

    def refund(self, refund: str) -> RefundFacts | None:
        """See `Billing`."""
        return self.ask("refund", lambda: self.stripe.refunds.get(refund))

    def refunds_of(self, payment: str) -> list[RefundFacts]:
        """See `Billing`."""

        def read() -> list[RefundFacts]:
            refunds = reversed(self.stripe.refunds.values())
            found = [one for one in refunds if one.payment == payment]
            self.worker.world.watch.looked(payment, found)
            return found

        return self.ask("refunds_of", read)

    def credit_note_of(self, invoice: str, operation: str) -> str | None:
        """See `Billing`."""

        def read() -> str | None:
            notes = self.stripe.notes.values()
            mine = (n.id for n in notes if (n.invoice, n.operation) == (invoice, operation))
            found = next(mine, None)
            self.worker.world.watch.looked_for("note", operation, found)
            return found

        return self.ask("credit_note_of", read)

    def charge_added(self, customer: str, operation: str) -> str | None:
        """See `Billing`."""
        del customer

        def read() -> str | None:
            found = self.stripe.added.get(operation)
            self.worker.world.watch.looked_for("charge", operation, found)
            return found

        return self.ask("charge_added", read)

    def preview_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refund: int,
        credit: int,
        out_of_band: int,
    ) -> int:
        """See `Billing`; what it would refund must be there as well."""

        def read() -> int:
            total = check_note(self.stripe, invoice, lines, (), refund + credit + out_of_band)
            if refund:
                paid = self.stripe.invoices[invoice].paid
                if len(paid) != 1:
                    raise RefusedError("400", "several payments, or none")
                self.stripe.check_refund(paid[0], refund)
            return total

        return self.ask("preview_credit_note", read)


def found(things: Mapping[str, T], name: str) -> T:
    """A thing by its name, which a change must know."""
    if name not in things:
        raise RefusedError("resource_missing", name)
    return things[name]


def check_note(
    stripe: Stripe,
    invoice: str,
    lines: Sequence[CreditNoteLine],
    refunds: Sequence[tuple[Any, ...]],
    otherwise: int,
) -> int:
    """What a credit note over these lines comes to, or why Stripe would refuse it.

    `otherwise` is what goes to the balance, outside of Stripe, or is refunded with the note.
    """
    known = found(stripe.invoices, invoice)
    if known.facts.status != "paid":
        raise RefusedError("400", f"an invoice that is {known.facts.status}")
    own = {line.id: line for line in known.facts.lines}
    for line in lines:
        if line.amount > found(own, line.invoice_line).amount + own[line.invoice_line].tax:
            raise RefusedError("400", "more than the line")
    linked = Counter[str]()
    for note in stripe.notes.values():
        linked.update(dict(note.refunds))
    mine = {paid.id for paid in known.paid}
    gone = {
        one.id: one.amount
        for one in stripe.refunds.values()
        if one.payment in mine and one.status not in GONE
    }
    for refund, amount in refunds:
        if found(stripe.refunds, refund).id not in gone:
            raise RefusedError("400", "no refund of this invoice")
        linked[refund] += amount
        if not amount > 0 or linked[refund] > gone[refund]:
            raise RefusedError("400", "more than is left of that refund")
    on_top = sum(tax.amount for line in lines for tax in line.taxes if not tax.inclusive)
    total = sum(line.amount for line in lines) + on_top
    if total <= 0 or total != otherwise + sum(amount for _, amount in refunds):
        raise RefusedError("400", "the parts are not the total")
    worth = sum(line.amount + line.tax for line in known.facts.lines)
    spent = sum(note.total for note in stripe.notes.values() if note.invoice == invoice)
    spent += sum(amount - linked[refund] for refund, amount in gone.items())
    if spent + total > worth:
        raise RefusedError("400", "more than the invoice")
    return total


def _note_facts(note: Note) -> CreditNoteFacts:
    return CreditNoteFacts(
        note.id, note.customer, note.invoice, "issued", note.operation, note.created_at
    )


def _dunning_facts(invoice: Invoice) -> DunningFacts:
    facts = invoice.facts
    total, paid = sum(line.amount for line in facts.lines), sum(one.amount for one in invoice.paid)
    return DunningFacts(
        id=facts.id,
        number=facts.number,
        customer=invoice.customer,
        subscription=facts.subscription,
        status=facts.status,
        due=0 if facts.status == "paid" else total,
        paid=paid,
        currency=facts.currency,
        failed=False,
        first=False,
        pay_by=None,
        receivable=None,
        page=None,
    )


def _charge_facts(paid: Paid) -> ChargeFacts:
    """A payment as the list of charges has it; every card here is of one network."""
    network = "visa" if paid.method == "card" else ""
    return ChargeFacts(paid.id, network, paid=True, created_at=paid.created_at)


def _created(row: Any) -> datetime:
    at: datetime = row.opened_at if isinstance(row, DisputeFacts) else row.created_at
    return at


def _name(row: Any) -> str:
    return str(row.event if isinstance(row, ChangeFacts) else row.id)
