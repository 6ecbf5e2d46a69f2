"""Stripe behind the `Billing` port: reads translated into facts, mutations under our keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared.adapters import stripe_facts as facts
from shared.adapters.stripe_bills import StripeBills
from shared.adapters.stripe_disputes_api import StripeDisputes
from shared.adapters.stripe_errors import or_none, translated
from shared.adapters.stripe_lists import read_page
from shared.domain.contact import Contact
from shared.domain.invoice import CreditNoteLine, PendingCharge
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts
from shared.ports import Page

R = TypeVar("R")


class StripeBilling(StripeBills, StripeDisputes):
    """`shared.ports.Billing` on the Stripe API."""

    def page(self, kind: type[R], *, since: datetime | None, after: str | None) -> Page[R]:
        """See `Billing`."""
        return read_page(self._api, kind, since=since, after=after)

    def contact(self, customer: str) -> Contact | None:
        """See `Billing`."""
        raw = or_none(lambda: self._api.customers.retrieve(customer))
        plain = raw.to_dict() if raw else {}
        return facts.contact_from_stripe(plain) if plain and not plain.get("deleted") else None

    def subscription(self, subscription: str) -> SubscriptionFacts | None:
        """See `Billing`."""
        raw = or_none(lambda: self._api.subscriptions.retrieve(subscription))
        return facts.subscription_from_stripe(raw.to_dict()) if raw else None

    def subscriptions(self, customer: str) -> list[SubscriptionFacts]:
        """See `Billing`."""
        pages = translated(
            lambda: self._all(
                self._api.subscriptions.list({"customer": customer, "status": "all", "limit": 100})
            )
        )
        return [facts.subscription_from_stripe(raw) for raw in pages]

    def pending_charges(self, customer: str, subscription: str) -> list[PendingCharge]:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(
                self._api.invoice_items.list({"customer": customer, "pending": True, "limit": 100})
            )
        )
        charges = [facts.pending_charge_from_stripe(raw) for raw in raws]
        return [charge for charge in charges if charge.subscription == subscription]

    def refund(self, refund: str) -> RefundFacts | None:
        """See `Billing`."""
        raw = or_none(lambda: self._api.refunds.retrieve(refund))
        return facts.refund_from_stripe(raw.to_dict()) if raw else None

    def refunds_of(self, payment: str) -> list[RefundFacts]:
        """See `Billing`. A list, not a search: searches lag behind."""
        raws = translated(
            lambda: self._all(self._api.refunds.list({"payment_intent": payment, "limit": 100}))
        )
        return [facts.refund_from_stripe(raw) for raw in raws]

    def credit_note_of(self, invoice: str, operation: str) -> str | None:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(self._api.credit_notes.list({"invoice": invoice, "limit": 100}))
        )
        return _named(raws, operation)

    def charge_added(self, customer: str, operation: str) -> str | None:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(self._api.invoice_items.list({"customer": customer, "limit": 100}))
        )
        return _named(raws, operation)

    def set_cancel_at_period_end(self, subscription: str, *, cancel: bool, key: str) -> None:
        """See `Billing`."""
        translated(
            lambda: self._api.subscriptions.update(
                subscription, {"cancel_at_period_end": cancel}, {"idempotency_key": key}
            )
        )

    def cancel_now(self, subscription: str) -> None:
        """See `Billing`. No invoice and no proration: the money is ours to settle."""
        translated(
            lambda: self._api.subscriptions.cancel(
                subscription, {"prorate": False, "invoice_now": False}
            )
        )

    def pause_collection(self, subscription: str, *, key: str) -> None:
        """See `Billing`."""
        translated(
            lambda: self._api.subscriptions.update(
                subscription,
                {"pause_collection": {"behavior": "void"}},
                {"idempotency_key": key},
            )
        )

    def resume_collection(self, subscription: str, *, key: str) -> None:
        """See `Billing`. An empty value unsets a field at Stripe."""
        translated(
            lambda: self._api.subscriptions.update(
                subscription, {"pause_collection": ""}, {"idempotency_key": key}
            )
        )

    def set_auto_advance(self, invoice: str, *, on: bool, key: str) -> None:
        """See `Billing`."""
        translated(
            lambda: self._api.invoices.update(
                invoice, {"auto_advance": on}, {"idempotency_key": key}
            )
        )

    def void_invoice(self, invoice: str, *, key: str) -> None:
        """See `Billing`."""
        translated(lambda: self._api.invoices.void_invoice(invoice, {}, {"idempotency_key": key}))

    def finalize_draft(self, invoice: str, *, key: str) -> None:
        """See `Billing`."""
        translated(
            lambda: self._api.invoices.finalize_invoice(
                invoice, {"auto_advance": False}, {"idempotency_key": key}
            )
        )

    def remove_charge(self, charge: str) -> None:
        """See `Billing`. One that is gone already is as it should be."""
        or_none(lambda: self._api.invoice_items.delete(charge))

    def add_charge(self, params: Mapping[str, Any], *, operation: str, key: str) -> str:
        """See `Billing`."""
        start = datetime.fromisoformat(params["period_start"])
        end = datetime.fromisoformat(params["period_end"])
        added = translated(
            lambda: self._api.invoice_items.create(
                {
                    "customer": params["customer"],
                    "subscription": params["subscription"],
                    "amount": params["amount"],
                    "currency": params["currency"],
                    "description": params["description"],
                    "period": {"start": int(start.timestamp()), "end": int(end.timestamp())},
                    "tax_rates": params["tax_rates"],
                    "discountable": params["discountable"],
                    "metadata": {"fairexit_operation": operation},
                },
                {"idempotency_key": key},
            )
        )
        return added.id

    def refund_payment(
        self, *, payment: str, amount: int, operation: str, customer: str, key: str
    ) -> RefundFacts:
        """See `Billing`. The reason is the harmless one: `fraudulent` would block the card."""
        refund = translated(
            lambda: self._api.refunds.create(
                {
                    "payment_intent": payment,
                    "amount": amount,
                    "reason": "requested_by_customer",
                    "metadata": {
                        "fairexit_operation": operation,
                        "fairexit_customer": customer,
                    },
                },
                {"idempotency_key": key},
            )
        )
        return facts.refund_from_stripe(refund.to_dict())

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
        """See `Billing`. Linked to refunds that exist, it moves no money but the credit."""
        note = translated(
            lambda: self._api.credit_notes.create(
                {
                    "invoice": invoice,
                    "lines": [_credit_line(line) for line in lines],
                    "refunds": [
                        {"refund": refund, "amount_refunded": amount} for refund, amount in refunds
                    ],
                    "credit_amount": credit,
                    "out_of_band_amount": out_of_band,
                    "email_type": "none",
                    "reason": "order_change",
                    "metadata": {"fairexit_operation": operation},
                },
                {"idempotency_key": key},
            )
        )
        return note.id

    def give_account_credit(
        self, *, customer: str, amount: int, currency: str, operation: str, key: str
    ) -> str:
        """See `Billing`. To Stripe a negative amount is what the customer has."""
        entry = translated(
            lambda: self._api.customers.balance_transactions.create(
                customer,
                {
                    "amount": -amount,
                    "currency": currency,
                    "metadata": {"fairexit_operation": operation},
                },
                {"idempotency_key": key},
            )
        )
        return entry.id

    def account_credit_of(self, customer: str, operation: str) -> str | None:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(
                self._api.customers.balance_transactions.list(customer, {"limit": 100})
            )
        )
        return _named(raws, operation)

    def preview_credit_note(
        self,
        *,
        invoice: str,
        lines: Sequence[CreditNoteLine],
        refund: int,
        credit: int,
        out_of_band: int,
    ) -> int:
        """See `Billing`."""
        seen = translated(
            lambda: self._api.credit_notes.preview(
                {
                    "invoice": invoice,
                    "lines": [_credit_line(line) for line in lines],
                    "refund_amount": refund,
                    "credit_amount": credit,
                    "out_of_band_amount": out_of_band,
                }
            )
        )
        return seen.total


def _credit_line(line: CreditNoteLine) -> Any:
    credit: dict[str, Any] = {
        "type": "invoice_line_item",
        "invoice_line_item": line.invoice_line,
        "amount": line.amount,
    }
    if line.taxes:
        credit["tax_amounts"] = [
            {"tax_rate": tax.rate, "amount": tax.amount, "taxable_amount": tax.taxable}
            for tax in line.taxes
        ]
    return credit


def _named(raws: Sequence[Mapping[str, Any]], operation: str) -> str | None:
    for raw in raws:
        if (raw.get("metadata") or {}).get("fairexit_operation") == operation:
            return str(raw["id"])
    return None
