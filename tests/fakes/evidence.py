"""Disputes and their evidence at Stripe, in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.dispute import DisputeFacts, DisputeOutcome, DisputePhase
from shared.domain.early_warning import FraudWarningFacts
from shared.domain.evidence import ChargeStory


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

        self._mutate("fill_debt", key, act, customer=customer, currency=currency, by=operation)

    def send_debt(self, invoice: str, *, key: str) -> str | None:
        def act() -> str:
            self.debts[invoice]["sent"] = True
            return f"https://pay.example.com/{invoice}"

        page: str = self._mutate("send_debt", key, act, invoice=invoice)
        return page
