"""Disputes and their evidence at Stripe, in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.arrears import DunningFacts
from shared.domain.dispute import DisputeFacts, DisputeOutcome, DisputePhase
from shared.domain.early_warning import FraudWarningFacts
from shared.domain.evidence import ChargeStory
from shared.domain.invoice import InvoiceFacts
from shared.domain.reconciliation import MovementFacts
from shared.domain.refund_operation import RefundFacts

START = datetime(2026, 3, 10, 12, tzinfo=UTC)


class FakeEvidence:
    """What a dispute is asked and told; `_mutate` is the fake billing's."""

    def __init__(self) -> None:
        self.disputes: dict[str, DisputeFacts] = {}
        self.stories: dict[str, ChargeStory] = {}
        self.files: dict[str, bytes] = {}
        self.warnings: dict[str, FraudWarningFacts] = {}
        self.debts: dict[str, dict[str, Any]] = {}

    def _mutate(self, method: str, key: str | None, act: Any, **arguments: Any) -> Any:
        raise NotImplementedError

    def dispute(self, dispute: str) -> DisputeFacts | None:
        return self.disputes.get(dispute)

    def charge_story(self, charge: str) -> ChargeStory | None:
        return self.stories.get(charge)

    def fraud_warning(self, warning: str) -> FraudWarningFacts | None:
        return self.warnings.get(warning)

    def upload_evidence(self, document: bytes, *, name: str, key: str) -> str:
        def act() -> str:
            file = f"file_{len(self.files)}"
            self.files[file] = document
            return file

        made: str = self._mutate("upload_evidence", key, act, name=name)
        return made

    def send_evidence(
        self, dispute: str, fields: Mapping[str, str], *, submit: bool, key: str
    ) -> None:
        def act() -> None:
            seen = self.disputes[dispute]
            if submit:
                self.disputes[dispute] = replace(
                    seen,
                    phase=DisputePhase.UNDER_REVIEW,
                    submissions=seen.submissions + 1,
                    submission_method="manual",
                    intended_method="manual",
                )

        self._mutate("send_evidence", key, act, fields=dict(fields), submit=submit)

    def accept_dispute(self, dispute: str, *, key: str) -> None:
        def act() -> None:
            self.disputes[dispute] = replace(
                self.disputes[dispute],
                phase=DisputePhase.ENDED,
                outcome=DisputeOutcome.LOST,
                raw_status="lost",
            )

        self._mutate("accept_dispute", key, act, dispute=dispute)

    def draft_debt(self, customer: str, currency: str, *, receivable: str, key: str) -> str:
        def act() -> str:
            invoice = f"in_debt{len(self.debts)}"
            self.debts[invoice] = {"customer": customer, "receivable": receivable, "amount": 0}
            return invoice

        made: str = self._mutate("draft_debt", key, act, currency=currency)
        return made

    def debt_invoice(self, customer: str, receivable: str) -> str | None:
        del customer
        found = (name for name, debt in self.debts.items() if debt["receivable"] == receivable)
        return next(found, None)

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
        def act() -> None:
            self.debts[invoice]["amount"] += amount
            self.debts[invoice]["item"] = operation

        self._mutate("fill_debt", key, act, customer=customer, currency=currency, by=operation)

    def send_debt(self, invoice: str, *, key: str) -> str | None:
        def act() -> str:
            self.debts[invoice]["sent"] = True
            return f"https://pay.example.com/{invoice}"

        page: str = self._mutate("send_debt", key, act, invoice=invoice)
        return page

    def debt_asked_for(self, invoice: str) -> DunningFacts:
        """Our own invoice, as it concerns dunning: a draft until it is sent."""
        debt = self.debts[invoice]
        sent = debt.get("sent", False)
        return DunningFacts(
            *(invoice, None, debt["customer"], None, "open" if sent else "draft"),
            *(debt["amount"], 0, "usd"),
            failed=False,
            first=False,
            receivable=debt["receivable"],
            page=f"https://pay.example.com/{invoice}" if sent else None,
        )


def asked_for(invoice: InvoiceFacts, customer: str) -> DunningFacts:
    """An invoice that nobody has failed to pay, as it concerns dunning."""
    return DunningFacts(
        id=invoice.id,
        number=invoice.number,
        customer=customer,
        subscription=invoice.subscription,
        status=invoice.status,
        due=0 if invoice.status == "paid" else sum(line.amount for line in invoice.lines),
        paid=sum(payment.amount for payment in invoice.payments),
        currency=invoice.currency,
        failed=False,
        first=False,
        pay_by=None,
        receivable=None,
        page=None,
    )


def movements(
    refunds: Iterable[RefundFacts], disputes: Iterable[DisputeFacts]
) -> dict[str, MovementFacts]:
    """What refunds and disputes have moved, as they stand."""
    made: dict[str, MovementFacts] = {}

    def move(source: str, category: str, net: int, currency: str, at: datetime) -> None:
        name = f"txn_{category}_{source}"
        made[name] = MovementFacts(name, source, category, net, currency, at)

    for refund in refunds:
        at = refund.created_at or START
        if refund.status in ("succeeded", "pending", "failed"):
            move(refund.id, "refund", -refund.amount, refund.currency, at)
        if refund.status == "failed":
            move(refund.id, "refund_failure", refund.amount, refund.currency, at)
    for dispute in disputes:
        out, currency = dispute.withdrawn + dispute.fee, dispute.settlement_currency
        if out:
            move(dispute.id, "dispute", -out, currency, dispute.opened_at)
        if dispute.returned:
            back = dispute.returned
            move(dispute.id, "dispute_reversal", back, currency, dispute.opened_at)
    return made
