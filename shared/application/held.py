"""What our own refunds hold of payments, beside what Stripe counts as refunded."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from shared.domain.invoice import InvoiceFacts
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.ports import Services, Store

# At Stripe, which counts them as refunded; held here until they have succeeded.
_PENDING = (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION)


def pending_refunds(store: Store, customer: str) -> Counter[str]:
    """By payment, what Stripe counts as refunded and is reserved here as well (minor units)."""
    pending: Counter[str] = Counter()
    for stored in store.all_of(RefundOperation, customer):
        if stored.record.status in _PENDING:
            pending[stored.record.payment] += stored.record.amount
    return pending


def known_payments(
    services: Services, customer: str, invoices: Iterable[InvoiceFacts]
) -> dict[str, Payment]:
    """Our records of the invoices' payments, each reserving only what Stripe does not know of."""
    names = [payment.id for invoice in invoices for payment in invoice.payments]
    known = [ours.record for name in names if (ours := services.store.get(Payment, customer, name))]
    if not any(payment.reserved for payment in known):
        return {payment.id: payment for payment in known}
    pending = pending_refunds(services.store, customer)
    return {
        payment.id: replace(payment, reserved=max(0, payment.reserved - pending[payment.id]))
        for payment in known
    }
