"""An early fraud warning: what the policy makes of it, once a payment."""

from shared.application.change import Change, transact
from shared.application.early_warnings import take_warning
from shared.application.handle_dispute import UNASSIGNED
from shared.application.weigh_dispute import pays_to_refund
from shared.domain.early_warning import EarlyWarning, WarningKind, WarningState
from shared.domain.errors import NotReadyError
from shared.ports import Services


def judge_fraud_warning(services: Services, *, warning: str) -> str:
    """What became of it, or `nothing_new` for a payment that was warned of before.

    Raises:
        NotReadyError: Stripe does not show the warning yet.
    """
    seen = services.billing.fraud_warning(warning)
    if seen is None:
        raise NotReadyError(f"fraud warning {warning} is not at Stripe")
    customer = seen.customer or UNASSIGNED

    def decide(change: Change) -> str:
        if change.load(EarlyWarning, seen.charge):
            return "nothing_new"
        # A person has to find out whose payment it is before anything goes back.
        nobodys = customer == UNASSIGNED
        warned = EarlyWarning(
            id=seen.charge,
            customer=customer,
            kind=WarningKind.FRAUD_WARNING,
            source=seen.id,
            payment=None if nobodys else seen.payment,
            amount=seen.left,
            currency=seen.currency,
            reason=seen.fraud_type,
            state=WarningState.ASKED if seen.actionable else WarningState.OVER,
            seen_at=change.now,
        )
        taken = take_warning(
            change, warned, lambda: pays_to_refund(services, seen.left, seen.currency)
        )
        return taken.state.value

    return transact(services, customer, "stripe", decide)
