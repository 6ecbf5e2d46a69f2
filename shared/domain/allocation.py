"""Allocation: over which payments a refund goes back, and what Stripe cannot send back."""

from dataclasses import dataclass

from shared.domain.decision import Allocation
from shared.domain.facts import Invoice, Method, SettleAs


@dataclass(frozen=True, slots=True)
class Return:
    """How a refund goes back: on payments, as account credit, and by hand."""

    allocation: tuple[Allocation, ...]
    account_credit: int
    manual_transfer: int


def allocate_return(invoices: tuple[Invoice, ...], total: int, settle_as: SettleAs) -> Return:
    """Fills the payments in the order in which they are listed.

    Each takes up to what it still holds. What was paid from the balance goes back there; what was
    paid outside of Stripe, or cannot be refunded, is a manual transfer.
    """
    if settle_as is SettleAs.CREDIT:
        return Return((), total, 0)
    left, credit, by_hand = total, 0, 0
    parts: dict[str, int] = {}
    for payment in (p for invoice in invoices for p in invoice.payments if p.refundable):
        part = min(left, max(0, payment.amount - payment.refunded - payment.disputed))
        left -= part
        match payment.method:
            case Method.CARD | Method.BANK:
                parts[payment.id] = parts.get(payment.id, 0) + part
            case Method.CUSTOMER_BALANCE:
                credit += part
            case Method.OUT_OF_BAND:
                by_hand += part
    allocation = tuple(Allocation(name, part) for name, part in parts.items() if part)
    return Return(allocation, credit, by_hand + left)
