"""Subscriptions, invoices and charges through the port, on both accounts of our proofs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.contact import Contact
from shared.domain.errors import RefusedError
from shared.domain.invoice import PendingCharge
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus
from tests.contract.stripe.accounts import DAY, MAIL, Account, Bought

ENDED = SubscriptionStatus.ENDED


@pytest.fixture
def bought(account: Account) -> Bought:
    return account.buy(12000)


def subscription(account: Account, bought: Bought) -> SubscriptionFacts:
    seen = account.billing.subscription(bought.subscription)
    assert seen is not None
    assert seen in account.billing.subscriptions(bought.customer)
    return seen


def refused(change: Callable[..., object], *of: Any, **how: Any) -> str:
    with pytest.raises(RefusedError) as refusal:
        change(*of, **how)
    return refusal.value.code


def test_a_customer_is_reached_by_mail(account: Account, bought: Bought) -> None:
    assert account.billing.contact(bought.customer) == Contact(MAIL)
    assert account.billing.contact("cus_absent") is None


# -- subscriptions


def test_a_subscription_is_paid_period_by_period(account: Account, bought: Bought) -> None:
    seen = subscription(account, bought)
    assert (seen.customer, seen.status) == (bought.customer, SubscriptionStatus.ACTIVE)
    assert (seen.cancels_at, seen.ended_at, seen.collection_paused) == (None, None, False)
    (item,) = seen.items
    assert (item.unit_amount, item.quantity, item.currency) == (12000, 1, "usd")
    account.until(bought.end + timedelta(hours=2))
    (item,) = subscription(account, bought).items
    assert item.period_start == bought.end
    first, second = account.billing.subscription_invoices(
        bought.subscription, bought.end - timedelta(seconds=1)
    )
    assert (first.id, second.status) == (bought.invoice, "paid")
    assert [(p.amount, p.total, p.method) for p in second.payments] == [(12000, 12000, "card")]
    assert account.billing.subscription_invoices(bought.subscription, bought.end) == [second]
    assert account.billing.subscription_invoices(bought.subscription, item.period_end) == []


def test_what_nobody_knows_is_nothing(account: Account) -> None:
    billing = account.billing
    assert billing.subscription("sub_absent") is None
    assert billing.subscriptions("cus_absent") == []
    assert billing.open_invoices("cus_absent") == []
    assert billing.pending_charges("cus_absent", "sub_absent") == []
    assert billing.charge_added("cus_absent", "01ADD") is None
    assert billing.invoice_of("cus_absent", "in_absent") is None
    changes = {
        refused(billing.cancel_now, "sub_absent"),
        refused(billing.set_cancel_at_period_end, "sub_absent", cancel=True, key="k1"),
        refused(billing.pause_collection, "sub_absent", key="k2"),
        refused(billing.resume_collection, "sub_absent", key="k3"),
        refused(billing.set_auto_advance, "in_absent", on=False, key="k4"),
        refused(billing.void_invoice, "in_absent", key="k5"),
        refused(billing.finalize_draft, "in_absent", key="k6"),
    }
    assert changes == {"resource_missing"}


def test_an_end_is_set_and_taken_back(account: Account, bought: Bought) -> None:
    for number in range(2):
        account.billing.set_cancel_at_period_end(
            bought.subscription, cancel=True, key=f"on{number}"
        )
        assert subscription(account, bought).cancels_at == bought.end
    for number in range(2):
        account.billing.set_cancel_at_period_end(
            bought.subscription, cancel=False, key=f"off{number}"
        )
        assert subscription(account, bought).cancels_at is None
    account.until(bought.end + timedelta(hours=2))
    assert subscription(account, bought).status is SubscriptionStatus.ACTIVE


def test_an_end_that_was_set_comes_and_bills_no_further_period(
    account: Account, bought: Bought
) -> None:
    account.billing.set_cancel_at_period_end(bought.subscription, cancel=True, key="on")
    account.until(bought.end + timedelta(hours=2))
    seen = subscription(account, bought)
    assert (seen.status, seen.ended_at, seen.cancels_at) == (ENDED, bought.end, bought.end)
    assert seen.items[0].period_end == bought.end
    (invoice,) = account.billing.subscription_invoices(
        bought.subscription, bought.end - timedelta(seconds=1)
    )
    assert invoice.id == bought.invoice


def test_an_end_at_once_moves_no_money(account: Account, bought: Bought) -> None:
    before = account.now().replace(microsecond=0)
    account.billing.cancel_now(bought.subscription)
    seen = subscription(account, bought)
    assert seen.status is ENDED
    assert seen.ended_at is not None
    assert before <= seen.ended_at <= account.now()
    assert seen.items[0].period_end == bought.end
    assert account.billing.refunds_of(bought.payment) == []
    assert account.billing.open_invoices(bought.customer) == []


def test_what_has_ended_takes_no_changes(account: Account, bought: Bought) -> None:
    billing = account.billing
    billing.cancel_now(bought.subscription)
    name = bought.subscription
    codes = {
        refused(billing.set_cancel_at_period_end, name, cancel=True, key="on"),
        refused(billing.set_cancel_at_period_end, name, cancel=False, key="off"),
        refused(billing.pause_collection, name, key="p"),
        refused(billing.resume_collection, name, key="r"),
    }
    assert codes == {"invalid_canceled_subscription_fields"}
    assert refused(billing.cancel_now, name) == "resource_missing"


def test_collection_stops_and_starts(account: Account, bought: Bought) -> None:
    for number in range(2):
        account.billing.pause_collection(bought.subscription, key=f"p{number}")
        assert subscription(account, bought).collection_paused
    account.until(bought.end + timedelta(hours=2))
    assert account.billing.subscription_invoices(bought.subscription, bought.end) == []
    for number in range(2):
        account.billing.resume_collection(bought.subscription, key=f"r{number}")
        assert not subscription(account, bought).collection_paused


# -- invoices


def unpaid(account: Account, bought: Bought) -> list[tuple[str, str, bool]]:
    found = account.billing.open_invoices(bought.customer)
    assert {one.subscription for one in found} <= {bought.subscription}
    return [(one.id, one.status, one.collects) for one in found]


def test_an_invoice_says_what_it_was_for_and_who_paid(account: Account) -> None:
    bought = account.buy(12000, from_balance=3000)
    (seen,) = account.billing.subscription_invoices(bought.subscription, account.now())
    assert (seen.status, seen.currency, seen.credited) == ("paid", "usd", 0)
    assert (seen.customer, seen.subscription) == (bought.customer, bought.subscription)
    assert seen.paid_at is not None
    (line,) = seen.lines
    assert (line.kind, line.amount, line.tax) == ("subscription", 15000, 0)
    assert (line.period_start <= account.now(), line.period_end) == (True, bought.end)
    paid = [(p.method, p.amount, p.total, p.refunded) for p in seen.payments]
    assert paid == [("card", 12000, 12000, 0), ("customer_balance", 3000, 3000, 0)]
    assert account.billing.open_invoices(bought.customer) == []
    for reference in (bought.invoice, str(seen.number)):
        assert account.billing.invoice_of(bought.customer, reference) == seen
        assert account.billing.invoice_of("cus_other", reference) is None


def test_what_is_not_paid_yet_is_open_or_a_draft(account: Account, bought: Bought) -> None:
    draft, open_ = (account.bill_ahead(bought, status) for status in ("draft", "open"))
    for invoice, status in ((draft, "draft"), (open_, "open")):
        seen = account.billing.dunning(invoice)
        assert seen is not None
        assert (seen.id, seen.status, seen.due, seen.paid) == (invoice, status, 300, 0)
        assert (seen.customer, seen.subscription) == (bought.customer, bought.subscription)
    assert unpaid(account, bought) == [(open_, "open", True), (draft, "draft", True)]
    assert account.billing.invoice_of(bought.customer, draft) is None
    found = account.billing.subscription_invoices(bought.subscription, bought.end)
    assert [(one.id, one.payments) for one in found] == [(open_, ())]


@pytest.mark.parametrize("status", ["draft", "open"])
def test_collection_of_an_invoice_is_held_and_released(
    account: Account, bought: Bought, status: str
) -> None:
    invoice = account.bill_ahead(bought, status)
    for on in (False, False, True):
        account.billing.set_auto_advance(invoice, on=on, key=f"{on}{account.now()}")
        assert unpaid(account, bought) == [(invoice, status, on)]


def test_a_draft_is_finalized_without_collection_and_voided(
    account: Account, bought: Bought
) -> None:
    invoice = account.bill_ahead(bought, "draft")
    assert refused(account.billing.void_invoice, invoice, key="early")
    account.billing.finalize_draft(invoice, key="f")
    assert unpaid(account, bought) == [(invoice, "open", False)]
    code = refused(account.billing.finalize_draft, invoice, key="f2")
    assert code == "invoice_not_editable"
    account.billing.void_invoice(invoice, key="v")
    assert unpaid(account, bought) == []
    assert account.billing.subscription_invoices(bought.subscription, bought.end) == []
    seen = account.billing.dunning(invoice)
    assert (seen and seen.status, account.billing.dunning("in_absent")) == ("void", None)
    assert refused(account.billing.void_invoice, invoice, key="v2")


def test_what_was_paid_stays(account: Account, bought: Bought) -> None:
    billing = account.billing
    assert refused(billing.void_invoice, bought.invoice, key="v")
    assert refused(billing.finalize_draft, bought.invoice, key="f")
    (seen,) = billing.subscription_invoices(bought.subscription, account.now())
    assert seen.status == "paid"
    asked = billing.dunning(bought.invoice)
    assert asked is not None
    assert (asked.status, asked.due, asked.paid) == ("paid", 0, 12000)


def test_an_end_leaves_invoices_and_collects_them_no_more(account: Account, bought: Bought) -> None:
    made = [account.bill_ahead(bought, status) for status in ("draft", "open")]
    account.billing.cancel_now(bought.subscription)
    assert unpaid(account, bought) == [(made[1], "open", False), (made[0], "draft", False)]


# -- charges to come


def pending(account: Account, bought: Bought) -> list[PendingCharge]:
    return account.billing.pending_charges(bought.customer, bought.subscription)


def test_charges_wait_for_the_next_invoice(account: Account, bought: Bought) -> None:
    add = account.billing.add_charge
    first = add(bought.charge(), operation="01A", key="a")
    second = add(bought.charge(amount=-200, discountable=False), operation="01B", key="b")
    newest, oldest = pending(account, bought)
    assert (newest.id, newest.amount, newest.discountable) == (second, -200, False)
    assert oldest == PendingCharge(
        id=first,
        subscription=bought.subscription,
        amount=500,
        currency="usd",
        description="minutes",
        period_start=bought.end,
        period_end=bought.end + DAY,
        operation="01A",
    )
    assert account.billing.charge_added(bought.customer, "01A") == first
    assert account.billing.charge_added(bought.customer, "01OTHER") is None
    account.until(bought.end + timedelta(hours=2))
    assert pending(account, bought) == []
    (invoice,) = account.billing.subscription_invoices(bought.subscription, bought.end)
    assert sorted(line.amount for line in invoice.lines) == [-200, 500, 12000]
    assert sum(payment.amount for payment in invoice.payments) == 12300
    assert account.billing.charge_added(bought.customer, "01A") == first


def test_what_was_removed_was_never_added(account: Account, bought: Bought) -> None:
    added = account.billing.add_charge(bought.charge(), operation="01A", key="a")
    for _ in range(2):
        account.billing.remove_charge(added)
        assert pending(account, bought) == []
        assert account.billing.charge_added(bought.customer, "01A") is None
    account.billing.remove_charge("ii_absent")


def test_what_was_billed_cannot_be_removed(account: Account, bought: Bought) -> None:
    added = account.billing.add_charge(bought.charge(), operation="01A", key="a")
    account.until(bought.end + timedelta(hours=2))
    assert refused(account.billing.remove_charge, added) == "400"
    assert account.billing.charge_added(bought.customer, "01A") == added


def test_an_end_at_once_leaves_charges_and_takes_no_more(account: Account, bought: Bought) -> None:
    added = account.billing.add_charge(bought.charge(), operation="01A", key="a")
    account.billing.cancel_now(bought.subscription)
    assert [one.id for one in pending(account, bought)] == [added]
    add, absent = account.billing.add_charge, bought.charge(subscription="sub_absent")
    assert refused(add, bought.charge(), operation="01B", key="b") == "400"
    assert refused(add, absent, operation="01C", key="c") == "resource_missing"
