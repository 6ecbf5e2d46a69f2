"""What fighting a dispute is worth, by the company's own past with disputes of its kind."""

from shared.domain.controls import OPERATIONS
from shared.domain.dispute import Dispute, DisputeKind, DisputeOutcome
from shared.domain.dispute_economics import Record, Stakes, Weighing, weigh_stakes
from shared.domain.dispute_result import DisputeResult
from shared.ports import Services

# The fee for countering is that of receiving (Stripe's pricing since June 2025), which is known
# from the dispute itself; before anything was taken, as for an inquiry, 15.00 stands in for it.
USUAL_FEE = 1500


def weigh(services: Services, dispute: Dispute) -> Weighing:
    """The arithmetic for one dispute."""
    amount, fee = dispute.booked_as("amount"), dispute.booked_as("fee")
    currency = amount.currency if amount else dispute.currency
    received = fee.taken if fee else USUAL_FEE
    stakes = Stakes(
        currency=currency,
        amount=amount.taken - amount.returned if amount else dispute.amount,
        received_fee=received,
        countering_fee=received,
        is_inquiry=dispute.kind is DisputeKind.INQUIRY,
    )
    return weigh_stakes(stakes, own_record(services, dispute))


def own_record(services: Services, dispute: Dispute) -> Record:
    """How disputes of this network and reason code have ended for the company."""
    alike = [
        stored.record
        for stored in services.store.all_of(DisputeResult, OPERATIONS)
        if (stored.record.network, stored.record.reason_code)
        == (dispute.network, dispute.reason_code)
    ]
    won = sum(one.outcome is DisputeOutcome.WON for one in alike)
    return Record(won, sum(one.outcome is DisputeOutcome.LOST for one in alike))
