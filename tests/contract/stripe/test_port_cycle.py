"""What a period's end bills by itself, through the port, on both accounts of our proofs."""

from datetime import timedelta

import pytest

from shared.domain.errors import RefusedError
from tests.contract.stripe.accounts import DAY, Account, Bought

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def add(account: Account, bought: Bought) -> str:
    """A charge of 500 for the day after the period."""
    return account.billing.add_charge(bought.charge(), operation="01A", key="a")


def draft(account: Account, bought: Bought) -> tuple[str, list[int], bool]:
    """The one invoice that is under way: its id, its amounts, and whether it collects."""
    assert account.billing.subscription_invoices(bought.subscription, bought.end) == []
    (seen,) = account.billing.open_invoices(bought.customer)
    assert (seen.status, seen.subscription) == ("draft", bought.subscription)
    assert account.billing.pending_charges(bought.customer, bought.subscription) == []
    return seen.id, sorted(line.amount for line in seen.lines), seen.collects


def paid(account: Account, bought: Bought) -> list[tuple[str, int]]:
    """What was paid for time after the period."""
    assert account.billing.open_invoices(bought.customer) == []
    found = account.billing.subscription_invoices(bought.subscription, bought.end)
    return [(one.id, sum(payment.amount for payment in one.payments)) for one in found]


def test_a_renewal_is_a_draft_for_an_hour(account: Account, bought: Bought) -> None:
    add(account, bought)
    account.until(bought.end + MINUTE)
    name, amounts, collects = draft(account, bought)
    assert (amounts, collects) == ([500, 12000], True)
    account.until(bought.end + HOUR - MINUTE)
    assert draft(account, bought)[0] == name
    account.until(bought.end + HOUR + MINUTE)
    assert paid(account, bought) == [(name, 12500)]
    first, second = account.billing.paid_invoices(bought.customer)
    assert (first.id, second.id, second.created_at) == (bought.invoice, name, bought.end)
    assert second.paid_at is not None
    assert bought.end + HOUR <= second.paid_at <= account.now()


def test_a_charge_can_still_be_taken_off_a_draft(account: Account, bought: Bought) -> None:
    charge = add(account, bought)
    account.until(bought.end + MINUTE)
    account.billing.remove_charge(charge)
    name, amounts, _ = draft(account, bought)
    assert amounts == [12000]
    assert account.billing.charge_added(bought.customer, "01A") is None
    account.until(bought.end + 2 * HOUR)
    assert paid(account, bought) == [(name, 12000)]


def test_a_draft_that_is_held_waits_until_it_is_released(account: Account, bought: Bought) -> None:
    account.until(bought.end + MINUTE)
    name, _, _ = draft(account, bought)
    account.billing.set_auto_advance(name, on=False, key="off")
    account.until(bought.end + 5 * HOUR)
    assert draft(account, bought) == (name, [12000], False)
    account.billing.set_auto_advance(name, on=True, key="on")
    account.until(bought.end + 7 * HOUR)
    assert paid(account, bought) == [(name, 12000)]


def test_an_open_invoice_that_is_released_is_paid_within_the_hour(
    account: Account, bought: Bought
) -> None:
    account.until(bought.end + MINUTE)
    name, _, _ = draft(account, bought)
    account.billing.finalize_draft(name, key="f")
    account.until(bought.end + 5 * HOUR)
    (seen,) = account.billing.open_invoices(bought.customer)
    assert (seen.status, seen.collects) == ("open", False)
    account.billing.set_auto_advance(name, on=True, key="on")
    account.until(bought.end + 7 * HOUR)
    assert paid(account, bought) == [(name, 12000)]


def test_an_end_leaves_the_draft_of_a_renewal_uncollected(account: Account, bought: Bought) -> None:
    account.until(bought.end + MINUTE)
    account.billing.cancel_now(bought.subscription)
    account.until(bought.end + 5 * HOUR)
    assert draft(account, bought)[1:] == ([12000], False)


def test_an_end_that_was_set_bills_what_was_pending(account: Account, bought: Bought) -> None:
    added = add(account, bought)
    account.billing.set_cancel_at_period_end(bought.subscription, cancel=True, key="on")
    account.until(bought.end + MINUTE)
    name, amounts, collects = draft(account, bought)
    assert (amounts, collects) == ([500], True)
    account.until(bought.end + 2 * HOUR)
    assert paid(account, bought) == [(name, 500)]
    (last,) = account.billing.subscription_invoices(bought.subscription, bought.end)
    assert [(line.amount, line.period_start) for line in last.lines] == [(500, bought.end)]
    assert account.billing.charge_added(bought.customer, "01A") == added
    with pytest.raises(RefusedError):
        account.billing.remove_charge(added)


def test_what_is_taken_off_the_last_invoice_is_paid_by_nobody(
    account: Account, bought: Bought
) -> None:
    added = add(account, bought)
    account.billing.set_cancel_at_period_end(bought.subscription, cancel=True, key="on")
    account.until(bought.end + MINUTE)
    account.billing.remove_charge(added)
    account.until(bought.end + 2 * HOUR)
    assert account.billing.open_invoices(bought.customer) == []
    seen = account.billing.subscription_invoices(bought.subscription, bought.end - DAY)
    assert [one.id for one in seen if one.payments] == [bought.invoice]
