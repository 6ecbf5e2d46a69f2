"""How a refund goes back over the payments of a case."""

from shared.domain.allocation import Part, Return, allocate_return, fill
from shared.domain.case import parse_case
from shared.domain.decision import Allocation
from shared.domain.facts import Invoice, Method, SettleAs
from tests.unit.domain.cases import case, invoice, line, payment

PAYMENTS = [
    [
        payment("gone", 100, refunded=60, disputed=40),
        payment("over", 100, refunded=100, disputed=100),
        payment("half", 100, disputed=50),
        payment("locked", 100, refundable=False),
        payment("balance", 20, method="customer_balance"),
    ],
    [
        payment("half", 30),
        payment("bank", 40, method="bank"),
        payment("balance", 10, method="customer_balance"),
        payment("wire", 7, method="out_of_band"),
    ],
]


def paid() -> tuple[Invoice, ...]:
    invoices = [invoice([line(f"il_{n}", 900)], payments) for n, payments in enumerate(PAYMENTS)]
    return parse_case(case(invoices=invoices)).invoices


def test_payments_fill_in_their_order_up_to_what_each_still_holds() -> None:
    parts, left = fill(paid(), 75)

    assert parts == (
        Part(0, "half", Method.CARD, 50),
        Part(0, "balance", Method.CUSTOMER_BALANCE, 20),
        Part(1, "half", Method.CARD, 5),
    )
    assert left == 0


def test_a_payment_of_several_invoices_is_one_refund_and_the_rest_goes_its_own_way() -> None:
    assert allocate_return(paid(), 160, SettleAs.REFUND) == Return(
        (Allocation("half", 80), Allocation("bank", 40)),
        account_credit=30,
        manual_transfer=10,  # the wire's 7, and 3 that no payment holds
    )


def test_credit_touches_no_payment() -> None:
    assert allocate_return(paid(), 160, SettleAs.CREDIT) == Return((), 160, 0)
