"""What is known of a request before anybody has looked at it, filled into its case."""

from collections.abc import Iterable
from dataclasses import replace

from shared.application.check_billing import (
    billing_findings,
    check_billing,
    double_payments,
)
from shared.application.incidents.recorded import recorded_incidents
from shared.domain.billing_error import BillCheck
from shared.domain.facts import Ground
from shared.domain.refund_case import RefundCase
from shared.ports import Services


def with_known_facts(services: Services, case: RefundCase) -> RefundCase:
    """The case with the comparison of a billing error; recorded incidents are read with its facts.

    Nothing is verified by it: that stays a finding of staff. Where the ground is not stated, it is
    supposed from the same records.
    """
    if case.ground_stated and case.ground is not Ground.BILLING_ERROR:
        return case
    checks = check_billing(services, case.customer, case.invoices)
    if not case.ground_stated:
        case = replace(case, ground=_supposed(services, case, checks))
    found = billing_findings(checks)
    if case.ground is not Ground.BILLING_ERROR or not found:
        return case
    return replace(
        case,
        findings=dict(case.findings) | found,
        # Payments give back in their order, and what was paid twice goes back where it came from.
        invoices=(*double_payments(checks), *case.invoices),
    )


def _supposed(services: Services, case: RefundCase, checks: Iterable[BillCheck]) -> Ground:
    """What the records suggest: an invoice that is too high, else an outage that hit its lines."""
    if any(check.overcharged for check in checks):
        return Ground.BILLING_ERROR
    found = [services.billing.invoice_of(case.customer, name) for name in case.invoices]
    hit = recorded_incidents(services, [invoice for invoice in found if invoice])
    return Ground.SERVICE_DISRUPTION if hit else Ground.BILLING_ERROR
