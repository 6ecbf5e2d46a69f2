"""Credit notes through the port, on both accounts that our code is proven on."""

from typing import Any

import pytest

from shared.domain.errors import RefusedError
from shared.domain.invoice import CreditNoteLine, InvoiceFacts
from tests.contract.stripe.accounts import Account, Bought


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def refund(account: Account, bought: Bought, amount: int, payment: str | None = None) -> str:
    operation = f"01OP{amount}"
    return account.billing.refund_payment(
        payment=payment or bought.payment,
        amount=amount,
        operation=operation,
        customer=bought.customer,
        key=f"k:{operation}:{payment}",
    ).id


def note(account: Account, bought: Bought, amount: int, **other: Any) -> str:
    """A note over so much of the invoice's line, by default all of it to the balance."""
    operation = other.pop("operation", "01CN")
    line = other.pop("line", bought.line)
    wanted = {"invoice": bought.invoice, "refunds": [], "credit": 0, **other}
    if not wanted["refunds"] and "out_of_band" not in wanted:
        wanted["credit"] = wanted["credit"] or amount
    return account.billing.issue_credit_note(
        lines=[CreditNoteLine(line, amount, ())],
        operation=operation,
        key=f"n:{operation}:{amount}:{wanted}",
        **wanted,
    )


def refused(account: Account, bought: Bought, amount: int, **other: Any) -> str:
    with pytest.raises(RefusedError) as refusal:
        note(account, bought, amount, operation="refused", **other)
    invoice = other.get("invoice", bought.invoice)
    assert account.billing.credit_note_of(invoice, "refused") is None
    return refusal.value.code


def invoice_of(account: Account, bought: Bought) -> InvoiceFacts:
    (seen,) = account.billing.subscription_invoices(bought.subscription, account.now())
    return seen


def test_a_note_documents_a_refund_and_is_found_by_its_operation(
    account: Account, bought: Bought
) -> None:
    made = refund(account, bought, 5000)
    issued = note(account, bought, 5000, refunds=[(made, 5000)])
    assert note(account, bought, 5000, refunds=[(made, 5000)]) == issued
    assert account.billing.credit_note_of(bought.invoice, "01CN") == issued
    assert account.billing.credit_note_of(bought.invoice, "01OTHER") is None
    assert account.billing.credit_note_of("in_absent", "01CN") is None
    assert invoice_of(account, bought).credited == 0


def test_several_refunds_and_credit_go_onto_one_note(account: Account) -> None:
    bought = account.buy(5000, 6000, from_balance=1000)
    first, second = bought.payments
    refunds = [
        (refund(account, bought, 5000, first), 5000),
        (refund(account, bought, 6000, second), 6000),
    ]
    note(account, bought, 12000, refunds=refunds, credit=1000)
    assert invoice_of(account, bought).credited == 1000


def test_credit_to_the_balance_counts_as_credited(account: Account, bought: Bought) -> None:
    note(account, bought, 2000, operation="01A")
    note(account, bought, 3000, operation="01B")
    assert invoice_of(account, bought).credited == 5000
    refund(account, bought, 12000)  # credit leaves the payment as it is


def test_money_outside_of_stripe_is_not_credited(account: Account, bought: Bought) -> None:
    note(account, bought, 2000, out_of_band=2000)
    assert invoice_of(account, bought).credited == 0


def test_every_cent_has_a_destination(account: Account, bought: Bought) -> None:
    made = refund(account, bought, 5000)
    refused(account, bought, 5001, refunds=[(made, 5000)])
    refused(account, bought, 5000, refunds=[(made, 5000)], credit=1)
    refused(account, bought, 0, out_of_band=0)


def test_no_more_than_the_invoice_is_worth_is_credited(account: Account, bought: Bought) -> None:
    refused(account, bought, 12001)
    note(account, bought, 7000)
    refused(account, bought, 5001)
    note(account, bought, 5000, operation="rest")
    refused(account, bought, 1)


def test_what_was_refunded_and_not_documented_cannot_be_credited_too(
    account: Account, bought: Bought
) -> None:
    account.refund_by_hand(bought.payment, 5000)
    refused(account, bought, 7001)
    note(account, bought, 7000)


def test_a_refund_is_documented_once(account: Account, bought: Bought) -> None:
    made = refund(account, bought, 5000)
    note(account, bought, 5000, refunds=[(made, 5000)])
    refused(account, bought, 5000, refunds=[(made, 5000)])
    refused(account, bought, 1, refunds=[(made, 1)])


def test_parts_of_a_refund_go_onto_several_notes(account: Account, bought: Bought) -> None:
    made = refund(account, bought, 5000)
    note(account, bought, 2000, operation="01A", refunds=[(made, 2000)])
    refused(account, bought, 3001, refunds=[(made, 3001)])
    note(account, bought, 3000, operation="01B", refunds=[(made, 3000)])


def test_only_refunds_of_the_invoices_own_payments_count(account: Account, bought: Bought) -> None:
    other = account.buy(12000)
    made = refund(account, other, 5000)
    refused(account, bought, 5000, refunds=[(made, 5000)])
    assert refused(account, bought, 1, refunds=[("re_absent", 1)]) == "resource_missing"


def test_a_refund_that_failed_documents_nothing(account: Account, bought: Bought) -> None:
    made = refund(account, bought, 5000)
    account.settle(made, "failed")
    refused(account, bought, 5000, refunds=[(made, 5000)])


def test_a_refund_that_fails_later_keeps_its_note(account: Account, bought: Bought) -> None:
    made = refund(account, bought, 5000)
    issued = note(account, bought, 5000, refunds=[(made, 5000)])
    account.settle(made, "failed")
    assert account.billing.credit_note_of(bought.invoice, "01CN") == issued
    again = refund(account, bought, 5001)
    refused(account, bought, 5001 + 2000, refunds=[(again, 5001)], credit=2000)
    note(account, bought, 7000, operation="rest", refunds=[(again, 5001)], credit=1999)


def test_a_line_must_be_the_invoices_own(account: Account, bought: Bought) -> None:
    other = account.buy(12000)
    assert refused(account, bought, 1000, line=other.line) == "resource_missing"


@pytest.mark.parametrize("status", ["draft", "open"])
def test_what_was_not_paid_is_not_given_back(account: Account, bought: Bought, status: str) -> None:
    invoice = account.bill_ahead(bought, status)
    (ahead,) = account.billing.open_invoices(bought.customer)
    refused(account, bought, 300, invoice=invoice, line=ahead.lines[0].id)
    assert refused(account, bought, 1, invoice="in_absent") == "resource_missing"


def test_a_preview_has_the_total_and_leaves_nothing(account: Account, bought: Bought) -> None:
    def preview(amount: int, **ways: int) -> int:
        return account.billing.preview_credit_note(
            invoice=bought.invoice,
            lines=[CreditNoteLine(bought.line, amount, ())],
            **{"refund": 0, "credit": 0, "out_of_band": 0, **ways},
        )

    assert preview(5000, refund=3000, credit=1000, out_of_band=1000) == 5000
    assert account.billing.refunds_of(bought.payment) == []
    for wrong in ({"credit": 12001}, {"refund": 12001}):
        with pytest.raises(RefusedError):
            preview(12001, **wrong)
    with pytest.raises(RefusedError):
        preview(5000, credit=4999)
    account.dispute(bought.payment)
    with pytest.raises(RefusedError):
        preview(5000, refund=5000)
