"""Money that may have left twice: refunds and a dispute together take more than was paid.

A refund during an inquiry is allowed, and the inquiry may still become a chargeback; a refund may
be accepted in the moment in which a dispute opens. Nobody can undo that here, so it is written
down, a person is told, and the evidence says that the customer has been refunded.
"""

from dataclasses import replace

from shared.application.change import Change
from shared.domain.dispute import Dispute
from shared.domain.payment import Payment
from shared.domain.refund_operation import UNDER_WAY, RefundOperation


def note_exposure(change: Change, payment: Payment, record: Dispute) -> Dispute:
    """The dispute with what may have left twice; a person hears of more than was known."""
    exposed = _exposed(change, payment) if record.is_against_us else 0
    if exposed > record.exposure:
        detail = f"{exposed} {record.currency} of {payment.id} may have left twice"
        change.alert("double_loss", record.id, detail)
        change.audit("double_loss_exposed", detail, dispute=record.id, payment=payment.id)
    return replace(record, exposure=exposed)


def note_exposures(change: Change, payment: Payment, *, but: str = "") -> None:
    """Look again at a payment's disputes after a refund or another dispute has moved."""
    for hold in payment.holds:
        record = change.load(Dispute, hold.dispute) if hold.dispute != but else None
        if record is None:
            continue
        noted = note_exposure(change, payment, record)
        if noted != record:
            change.put(noted)


def _exposed(change: Change, payment: Payment) -> int:
    gone = payment.refunded + payment.elsewhere + _on_its_way(change, payment) + _held(payment)
    return max(0, gone - payment.amount)


def _held(payment: Payment) -> int:
    return sum(hold.amount for hold in payment.holds)


def _on_its_way(change: Change, payment: Payment) -> int:
    """What Stripe has accepted of our refunds and has not sent yet."""
    if not payment.reserved:
        return 0
    stored = change.services.store.all_of(RefundOperation, change.customer)
    mine = [one.record.id for one in stored if one.record.payment == payment.id]
    # As this change leaves them.
    operations = [change.load(RefundOperation, one) for one in mine]
    return sum(one.amount for one in operations if one and one.status in UNDER_WAY)
