"""An early fraud warning: judged by the policy once a charge, and shown to a person.

Nothing is sent back by itself: whoever stole a card would only have to be suspected to be paid.
"""

from shared.application.change import Change, transact
from shared.application.handle_dispute import UNASSIGNED
from shared.domain.clauses import FraudWarningRule
from shared.domain.errors import NotReadyError
from shared.domain.fraud_warning import FraudWarning, advise
from shared.domain.money_text import money_text
from shared.ports import Services


def judge_fraud_warning(services: Services, *, warning: str) -> str:
    """What the policy advises, or `nothing_new` for a charge that was judged before.

    Raises:
        NotReadyError: Stripe does not show the warning yet.
    """
    seen = services.billing.fraud_warning(warning)
    if seen is None:
        raise NotReadyError(f"fraud warning {warning} is not at Stripe")
    customer = seen.customer or UNASSIGNED

    def decide(change: Change) -> str:
        if change.load(FraudWarning, seen.charge):
            return "nothing_new"
        policy = services.policies.load_policy(services.policy, change.now)
        rule = policy.rule(FraudWarningRule)
        advice = advise(seen, rule.refund_at_most if rule else {})
        change.put(
            FraudWarning(
                id=seen.charge,
                customer=customer,
                warning=seen.id,
                payment=seen.payment,
                amount=seen.left,
                currency=seen.currency,
                fraud_type=seen.fraud_type,
                advice=advice,
                judged_at=change.now,
            )
        )
        clause = rule.id if rule else ""
        change.audit("fraud_warning", advice, charge=seen.charge, clause=clause)
        if advice != "nothing":
            amount = money_text(seen.left, seen.currency)
            change.alert("fraud_warning", seen.charge, f"{seen.fraud_type}: {advice} {amount}")
        return advice

    return transact(services, customer, "stripe", decide)
