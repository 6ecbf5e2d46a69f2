"""The signals of a case, read when staff look at it and kept nowhere."""

from typing import Any

from shared.application.change import present
from shared.domain.account import Account
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.signals import signals_of
from shared.ports import Services

_GAVE = (CaseState.APPROVED, CaseState.PAYING, CaseState.PAID)


def read_signals(services: Services, case: RefundCase) -> list[dict[str, Any]]:
    """What staff may want to know, each with its fact."""
    account = services.store.get(Account, case.customer)
    contact = services.billing.contact(case.customer)
    others = [stored.record for stored in services.store.all_of(RefundCase, case.customer)]
    invoices = [services.billing.invoice_of(case.customer, name) for name in case.invoices]
    found = signals_of(
        present(services),
        paid_out_at=[
            other.decided_at
            for other in others
            if other.id != case.id and other.state in _GAVE and other.decided_at
        ],
        activated_at=account.record.activated_at if account else None,
        country=contact.country if contact else None,
        card_countries=[
            paid.country
            for invoice in invoices
            if invoice
            for paid in invoice.payments
            if paid.country
        ],
    )
    return [{"kind": signal.kind.value, "fact": signal.fact} for signal in found]
