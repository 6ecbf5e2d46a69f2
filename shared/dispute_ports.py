"""The ports of disputes and of what is owed: a further page of `shared.ports`."""

from collections.abc import Mapping
from typing import Protocol

from shared.domain.arrears import DunningFacts
from shared.domain.dispute import DisputeFacts
from shared.domain.early_warning import FraudWarningFacts
from shared.domain.evidence import ChargeStory, Pack


class DisputeBilling(Protocol):
    """What disputes, unpaid invoices and receivables need of Stripe; a part of `Billing`."""

    def dispute(self, dispute: str) -> DisputeFacts | None: ...  # noqa: D102
    def charge_story(self, charge: str) -> ChargeStory | None:
        """A payment with whoever made it and their earlier undisputed payments, newest first."""
        ...

    def fraud_warning(self, warning: str) -> FraudWarningFacts | None: ...  # noqa: D102
    def invoices_paid_by(self, payment: str) -> list[str]:
        """The invoices that a payment has paid, wholly or in part."""
        ...

    def upload_evidence(self, document: bytes, *, name: str, key: str) -> str:
        """Keep a PDF at Stripe as dispute evidence; the file's id."""
        ...

    def send_evidence(
        self, dispute: str, fields: Mapping[str, str], *, submit: bool, key: str
    ) -> None:
        """Stage evidence or, for good, submit it; ours is then the answer."""
        ...

    def accept_dispute(self, dispute: str, *, key: str) -> None: ...  # noqa: D102
    def draft_debt(self, customer: str, currency: str, *, receivable: str, key: str) -> str:
        """A draft of an invoice that is sent and never charged by itself; its id."""
        ...

    def debt_invoice(self, customer: str, receivable: str) -> str | None:
        """The invoice that carries `receivable` in its metadata, if it exists."""
        ...

    def fill_debt(  # noqa: D102
        self,
        customer: str,
        invoice: str,
        *,
        amount: int,
        currency: str,
        operation: str,
        key: str,
    ) -> None: ...
    def send_debt(self, invoice: str, *, key: str) -> str | None:
        """Finalize and send it; the page on which it is paid."""
        ...

    def dunning(self, invoice: str) -> DunningFacts | None:
        """An invoice as it concerns dunning."""
        ...


class Renderer(Protocol):
    """Writes a pack of evidence as a document."""

    def render(self, pack: Pack) -> bytes:
        """The pack as a PDF; the same pack gives the same bytes."""
        ...
