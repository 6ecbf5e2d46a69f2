"""Compare what was invoiced with what should have held, for a case on a billing error.

The comparison fills in what each line should have cost, with its arithmetic. Whether that is the
truth stays a finding of staff: the subscription as Stripe has it now may itself have been wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.domain.bill import AgreedItem, Bill
from shared.domain.billing_error import BillCheck, check_bill
from shared.domain.served_item import ItemTerms, ServedItem
from shared.ports import Services


def check_billing(services: Services, customer: str, invoices: Iterable[str]) -> list[BillCheck]:
    """A comparison for each of the invoices that Stripe can explain."""
    served = {
        stored.record.item: stored.record for stored in services.store.all_of(ServedItem, customer)
    }
    checks = []
    for invoice in invoices:
        bill = services.billing.bill(invoice)
        if bill is not None and bill.invoice.customer == customer:
            checks.append(check_bill(_at_its_time(services, bill, served)))
    return checks


def billing_findings(checks: Iterable[BillCheck]) -> dict[str, Any]:
    """What the comparisons fill in: findings on lines, in the members of a case document."""
    lines: dict[str, Mapping[str, Any]] = {}
    for check in checks:
        for line in check.lines:
            lines[line.line] = {
                "expected_amount": line.amount,
                "expected_tax": line.tax,
                "differences": [
                    {"kind": d.kind, "arithmetic": d.arithmetic, "amount": d.amount, "tax": d.tax}
                    for d in line.differences
                ],
            }
        for payment in check.overpaid:
            words = f"payment {payment.id} pays no invoice, and this one is paid"
            twice = {"kind": "double_payment", "arithmetic": words, "amount": payment.total}
            lines[payment.id] = {"expected_amount": 0, "differences": [twice]}
    return {"lines": lines} if lines else {}


def double_payments(checks: Iterable[BillCheck]) -> tuple[str, ...]:
    """The payments that pay for nothing: they stand in a case beside its invoice."""
    return tuple(payment.id for check in checks for payment in check.overpaid)


def _at_its_time(services: Services, bill: Bill, served: Mapping[str, ServedItem]) -> Bill:
    """The bill with the terms that our own record has for when each of its lines began."""
    started = {c.item: c.line.period_start for c in bill.charges if c.item and c.comparable}
    items = {item.item: item for item in bill.agreed.items}
    for item, at in started.items():
        known = served.get(item)
        terms = known.at(at) if known else None
        if terms is not None:
            items[item] = _agreed(services, item, terms)
    return replace(bill, agreed=replace(bill.agreed, items=tuple(items.values())))


def _agreed(services: Services, item: str, terms: ItemTerms) -> AgreedItem:
    return AgreedItem(item, services.billing.unit_price(terms.price), terms.quantity)
