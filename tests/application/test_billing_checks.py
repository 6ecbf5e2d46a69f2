"""A billing error from the comparison to the money; and the terms at the time of its invoice."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from shared.application.check_billing import check_billing
from shared.application.refresh_subscription import refresh_subscription
from shared.domain.bill import Agreed, AgreedItem, Bill, Charge, Coupon, Pricing, TaxRate
from shared.domain.billing_error import price_lines
from shared.domain.invoice import TaxFacts
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    YEAR_START,
    services_with_annual_plan,
)
from tests.application.case_life import AGENT, APPROVER, Life
from tests.fakes.services import START, FakeServices

pytestmark = pytest.mark.clause("voip.billing_error")

UNIT = Fraction(10_000)
AGREED = Pricing(UNIT, 1)
VAT = TaxRate("txr_1", Fraction(19), inclusive=False)
QUARTER = Coupon("QUARTER", Fraction(25))


def invoiced(
    services: FakeServices, pricing: Pricing, *, agreed: Agreed | None = None, name: str = "in_1"
) -> Bill:
    """The customer's invoice, priced like that and paid, with what was agreed."""
    known = services.billing.invoices["in_1"]
    ((net, tax),) = price_lines([pricing])
    taxes = (TaxFacts("txr_1", tax, net, inclusive=False),) if tax else ()
    line = replace(known.lines[0], id=f"il_{name}", amount=net, tax=tax, taxes=taxes)
    paid = replace(known.payments[0], amount=net + tax, total=net + tax)
    invoice = replace(
        known,
        id=name,
        created_at=START - timedelta(days=5),
        customer=CUSTOMER,
        lines=(line,),
        payments=(paid,),
    )
    services.billing.invoices[name] = invoice
    bill = Bill(invoice, (Charge(line, pricing, "si_1", "price_1"),), agreed or Agreed())
    services.billing.bills[name] = bill
    return bill


@pytest.fixture
def life() -> Life:
    services = services_with_annual_plan()
    services.billing.unit_prices |= {"price_1": UNIT, "price_2": Fraction(12_000)}
    return Life("voip", services)


ERRORS: list[tuple[str, Pricing, Agreed, int]] = [
    ("price", replace(AGREED, unit=Fraction(12_500)), Agreed(), 2_500),
    ("quantity", replace(AGREED, quantity=3), Agreed(), 20_000),
    ("discount", AGREED, Agreed(coupons=(QUARTER,)), 2_500),
    ("tax", replace(AGREED, rates=(VAT,)), Agreed(rates=()), 1_900),
    ("after_end", AGREED, Agreed(ended_at=YEAR_START), 10_000),
]


@pytest.mark.parametrize(
    ("kind", "wrong", "agreed", "overcharge"), ERRORS, ids=[error[0] for error in ERRORS]
)
def test_each_kind_of_error_is_filled_in_verified_and_paid_back_to_the_cent(
    life: Life, kind: str, wrong: Pricing, agreed: Agreed, overcharge: int
):
    bill = invoiced(life.services, wrong, agreed=agreed)
    life.open("billing_error", statement="That is too much.")
    assert life.view["quote"]["outcome"] == "needs_verification"
    life.find(verified=True)
    quote = life.view["quote"]
    assert (quote["total"], quote["outcome"]) == (overcharge, "granted")
    (because,) = [e["saw"]["because"] for e in quote["trace"] if "because" in e["saw"]]
    assert [difference["kind"] for difference in because] == [kind]
    assert "USD" in because[0]["arithmetic"]
    assert life.services.billing.called("refund_payment") == []
    for person in (AGENT, APPROVER):
        if life.state == "under_review":
            life.approve(person)
    life.settle()
    (refund,) = life.services.billing.refunds.values()
    assert (refund.amount, refund.payment, life.state) == (
        overcharge,
        bill.invoice.payments[0].id,
        "paid",
    )


def test_an_invoice_as_agreed_is_no_error_and_a_person_says_so(life: Life):
    invoiced(life.services, AGREED)
    life.open("billing_error")
    assert life.view["quote"]["outcome"] == "needs_verification"
    life.find(verified=False)
    assert life.view["quote"]["outcome"] == "denied"
    life.decline()
    assert (life.state, life.services.billing.refunds) == ("denied", {})


def test_a_second_invoice_for_the_same_time_is_a_duplicate(life: Life):
    first = invoiced(life.services, AGREED)
    earlier = replace(
        first, invoice=replace(first.invoice, id="in_0", created_at=START - timedelta(days=9))
    )
    life.services.billing.bills["in_1"] = replace(first, others=(earlier,))
    life.open("billing_error")
    life.find(verified=True)
    assert life.view["quote"]["total"] == 10_000


def test_a_bill_of_somebody_else_is_not_compared(life: Life):
    bill = invoiced(life.services, replace(AGREED, quantity=3))
    strange = replace(bill, invoice=replace(bill.invoice, customer="cus_bob"))
    life.services.billing.bills["in_1"] = strange
    assert check_billing(life.services, CUSTOMER, ["in_1", "in_absent"]) == []


def changed(services: FakeServices, *, begun: datetime | None = None) -> None:
    """The item has another price now, from a new period on or within the running one."""
    known = services.billing.known_subscriptions[SUBSCRIPTION]
    item = replace(known.items[0], price="price_2", unit_amount=12_000)
    if begun is not None:
        item = replace(item, period_start=begun, period_end=YEAR_END + (begun - YEAR_START))
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(known, items=(item,))
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)


def overcharged(services: FakeServices) -> list[int]:
    return [check.overcharged for check in check_billing(services, CUSTOMER, ["in_1"])]


def test_what_holds_since_a_period_began_was_agreed_for_it_though_heard_of_later(life: Life):
    services = life.services
    begun = services.clock.now()
    services.clock.advance(seconds=40)
    changed(services, begun=begun)
    bill = invoiced(services, replace(AGREED, unit=Fraction(12_000)))
    line = replace(bill.charges[0].line, period_start=begun)
    services.billing.bills["in_1"] = replace(
        bill, charges=(replace(bill.charges[0], line=line, price="price_2"),)
    )
    assert overcharged(services) == [0]


def test_a_later_change_makes_no_error_of_what_was_billed_before(life: Life):
    services = life.services
    invoiced(
        services,
        replace(AGREED, unit=Fraction(12_000)),
        agreed=Agreed((AgreedItem("si_1", UNIT, 1),)),
    )
    # By our record 100.00 was agreed when the period began, whatever Stripe has by now.
    assert overcharged(services) == [2_000]
    changed(services)
    assert overcharged(services) == [2_000]
