"""Reductions: charges per resolved issue, named deductions and kept gateway fees."""

from fractions import Fraction

from shared.domain import clauses as c
from shared.domain.calendars import days_between
from shared.domain.decision import Deduction, Ruled, Ruling, ruling
from shared.domain.formulas import Shares
from shared.domain.money import ONE, ZERO, allocate, round_to_grain, scaled
from shared.domain.settings import GatewayFees
from shared.domain.situation import Situation

NAMED_DEDUCTIONS = "named_deductions"


def rule_issue_charge(clause: c.IssueCharge, s: Situation) -> tuple[list[Ruling], list[Deduction]]:
    """A charge for each issue that was resolved in the first days after the purchase."""
    since, zone = s.case.customer.purchased_at, s.policy.time_zone
    days = [days_between(since, at, zone) for at in s.case.resolved_issues]
    issues = sum(0 <= day <= clause.days for day in days)
    charge = s.case.per_issue_charge
    if charge is None:
        charge = clause.charges.get(s.currency or "")
    saw = {"resolved": len(days), "counted": issues, "charge": charge}
    if charge is None and issues:
        unknown = ruling(
            clause,
            Ruled.NEEDS_PERSON,
            "issue_charge_unknown",
            saw,
            outcome=c.Outcome.NEEDS_VERIFICATION,
            code="per_issue_charge_unknown",
        )
        return [unknown], []
    entry = ruling(clause, Ruled.PASSED, "issue_charge", saw)
    amount = issues * (charge or 0)
    return [entry], [Deduction(clause.id, "resolved_issues", amount)] if amount else []


def named_deductions(clause: c.NamedDeductions | None, s: Situation) -> list[Deduction]:
    """What staff took off, each with what it is for."""
    by = NAMED_DEDUCTIONS if clause is None else clause.id
    return [Deduction(by, d.what, d.amount) for d in s.case.deductions if d.amount]


def gateway_fees(s: Situation, shares: Shares) -> tuple[int, ...]:
    """The payment provider's fees that the pack keeps of each invoice, rounded once in all.

    A fee comes off its own invoice, as far as that gives something back: taken from the whole, it
    would eat into the return of another, and leaving later could give back more.
    """
    kept = [_fee_of(s, shares, index) for index in range(len(s.case.invoices))]
    total = round_to_grain(sum(kept, ZERO), s.grain, s.settings.rounding)
    order = [f"{index:06}" for index in range(len(kept))]
    return tuple(allocate(total, scaled(kept, total), order, s.grain))


def _fee_of(s: Situation, shares: Shares, index: int) -> Fraction:
    """What is kept of the fees of one invoice's payments, exactly."""
    if s.settings.gateway_fees is GatewayFees.NONE:
        return ZERO
    payments = s.case.invoices[index].payments
    due = sum((x.net + x.tax for x in shares if x.view.invoice == index), ZERO)
    paid = sum(payment.amount for payment in payments)
    fee = sum(payment.fee for payment in payments)
    if s.settings.gateway_fees is GatewayFees.FULL:
        return min(due, Fraction(fee))
    return min(due, min(due / paid, ONE) * fee) if paid else ZERO
