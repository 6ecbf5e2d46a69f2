"""Each kind of billing error, found from what a line was priced with and what was agreed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.bill import Agreed, AgreedItem, Bill, Charge, Coupon, Pricing, TaxRate
from shared.domain.billing_error import check_bill, price_lines
from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts
from tests.unit.domain.cases import case, quote

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
VAT = TaxRate("txr_19", Fraction(19), inclusive=False)
INSIDE = TaxRate("txr_in", Fraction(19), inclusive=True)
QUARTER = Coupon("QUARTER", Fraction(25))
TENNER = Coupon("TENNER", None, 1000)
SEATS = Pricing(Fraction(1000), 3)


def bill(*pricings: Pricing, agreed: Agreed | None = None, **changes: Any) -> Bill:
    """A paid invoice priced from these, the first line for item `si_1` and so on."""
    charges = []
    for number, ((net, tax), pricing) in enumerate(
        zip(price_lines(pricings), pricings, strict=True), start=1
    ):
        line = LineFacts(f"il_{number}", "subscription", net, tax, START, END, "Seats")
        charges.append(Charge(line, pricing, f"si_{number}", f"price_{number}"))
    total = sum(c.line.amount + c.line.tax for c in charges)
    invoice = InvoiceFacts(
        id="in_2",
        number="A-0002",
        status="paid",
        created_at=START,
        currency="usd",
        lines=tuple(c.line for c in charges),
        payments=(payment("pi_1", total),),
        credited=0,
        subscription="sub_1",
        collects=False,
    )
    return Bill(invoice, tuple(charges), agreed or Agreed(), **changes)


def payment(name: str, amount: int) -> PaymentFacts:
    return PaymentFacts(name, amount, 0, 0, 0, refundable=True, method="card", total=amount)


def item(**agreed: Any) -> Agreed:
    return Agreed((AgreedItem("si_1", **agreed),))


EARLIER = replace(bill(SEATS), invoice=replace(bill(SEATS).invoice, id="in_1", number="A-0001"))

ERRORS = [
    ("price", bill(SEATS, agreed=item(unit=Fraction(900))), 2700, 0),
    ("price", bill(replace(SEATS, rates=(VAT,)), agreed=item(unit=Fraction(900))), 2700, 513),
    ("quantity", bill(SEATS, agreed=item(quantity=2)), 2000, 0),
    ("discount", bill(SEATS, agreed=Agreed(coupons=(QUARTER,))), 2250, 0),
    ("discount", bill(SEATS, agreed=Agreed(coupons=(TENNER,))), 2000, 0),
    ("tax", bill(replace(SEATS, rates=(VAT,)), agreed=Agreed(rates=())), 3000, 0),
    ("duplicate_invoice", bill(SEATS, others=(EARLIER,)), 0, 0),
    ("after_end", bill(SEATS, agreed=Agreed(ended_at=START)), 0, 0),
]


@pytest.mark.clause("voip.billing_error")
@pytest.mark.clause("rtc.grounds")
@pytest.mark.parametrize(
    ("kind", "wrong", "amount", "tax"), ERRORS, ids=[f"{e[0]}-{e[2]}" for e in ERRORS]
)
def test_an_error_of_each_kind_is_found_with_its_arithmetic(
    kind: str, wrong: Bill, amount: int, tax: int
):
    check = check_bill(wrong)
    (line,) = check.lines
    (difference,) = line.differences
    invoiced = wrong.charges[0].line
    assert (line.amount, line.tax) == (amount, tax)
    assert (difference.kind, check.verified) == (kind, True)
    assert (difference.amount, difference.tax) == (invoiced.amount - amount, invoiced.tax - tax)
    assert check.overcharged == invoiced.amount + invoiced.tax - amount - tax
    assert "USD" in difference.arithmetic


def test_an_invoice_as_agreed_shows_no_error():
    agreed = Agreed((AgreedItem("si_1", Fraction(1000), 3),), (QUARTER,))
    check = check_bill(bill(replace(SEATS, coupons=(QUARTER,), rates=(VAT,)), agreed=agreed))
    assert (check.overcharged, check.verified, check.lines[0].differences) == (0, False, ())


def test_a_used_up_coupon_and_a_price_that_was_too_low_are_no_overcharge():
    used = bill(replace(SEATS, coupons=(QUARTER,)))
    assert check_bill(used).overcharged == 0
    low = check_bill(bill(SEATS, agreed=item(unit=Fraction(1100))))
    assert (low.overcharged, low.verified) == (0, False)
    assert low.lines[0].differences[0].amount == -300


def test_a_line_that_repeats_another_is_for_a_person_to_judge():
    once = bill(SEATS)
    again = replace(once.charges[0], line=replace(once.charges[0].line, id="il_2"))
    check = check_bill(replace(once, charges=(once.charges[0], again)))
    assert [d.kind for line in check.lines for d in line.differences] == ["duplicate_line"]
    assert (check.overcharged, check.verified) == (3000, None)


def test_a_second_payment_for_the_same_invoice_is_found_once():
    loose = (payment("pi_2", 3000), payment("pi_3", 3000), payment("pi_4", 2999))
    check = check_bill(bill(SEATS, loose=loose))
    assert [p.id for p in check.overpaid] == ["pi_2"]
    assert (check.overcharged, check.verified) == (3000, True)


def test_prorations_are_not_compared():
    once = bill(SEATS, agreed=item(quantity=1))
    check = check_bill(replace(once, charges=(replace(once.charges[0], comparable=False),)))
    assert check.lines == ()


def test_an_earlier_invoice_is_not_the_double_of_a_later_one():
    later = replace(EARLIER, invoice=replace(EARLIER.invoice, created_at=START + timedelta(days=1)))
    assert check_bill(bill(SEATS, others=(later,))).overcharged == 0


def test_an_invoice_that_repeats_a_part_of_the_time_is_no_double_as_a_whole():
    once = bill(SEATS)
    shifted = replace(
        EARLIER.charges[0].line,
        period_start=START - timedelta(days=10),
        period_end=END - timedelta(days=10),
    )
    earlier = replace(EARLIER, charges=(replace(EARLIER.charges[0], line=shifted),))
    assert check_bill(replace(once, others=(earlier,))).overcharged == 0


PRICINGS = st.builds(
    Pricing,
    st.integers(1, 9999).map(Fraction),
    st.integers(1, 20),
    st.sampled_from([(), (QUARTER,), (TENNER,), (QUARTER, TENNER)]),
    st.sampled_from([(), (VAT,), (INSIDE,)]),
)
AGREED = st.builds(
    Agreed,
    st.builds(
        lambda unit, quantity: (AgreedItem("si_1", unit, quantity),),
        st.none() | st.integers(1, 9999).map(Fraction),
        st.none() | st.integers(0, 20),
    ),
    st.sampled_from([(), (QUARTER,), (TENNER,)]),
    st.sampled_from([None, ()]),
)


@given(st.lists(PRICINGS, min_size=1, max_size=3), AGREED)
def test_the_differences_of_a_line_add_up_to_what_it_was_charged_too_much(
    pricings: list[Pricing], agreed: Agreed
):
    """Law: invoiced − expected = the sum of the differences, to the minor unit."""
    wrong = bill(*pricings, agreed=agreed)
    by_id = {charge.line.id: charge.line for charge in wrong.charges}
    for line in check_bill(wrong).lines:
        invoiced = by_id[line.line]
        assert invoiced.amount - line.amount == sum(d.amount for d in line.differences)
        assert invoiced.tax - line.tax == sum(d.tax for d in line.differences)


@pytest.mark.clause("voip.billing_error")
@pytest.mark.clause("itservices.billing_error")
@pytest.mark.parametrize("policy", ["voip", "rtc", "itservices"])
def test_the_decision_grants_the_difference_and_its_trace_has_the_arithmetic(policy: str):
    wrong = bill(replace(SEATS, rates=(VAT,)), agreed=Agreed(item(quantity=2).items, (), ()))
    (line,) = check_bill(wrong).lines
    because = [
        {"kind": d.kind, "arithmetic": d.arithmetic, "amount": d.amount, "tax": d.tax}
        for d in line.differences
    ]
    invoiced = {
        "id": "il_1",
        "kind": "subscription",
        "amount": 3000,
        "tax": 570,
        "expected_amount": line.amount,
        "expected_tax": line.tax,
        "differences": because,
    }
    document = {
        "issued_at": "2026-01-01T00:00:00Z",
        "currency": "usd",
        "lines": [invoiced],
        "payments": [{"id": "pi_1", "amount": 3570}],
    }
    decided = quote(
        case(
            policy,
            now="2026-01-05T00:00:00Z",
            invoices=[document],
            request={
                "ground": "billing_error",
                "verified": True,
                "evidence": ["screenshot"],
                "service_date": "2026-01-04T00:00:00Z",
            },
        )
    )
    assert (decided["outcome"], decided["amount"], decided["tax"]) == ("granted", 1000, 570)
    traced = [entry["saw"]["because"] for entry in decided["trace"] if "because" in entry["saw"]]
    assert traced == [because]
    assert [d["kind"] for d in because] == ["quantity", "tax"]
