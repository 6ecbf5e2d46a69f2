"""Our records of payments, as far as Stripe has refunded them now."""

from collections.abc import Iterable
from dataclasses import replace

from shared.domain.invoice import InvoiceFacts
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundOperation, RefundStatus, status_seen
from shared.ports import Services


def known_payments(
    services: Services, customer: str, invoices: Iterable[InvoiceFacts]
) -> dict[str, Payment]:
    """Our records of what has paid the invoices, where there are any, up to date."""
    return {
        facts.id: up_to_date(services, ours.record, facts.refunded)
        for invoice in invoices
        for facts in invoice.payments
        if (ours := services.store.get(Payment, customer, facts.id))
    }


def up_to_date(services: Services, payment: Payment, refunded: int) -> Payment:
    """The payment with what has been refunded elsewhere since we last looked.

    Args:
        services: the ports.
        payment: our record.
        refunded: what Stripe counts as refunded, in minor units. It counts our own refunds from
            their making on, and they are held here until their success is known: where any are, the
            refunds themselves are asked for, so that none is taken off twice.
    """
    if payment.reserved:
        refunded = _refunded_by_others(services, payment)
    return replace(payment, refunded=max(payment.refunded, refunded))


def _refunded_by_others(services: Services, payment: Payment) -> int:
    """What has gone back by refunds at Stripe, but for those that hold something here."""
    held = {
        stored.record.id
        for stored in services.store.all_of(RefundOperation, payment.customer)
        if stored.record.payment == payment.id
        and stored.record.status is not RefundStatus.SUCCEEDED
    }
    return sum(
        seen.amount
        for seen in services.billing.refunds_of(payment.id)
        if seen.operation not in held and status_seen(seen.status) is not RefundStatus.FAILED
    )
