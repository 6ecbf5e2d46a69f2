"""What disputes and unpaid invoices need of Stripe's API: one half of the `Billing` port."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from shared.adapters.stripe_disputes import dispute_from_stripe, story_from_stripe
from shared.adapters.stripe_errors import or_none, translated
from shared.adapters.stripe_facts import dunning_from_stripe, identifier
from shared.adapters.stripe_invoices import StripeInvoices
from shared.domain.arrears import DunningFacts
from shared.domain.dispute import DisputeFacts
from shared.domain.early_warning import FraudWarningFacts
from shared.domain.evidence import ChargeStory

DAYS_TO_PAY = 14


class StripeDisputes(StripeInvoices):
    """Disputes and what follows from them."""

    def dispute(self, dispute: str) -> DisputeFacts | None:
        """See `Billing`. A dispute names no customer; its charge does."""
        raw = or_none(lambda: self._api.disputes.retrieve(dispute, {"expand": ["charge"]}))
        if raw is None:
            return None
        plain = raw.to_dict()
        customer = identifier(plain["charge"].get("customer"))
        return dispute_from_stripe(plain, customer, self._beside(plain))

    def _beside(self, dispute: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What countering it cost: a movement of its own, so only read once evidence was sent.

        A list by the dispute as source finds nothing, though the movements name it; they are
        adjustments, which are few.
        """
        if not dispute["evidence_details"]["submission_count"]:
            return []
        own = {row["id"] for row in dispute["balance_transactions"]}
        rows = translated(
            lambda: self._all(
                self._api.balance_transactions.list(
                    {"type": "adjustment", "created": {"gte": dispute["created"]}, "limit": 100}
                )
            )
        )
        return [row for row in rows if row["source"] == dispute["id"] and row["id"] not in own]

    def dunning(self, invoice: str) -> DunningFacts | None:
        """See `Billing`."""
        raw = or_none(lambda: self._api.invoices.retrieve(invoice))
        return dunning_from_stripe(raw.to_dict()) if raw else None

    def charge_story(self, charge: str) -> ChargeStory | None:
        """See `Billing`. A hundred payments back is far enough: eight years of months."""
        raw = or_none(lambda: self._api.charges.retrieve(charge))
        if raw is None:
            return None
        plain = raw.to_dict()
        customer = identifier(plain.get("customer"))
        others: list[dict[str, Any]] = []
        if customer:
            page = translated(
                lambda: self._api.charges.list(
                    {"customer": customer, "created": {"lt": plain["created"]}, "limit": 100}
                )
            )
            others = [other.to_dict() for other in page.data]
        return story_from_stripe(plain, others)

    def fraud_warning(self, warning: str) -> FraudWarningFacts | None:
        """See `Billing`. A warning names no customer; its charge does."""
        raw = or_none(
            lambda: self._api.radar.early_fraud_warnings.retrieve(warning, {"expand": ["charge"]})
        )
        if raw is None:
            return None
        plain = raw.to_dict()
        charge = plain["charge"]
        return FraudWarningFacts(
            id=plain["id"],
            charge=charge["id"],
            payment=identifier(plain.get("payment_intent")),
            customer=identifier(charge.get("customer")),
            left=charge["amount"] - charge["amount_refunded"],
            currency=charge["currency"],
            fraud_type=plain["fraud_type"],
            actionable=plain["actionable"],
        )

    def invoices_paid_by(self, payment: str) -> list[str]:
        """See `Billing`."""
        by = {"type": "payment_intent", "payment_intent": payment}
        params: Any = {"payment": by, "status": "paid", "limit": 100}
        raws = translated(lambda: self._all(self._api.invoice_payments.list(params)))
        return sorted({identifier(raw["invoice"]) or "" for raw in raws})

    def upload_evidence(self, document: bytes, *, name: str, key: str) -> str:
        """See `Billing`."""
        content = BytesIO(document)
        content.name = name  # what the SDK takes for the file's name
        made = translated(
            lambda: self._api.files.create(
                {"purpose": "dispute_evidence", "file": content}, {"idempotency_key": key}
            )
        )
        return made.id

    def send_evidence(
        self, dispute: str, fields: Mapping[str, str], *, submit: bool, key: str
    ) -> None:
        """See `Billing`. Ours is the answer: Smart Disputes is told to leave it to us."""
        params: Any = {
            "evidence": dict(fields),
            "submit": submit,
            "intended_submission_method": "manual",
        }
        translated(lambda: self._api.disputes.update(dispute, params, {"idempotency_key": key}))

    def accept_dispute(self, dispute: str, *, key: str) -> None:
        """See `Billing`. It is lost at once and for good."""
        translated(lambda: self._api.disputes.close(dispute, {}, {"idempotency_key": key}))

    def draft_debt(self, customer: str, currency: str, *, receivable: str, key: str) -> str:
        """See `Billing`. Nothing else that waits for an invoice gets onto it."""
        made = translated(
            lambda: self._api.invoices.create(
                {
                    "customer": customer,
                    "currency": currency,
                    "collection_method": "send_invoice",
                    "days_until_due": DAYS_TO_PAY,
                    "auto_advance": False,
                    "pending_invoice_items_behavior": "exclude",
                    "metadata": {"fairexit_receivable": receivable},
                },
                {"idempotency_key": key},
            )
        )
        return made.id

    def debt_invoice(self, customer: str, receivable: str) -> str | None:
        """See `Billing`."""
        raws = translated(
            lambda: self._all(self._api.invoices.list({"customer": customer, "limit": 100}))
        )
        mine = (r for r in raws if (r.get("metadata") or {}).get("fairexit_receivable"))
        return next(
            (r["id"] for r in mine if r["metadata"]["fairexit_receivable"] == receivable), None
        )

    def fill_debt(
        self,
        customer: str,
        invoice: str,
        *,
        amount: int,
        currency: str,
        operation: str,
        key: str,
    ) -> None:
        """See `Billing`. It was taxed when it was sold; a claim is not taxed again."""
        translated(
            lambda: self._api.invoice_items.create(
                {
                    "customer": customer,
                    "invoice": invoice,
                    "amount": amount,
                    "currency": currency,
                    "description": "Outstanding amount after a dispute that was lost",
                    "tax_rates": [],
                    "discountable": False,
                    "metadata": {"fairexit_operation": operation},
                },
                {"idempotency_key": key},
            )
        )

    def send_debt(self, invoice: str, *, key: str) -> str | None:
        """See `Billing`. Sending finalizes a draft (SDK, InvoiceService.send_invoice)."""
        sent = translated(
            lambda: self._api.invoices.send_invoice(invoice, {}, {"idempotency_key": key})
        )
        return sent.hosted_invoice_url
