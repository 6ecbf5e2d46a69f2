"""Stripe in memory, as far as the port shows it: keys replayed, faults on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeVar

from shared.domain.arrears import DunningFacts
from shared.domain.bill import Bill
from shared.domain.contact import Contact
from shared.domain.dispute import DisputeFacts
from shared.domain.errors import RefusedError
from shared.domain.invoice import CreditNoteLine, InvoiceFacts, PaymentFacts, PendingCharge
from shared.domain.network_month import ChargeFacts
from shared.domain.reconciliation import ChangeFacts, CreditNoteFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus
from shared.ports import Page
from tests.fakes.evidence import FakeEvidence, asked_for, movements

R = TypeVar("R")

# Small, so that every list of more than two is read in several requests.
PER_PAGE = 2


def _created(row: Any) -> datetime | None:
    at: datetime | None = getattr(row, "created_at", None) or getattr(row, "opened_at", None)
    return at


class FakeBilling(FakeEvidence):
    """`Billing` on dictionaries.

    `fail_before[method]` and `fail_after[method]` are errors to raise once each, before or after
    the method has had its effect; `calls` lists every mutation as (method, arguments).
    """

    def __init__(self) -> None:
        super().__init__()
        self.emails: dict[str, str] = {}
        self.tongues: dict[str, tuple[str | None, str | None]] = {}
        self.known_subscriptions: dict[str, SubscriptionFacts] = {}
        self.invoices: dict[str, InvoiceFacts] = {}
        self.charges: dict[str, PendingCharge] = {}
        self.unpaid: dict[str, DunningFacts] = {}
        self.refunds: dict[str, RefundFacts] = {}
        self.credit_notes: dict[str, dict[str, Any]] = {}
        self.account_credits: dict[str, tuple[str, int, str, str]] = {}
        self.added: dict[str, str] = {}
        self.paused: set[str] = set()
        self.held: set[str] = set()
        self.keys: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.fail_before: dict[str, list[Exception]] = {}
        self.fail_after: dict[str, list[Exception]] = {}
        self.refund_status = "succeeded"
        self.preview_differs_by = 0
        self.moved: dict[str, MovementFacts] = {}
        self.changed: list[ChangeFacts] = []
        self.paid_charges: list[ChargeFacts] = []
        self.now: datetime | None = None
        self.bills: dict[str, Bill] = {}
        self.unit_prices: dict[str, Fraction] = {}

    def forget_keys(self) -> None:
        self.keys.clear()

    def _mutate(self, method: str, key: str | None, act: Any, **arguments: Any) -> Any:
        self.calls.append((method, {**arguments, "key": key}))
        if self.fail_before.get(method):
            raise self.fail_before[method].pop(0)
        if key is not None and key in self.keys:
            result = self.keys[key]
        else:
            result = act()
            if key is not None:
                self.keys[key] = result
        if self.fail_after.get(method):
            raise self.fail_after[method].pop(0)
        return result

    def called(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]

    # lists

    def page(self, kind: type[R], *, since: datetime | None, after: str | None) -> Page[R]:
        if self.fail_before.get("page"):
            raise self.fail_before["page"].pop(0)
        rows = self._rows(kind)
        begin = int(after) if after else 0
        rows = [row for row in rows if since is None or (_created(row) or since) >= since]
        more = begin + PER_PAGE < len(rows)
        return Page(tuple(rows[begin : begin + PER_PAGE]), str(begin + PER_PAGE) if more else None)

    def _rows(self, kind: type) -> list[Any]:
        if kind is RefundFacts:
            return list(self.refunds.values())
        if kind is DisputeFacts:
            return list(self.disputes.values())
        if kind is SubscriptionFacts:
            return list(self.known_subscriptions.values())
        if kind is CreditNoteFacts:
            return [self._credit_note(note) for note in self.credit_notes]
        if kind is ChargeFacts:
            return list(self.paid_charges)
        if kind is ChangeFacts:
            return list(self.changed)
        assert kind is MovementFacts
        return list(
            (movements(self.refunds.values(), self.disputes.values()) | self.moved).values()
        )

    def _credit_note(self, name: str) -> CreditNoteFacts:
        note = self.credit_notes[name]
        subscription = self.invoices[note["invoice"]].subscription or ""
        return CreditNoteFacts(
            id=name,
            customer=self.known_subscriptions[subscription].customer,
            invoice=note["invoice"],
            status=note.get("status", "issued"),
            operation=note["operation"],
            created_at=note["created_at"],
        )

    # reads

    def contact(self, customer: str) -> Contact | None:
        if self.fail_before.get("contact"):
            raise self.fail_before["contact"].pop(0)
        email = self.emails.get(customer)
        return Contact(email, *self.tongues.get(customer, ())) if email else None

    def subscription(self, subscription: str) -> SubscriptionFacts | None:
        if self.fail_before.get("subscription"):
            raise self.fail_before["subscription"].pop(0)
        return self.known_subscriptions.get(subscription)

    def subscriptions(self, customer: str) -> list[SubscriptionFacts]:
        return [s for s in self.known_subscriptions.values() if s.customer == customer]

    def subscription_invoices(self, subscription: str, after: datetime) -> list[InvoiceFacts]:
        return [
            invoice
            for invoice in self.invoices.values()
            if invoice.subscription == subscription
            and invoice.status in ("paid", "open")
            and any(line.period_end > after for line in invoice.lines)
        ]

    def invoice_numbered(self, number: str) -> InvoiceFacts | None:
        if self.fail_before.get("invoice_numbered"):
            raise self.fail_before["invoice_numbered"].pop(0)
        return next((i for i in self.invoices.values() if i.number == number), None)

    def paid_invoices(self, customer: str) -> list[InvoiceFacts]:
        mine = [i for i in self.invoices.values() if self._owner(i) == customer]
        paid = [i for i in mine if i.status == "paid"]
        return sorted(paid, key=lambda i: (i.paid_at or i.created_at, i.id))

    def _owner(self, invoice: InvoiceFacts) -> str | None:
        known = self.known_subscriptions.get(invoice.subscription or "")
        return invoice.customer or (known.customer if known else None)

    def invoices_paid_by(self, payment: str) -> list[str]:
        paid = [i for i in self.invoices.values() if any(p.id == payment for p in i.payments)]
        return sorted(invoice.id for invoice in paid)

    def bill(self, invoice: str) -> Bill | None:
        return self.bills.get(invoice)

    def unit_price(self, price: str) -> Fraction | None:
        return self.unit_prices.get(price)

    def invoice_of(self, customer: str, reference: str) -> InvoiceFacts | None:
        mine = {s.id for s in self.subscriptions(customer)}
        for invoice in self.invoices.values():
            owned = invoice.subscription in mine or invoice.customer == customer
            if reference in (invoice.id, invoice.number) and owned:
                return invoice
        return None

    def open_invoices(self, customer: str) -> list[InvoiceFacts]:
        mine = {s.id for s in self.subscriptions(customer)}
        return [
            i
            for i in self.invoices.values()
            if i.subscription in mine and i.status in ("open", "draft")
        ]

    def dunning(self, invoice: str) -> DunningFacts | None:
        known = self.invoices.get(invoice)
        if invoice in self.debts and invoice not in self.unpaid:
            return self.debt_asked_for(invoice)
        if invoice in self.unpaid or known is None:
            return self.unpaid.get(invoice)
        return asked_for(known, self._owner(known) or "")

    def pending_charges(self, customer: str, subscription: str) -> list[PendingCharge]:
        del customer
        return [c for c in self.charges.values() if c.subscription == subscription]

    def payment(self, payment: str) -> PaymentFacts | None:
        for invoice in self.invoices.values():
            for paid in invoice.payments:
                if paid.id == payment:
                    return paid
        return None

    def refund(self, refund: str) -> RefundFacts | None:
        return self.refunds.get(refund)

    def refunds_of(self, payment: str) -> list[RefundFacts]:
        if self.fail_before.get("refunds_of"):
            raise self.fail_before["refunds_of"].pop(0)
        return [r for r in self.refunds.values() if r.payment == payment]

    def credit_note_of(self, invoice: str, operation: str) -> str | None:
        for note_id, note in self.credit_notes.items():
            if (note["invoice"], note["operation"]) == (invoice, operation):
                return note_id
        return None

    def charge_added(self, customer: str, operation: str) -> str | None:
        del customer
        added = self.added.get(operation)
        items = (f"ii_{name}" for name, debt in self.debts.items() if debt.get("item") == operation)
        return added if added in self.charges else next(items, None)

    def preview_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refund: int,
        credit: int,
        out_of_band: int,
    ) -> int:
        del invoice, refund, credit, out_of_band
        on_top = sum(t.amount for line in lines for t in line.taxes if not t.inclusive)
        return sum(line.amount for line in lines) + on_top + self.preview_differs_by

    # mutations

    def set_cancel_at_period_end(self, subscription: str, *, cancel: bool, key: str) -> None:
        def act() -> None:
            seen = self.known_subscriptions[subscription]
            end = max(item.period_end for item in seen.items) if cancel else None
            self.known_subscriptions[subscription] = replace(seen, cancels_at=end)

        self._mutate("set_cancel_at_period_end", key, act, cancel=cancel)

    def cancel_now(self, subscription: str) -> None:
        def act() -> None:
            seen = self.known_subscriptions[subscription]
            if seen.status is SubscriptionStatus.ENDED:
                raise RefusedError("resource_missing", "404")
            self.known_subscriptions[subscription] = replace(
                seen, status=SubscriptionStatus.ENDED, ended_at=self.now
            )

        self._mutate("cancel_now", None, act, subscription=subscription)

    def pause_collection(self, subscription: str, *, key: str) -> None:
        act = lambda: self.paused.add(self._alive(subscription))  # noqa: E731
        self._mutate("pause_collection", key, act, subscription=subscription)

    def resume_collection(self, subscription: str, *, key: str) -> None:
        act = lambda: self.paused.discard(self._alive(subscription))  # noqa: E731
        self._mutate("resume_collection", key, act, subscription=subscription)

    def _alive(self, subscription: str) -> str:
        seen = self.known_subscriptions.get(subscription)
        if seen and seen.status is SubscriptionStatus.ENDED:
            raise RefusedError("invalid_canceled_subscription_fields", "400")
        return subscription

    def set_auto_advance(self, invoice: str, *, on: bool, key: str) -> None:
        def act() -> None:
            (self.held.discard if on else self.held.add)(invoice)

        self._mutate("set_auto_advance", key, act, invoice=invoice, on=on)

    def void_invoice(self, invoice: str, *, key: str) -> None:
        def act() -> None:
            if self.invoices[invoice].status != "open":
                raise RefusedError("400", self.invoices[invoice].status)
            self.invoices[invoice] = replace(self.invoices[invoice], status="void")

        self._mutate("void_invoice", key, act, invoice=invoice)

    def finalize_draft(self, invoice: str, *, key: str) -> None:
        def act() -> None:
            if self.invoices[invoice].status != "draft":
                raise RefusedError("invoice_not_editable", self.invoices[invoice].status)
            self.invoices[invoice] = replace(self.invoices[invoice], status="open", collects=False)

        self._mutate("finalize_draft", key, act, invoice=invoice)

    def remove_charge(self, charge: str) -> None:
        self._mutate("remove_charge", None, lambda: self.charges.pop(charge, None), charge=charge)

    def add_charge(self, params: Mapping[str, Any], *, operation: str, key: str) -> str:
        def act() -> str:
            added = f"ii_added{len(self.called('add_charge'))}"
            self.added[operation] = added
            self.charges[added] = PendingCharge(
                id=added,
                subscription=params["subscription"],
                amount=params["amount"],
                currency=params["currency"],
                description=params["description"],
                period_start=datetime.fromisoformat(params["period_start"]),
                period_end=datetime.fromisoformat(params["period_end"]),
                tax_rates=tuple(params["tax_rates"]),
                discountable=params["discountable"],
                operation=operation,
            )
            return added

        added: str = self._mutate("add_charge", key, act, **params)
        return added

    def refund_payment(
        self, *, payment: str, amount: int, operation: str, customer: str, key: str
    ) -> RefundFacts:
        def act() -> RefundFacts:
            refund = RefundFacts(
                id=f"re_{len(self.refunds)}",
                payment=payment,
                amount=amount,
                currency="usd",
                status=self.refund_status,
                failure=None,
                operation=operation,
                operation_customer=customer,
                customer=customer,
                created_at=self.now,
            )
            self.refunds[refund.id] = refund
            return refund

        made: RefundFacts = self._mutate("refund_payment", key, act, amount=amount)
        return made

    def issue_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refunds: Sequence[tuple[str, int]],
        credit: int,
        operation: str,
        key: str,
        out_of_band: int = 0,
    ) -> str:
        def act() -> str:
            note = f"cn_{len(self.credit_notes)}"
            self.credit_notes[note] = {
                "invoice": invoice,
                "lines": list(lines),
                "refunds": list(refunds),
                "credit": credit,
                "out_of_band": out_of_band,
                "operation": operation,
                "created_at": self.now,
            }
            return note

        issued: str = self._mutate("issue_credit_note", key, act, invoice=invoice)
        return issued

    def give_account_credit(
        self, *, customer: str, amount: int, currency: str, operation: str, key: str
    ) -> str:
        def act() -> str:
            entry = f"cbtxn_{len(self.account_credits)}"
            self.account_credits[entry] = (customer, amount, currency, operation)
            return entry

        given: str = self._mutate("give_account_credit", key, act, amount=amount)
        return given

    def account_credit_of(self, customer: str, operation: str) -> str | None:
        for entry, (owner, _, _, named) in self.account_credits.items():
            if (owner, named) == (customer, operation):
                return entry
        return None
