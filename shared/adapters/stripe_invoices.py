"""Invoices and their payments at Stripe: lines read to the end, every payment with its charge."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import stripe

from shared.adapters import stripe_facts as facts
from shared.adapters.stripe_errors import or_none, translated
from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts, is_invoice

# Void, deleted and draft invoices have moved no money.
_FINALIZED = frozenset({"paid", "open", "uncollectible"})


class StripeInvoices:
    """The reads of `shared.ports.Billing` about invoices and payments."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def subscription_invoices(self, subscription: str, after: datetime) -> list[InvoiceFacts]:
        """See `Billing`. Void, deleted and draft invoices have moved no money and are left out."""
        raws = translated(
            lambda: self._all(self._api.invoices.list({"subscription": subscription, "limit": 100}))
        )
        covering = [
            raw
            for raw in raws
            if raw["status"] in _FINALIZED
            and any(line["period"]["end"] > after.timestamp() for line in self._lines(raw))
        ]
        covering.sort(key=lambda raw: (raw["created"], raw["id"]))
        return [
            facts.invoice_from_stripe(
                raw, self._lines(raw), self._payments(raw), self._credited(raw)
            )
            for raw in covering
        ]

    def invoice_of(self, customer: str, reference: str) -> InvoiceFacts | None:
        """See `Billing`. Listed, not searched for: searches lag behind, and numbers are unique."""
        if not is_invoice(reference):
            return self._uninvoiced(customer, reference)
        if reference.startswith("in_"):
            found = or_none(lambda: self._api.invoices.retrieve(reference))
            raws = [found.to_dict()] if found else []
        else:
            pages = translated(
                lambda: self._all(self._api.invoices.list({"customer": customer, "limit": 100}))
            )
            raws = [raw for raw in pages if raw.get("number") == reference]
        for raw in raws:
            if facts.identifier(raw["customer"]) == customer and raw["status"] in _FINALIZED:
                return facts.invoice_from_stripe(
                    raw, self._lines(raw), self._payments(raw), self._credited(raw)
                )
        return None

    def _uninvoiced(self, customer: str, payment: str) -> InvoiceFacts | None:
        """A payment that pays no invoice, in the form of one that it alone has paid."""
        intent = self._intent(payment)
        if intent is None or facts.identifier(intent["customer"]) != customer:
            return None
        paid = self._payment(intent["latest_charge"]["amount_captured"], intent)
        at = facts.instant(intent["created"])
        text = intent.get("description") or ""
        end = at + timedelta(days=1)
        line = LineFacts(payment, "one_time", paid.total, 0, at, end, text)
        return InvoiceFacts(
            id=payment,
            number=None,
            status="paid",
            created_at=at,
            currency=intent["currency"],
            lines=(line,),
            payments=(paid,),
            credited=0,
            subscription=None,
            collects=False,
            customer=customer,
        )

    def open_invoices(self, customer: str) -> list[InvoiceFacts]:
        """See `Billing`."""
        found: list[Mapping[str, Any]] = []
        for status in ("open", "draft"):
            found += translated(
                lambda status=status: self._all(  # type: ignore[misc]
                    self._api.invoices.list({"customer": customer, "status": status, "limit": 100})
                )
            )
        return [facts.invoice_from_stripe(raw, self._lines(raw)) for raw in found]

    def paid_invoices(self, customer: str) -> list[InvoiceFacts]:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(
                self._api.invoices.list({"customer": customer, "status": "paid", "limit": 100})
            )
        )
        # The first ten lines tell what is asked of these; nobody is paid by them.
        found = [facts.invoice_from_stripe(raw, raw["lines"]["data"]) for raw in raws]
        return sorted(
            found, key=lambda invoice: (invoice.paid_at or invoice.created_at, invoice.id)
        )

    def payment(self, payment: str) -> PaymentFacts | None:
        """See `Billing`. The share is the whole payment."""
        intent = self._intent(payment)
        if intent is None:
            return None
        return self._payment(intent["latest_charge"]["amount_captured"], intent)

    @staticmethod
    def _all(page: Any) -> list[dict[str, Any]]:
        return [raw.to_dict() for raw in page.auto_paging_iter()]

    def _lines(self, invoice: Mapping[str, Any]) -> list[dict[str, Any]]:
        """An invoice shows its first ten lines; the rest are read page by page."""
        embedded = invoice["lines"]
        if not embedded["has_more"]:
            return list(embedded["data"])
        return translated(
            lambda: self._all(self._api.invoices.line_items.list(invoice["id"], {"limit": 100}))
        )

    def _payments(self, invoice: Mapping[str, Any]) -> list[PaymentFacts]:
        raws = translated(
            lambda: self._all(
                self._api.invoice_payments.list(
                    {"invoice": invoice["id"], "status": "paid", "limit": 100}
                )
            )
        )
        found = []
        for raw in sorted(raws, key=lambda raw: (raw["created"], raw["id"])):
            intent_id = facts.identifier(raw["payment"].get("payment_intent"))
            intent = self._intent(intent_id) if intent_id else None
            if intent is not None:
                found.append(self._payment(raw["amount_paid"] or 0, intent))
        return found + facts.payments_without_charge(invoice)

    def _intent(self, intent: str) -> dict[str, Any] | None:
        raw = or_none(
            lambda: self._api.payment_intents.retrieve(
                intent, {"expand": ["latest_charge.balance_transaction"]}
            )
        )
        plain: dict[str, Any] | None = raw.to_dict() if raw else None
        return plain if plain and plain.get("latest_charge") else None

    def _payment(self, share: int, intent: Mapping[str, Any]) -> PaymentFacts:
        disputes: list[dict[str, Any]] = []
        if intent["latest_charge"]["disputed"]:
            disputes = translated(
                lambda: self._all(
                    self._api.disputes.list({"payment_intent": intent["id"], "limit": 100})
                )
            )
        return facts.payment_from_stripe(share, intent, disputes)

    def _credited(self, invoice: Mapping[str, Any]) -> int:
        """What credit notes have given to the customer's balance instead of sending it back."""
        if not invoice.get("post_payment_credit_notes_amount"):
            return 0
        notes = translated(
            lambda: self._all(self._api.credit_notes.list({"invoice": invoice["id"], "limit": 100}))
        )
        return sum(_to_balance(note) for note in notes if note["status"] == "issued")


def _to_balance(note: Mapping[str, Any]) -> int:
    refunded = sum(part["amount_refunded"] for part in note.get("refunds") or ())
    return int(note["post_payment_amount"] - refunded - (note.get("out_of_band_amount") or 0))
