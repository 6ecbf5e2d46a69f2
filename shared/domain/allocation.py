"""Allocation: over which payments a refund goes back, and what Stripe cannot send back."""

from typing import NamedTuple

from shared.domain.decision import Allocation
from shared.domain.facts import Invoice, Method, SettleAs


class Part(NamedTuple):
    """What one payment of one invoice (by its place in the case) gives back."""

    invoice: int
    payment: str
    method: Method
    amount: int


class Return(NamedTuple):
    """How a refund goes back: on payments, as account credit, and by hand."""

    allocation: tuple[Allocation, ...]
    account_credit: int
    manual_transfer: int


def fill(invoices: tuple[Invoice, ...], total: int) -> tuple[tuple[Part, ...], int]:
    """Fills the payments in the order in which they are listed; the parts, and what none takes."""
    left = total
    parts: list[Part] = []
    for place, invoice in enumerate(invoices):
        for payment in invoice.payments:
            if payment.refundable:
                holds = max(0, payment.amount - payment.refunded - payment.disputed)
                part = min(left, holds)
                left -= part
                if part:
                    parts.append(Part(place, payment.id, payment.method, part))
    return tuple(parts), left


def allocate_return(invoices: tuple[Invoice, ...], total: int, settle_as: SettleAs) -> Return:
    """How ``total`` goes back.

    Each payment takes up to what it still holds. What was paid from the balance goes back there;
    what was paid outside of Stripe, or cannot be refunded, is a manual transfer.
    """
    if settle_as is SettleAs.CREDIT:
        return Return((), total, 0)
    parts: dict[str, int] = {}
    credit = 0
    filled, by_hand = fill(invoices, total)
    for part in filled:
        match part.method:
            case Method.CARD | Method.BANK:
                parts[part.payment] = parts.get(part.payment, 0) + part.amount
            case Method.CUSTOMER_BALANCE:
                credit += part.amount
            case Method.OUT_OF_BAND:
                by_hand += part.amount
    return Return(
        tuple(Allocation(name, amount) for name, amount in parts.items()), credit, by_hand
    )
