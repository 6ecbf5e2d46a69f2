"""What fighting a dispute is worth, by the company's own past with disputes of its kind."""

from collections import Counter
from collections.abc import Iterable

from shared.domain.controls import OPERATIONS
from shared.domain.dispute import Dispute, DisputeKind, DisputeOutcome
from shared.domain.dispute_economics import (
    Record,
    Stakes,
    Weighing,
    weigh_stakes,
    worth_of_refunding,
)
from shared.domain.dispute_months import MonthOfDisputes, by_month
from shared.domain.dispute_result import DisputeResult
from shared.domain.network_month import MonthOfPayments, NetworkMonth, month_of, network_months
from shared.ports import Services

# The fee for countering is that of receiving (Stripe's pricing since June 2025), which is known
# from the dispute itself; before anything was taken, as for an inquiry, 15.00 stands in for it.
USUAL_FEE = 1500
# Stripe's word for what an issuer takes for fraud.
_FRAUD = "fraudulent"


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
        case_cost=_case_cost(network_now(services, dispute.network)),
    )
    return weigh_stakes(stakes, own_record(services, dispute))


def pays_to_refund(services: Services, amount: int, currency: str) -> bool:
    """Whether giving a suspected payment back is worth more than waiting for the chargeback."""
    # Which network it is a warning does not say: the one that is nearest to its limit counts.
    cost = max((row.case_cost for row in _this_month(services)), default=0)
    stakes = Stakes(currency, amount, USUAL_FEE, USUAL_FEE, is_inquiry=False, case_cost=cost)
    past = [stored.record for stored in services.store.all_of(DisputeResult, OPERATIONS)]
    return worth_of_refunding(stakes, _ended(r for r in past if r.reason == _FRAUD)) > 0


def counted_months(services: Services) -> list[NetworkMonth]:
    """Every month that was counted, by network."""
    results = [stored.record for stored in services.store.all_of(DisputeResult, OPERATIONS)]
    months = [stored.record for stored in services.store.all_of(MonthOfPayments, OPERATIONS)]
    return network_months(results, months)


def disputes_of_month(services: Services) -> MonthOfDisputes | None:
    """The disputes that were opened in this month, whatever their network; None without any."""
    results = [stored.record for stored in services.store.all_of(DisputeResult, OPERATIONS)]
    this = month_of(services.clock.now())
    return next((row for row in by_month(results, {}) if row.month == this), None)


def network_now(services: Services, network: str) -> NetworkMonth | None:
    """A network's ratio in this month; None without a limit of its own, or before any count."""
    return next((row for row in _this_month(services) if row.network == network), None)


def _this_month(services: Services) -> list[NetworkMonth]:
    this = month_of(services.clock.now())
    return [row for row in counted_months(services) if row.month == this]


def _case_cost(month: NetworkMonth | None) -> int:
    return month.case_cost if month else 0


def own_record(services: Services, dispute: Dispute) -> Record:
    """How disputes of this network and reason code have ended for the company."""
    past = [stored.record for stored in services.store.all_of(DisputeResult, OPERATIONS)]
    kind = (dispute.network, dispute.reason_code)
    return _ended(one for one in past if (one.network, one.reason_code) == kind)


def _ended(results: Iterable[DisputeResult]) -> Record:
    outcomes = Counter(one.outcome for one in results)
    return Record(outcomes[DisputeOutcome.WON], outcomes[DisputeOutcome.LOST])
