"""What is known of a request before anybody has looked at it, filled into its case."""

from dataclasses import replace

from shared.application.check_billing import (
    billing_findings,
    check_billing,
    double_payments,
)
from shared.domain.facts import Ground
from shared.domain.refund_case import RefundCase
from shared.ports import Services


def with_known_facts(services: Services, case: RefundCase) -> RefundCase:
    """The case with the comparison of a billing error; recorded incidents are read with its facts.

    Nothing is verified by it: that stays a finding of staff.
    """
    if case.ground is not Ground.BILLING_ERROR:
        return case
    checks = check_billing(services, case.customer, case.invoices)
    found = billing_findings(checks)
    if not found:
        return case
    return replace(
        case,
        findings=dict(case.findings) | found,
        # Payments give back in their order, and what was paid twice goes back where it came from.
        invoices=(*double_payments(checks), *case.invoices),
    )
