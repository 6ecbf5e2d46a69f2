"""Disputes, over HTTP and Stripe's webhooks: suspended at once, reinstated or owed in the end."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from infrastructure.local.at_stripe import open_dispute, paying_charge, settle_dispute
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import Json, deliver, held_back, leave_unpaid
from tests.scenarios.conftest import Bus
from tests.scenarios.customers import Customer
from tests.verifier.chargeback import (
    Argued,
    Standing,
    taken,
    verify_collected,
    verify_no_refund,
    verify_standing,
)
from tests.verifier.reader import Reader
from tests.verifier.table import Table

pytestmark = pytest.mark.stack

Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
GOOD = Standing(good=True)
MONTHLY = {"interval": "month", "amount": 4_900}


def dispute(customer: Customer, kind: str) -> Argued:
    """The bank disputes the payment for the first subscription."""
    charge = paying_charge(customer.stack, customer.subscription)
    found = open_dispute(customer.stack, charge, kind)
    return Argued(customer.sales, customer.token, found)


def events_about(reader: Reader, argued: Argued) -> list[Json]:
    """Stripe's events about a dispute, the newest first."""
    events = reader.stripe_list("events", type="charge.dispute.*")
    return [event for event in events if event["data"]["object"]["id"] == argued.dispute]


def seen(customer: Customer) -> Json:
    """Everything that a webhook could move."""
    return {
        "account": customer.account(),
        "access": customer.access(),
        "mails": customer.mails(),
        "Stripe": customer.at_stripe(),
    }


@pytest.mark.clause("rtc.chargeback_suspend")
@pytest.mark.clause("voip.violation")
def test_a_chargeback_suspends_stops_collection_and_is_owed_when_lost(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table, bus: Bus
):
    customer = newcomer(**MONTHLY, subscriptions=2)
    leave_unpaid(stack, customer.id, "usd", 800)
    since = stack.now()
    argued = dispute(customer, "chargeback")
    settle()
    opened = Standing(good=False, in_dispute=taken(reader, argued))
    verify_standing(table, reader, "opened", argued, opened)
    verify_no_refund(table, reader, "opened", argued, customer.quote()["quote"])

    stack.advance(timedelta(days=32))
    settle()
    verify_collected(table, reader, "meanwhile", argued, since=since, expected=0)
    settle_dispute(stack, argued.dispute, "lost")
    settle()

    lost = Standing(good=False, owed=taken(reader, argued))
    verify_standing(table, reader, "lost", argued, lost)
    # On a slow machine the minute's schedule comes in between, and says that evidence is due.
    told = [name for name in bus.about(customer.id) if name != "AttentionNeeded"]
    assert told == ["AccountSuspended", "ChargebackLost"]
    subjects = [mail.splitlines()[0] for mail in customer.mails()]
    assert subjects == ["Your account is suspended", "An amount is outstanding on your account"]


def test_access_is_off_before_anything_at_stripe_has_been_stopped(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table
):
    customer = newcomer(**MONTHLY)
    with held_back(stack, "CancellationEffectsQueue"):
        argued = dispute(customer, "chargeback")
        assert any(customer.account()["standing"] == "suspended" for _ in range(500))
        assert not customer.access()["entitled"]
        assert customer.at_stripe()["pause_collection"] is None
    settle()
    opened = Standing(good=False, in_dispute=taken(reader, argued))
    verify_standing(table, reader, "after the effects", argued, opened)


def test_an_inquiry_is_recorded_and_stops_nothing(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table, bus: Bus
):
    customer = newcomer(**MONTHLY)
    leave_unpaid(stack, customer.id, "usd", 800)
    argued = dispute(customer, "inquiry")
    settle()
    verify_standing(table, reader, "inquiry", argued, GOOD)
    settle_dispute(stack, argued.dispute, "closed")
    settle()
    verify_standing(table, reader, "closed", argued, GOOD)

    assert bus.about(customer.id) == ["InquiryReceived"]
    assert customer.mails() == ()
    log = (stack.directory / "logs" / "process_stripe_event.log").read_text()
    assert '"dispute_tell_inquiry"' in log


def test_a_won_chargeback_reinstates_and_starts_what_was_stopped(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table, bus: Bus
):
    customer = newcomer(**MONTHLY, subscriptions=2)
    leave_unpaid(stack, customer.id, "usd", 800)
    since = stack.now()
    argued = dispute(customer, "chargeback")
    settle()
    settle_dispute(stack, argued.dispute, "won")
    settle()

    verify_standing(table, reader, "won", argued, GOOD)
    assert bus.about(customer.id) == ["AccountReinstated", "AccountSuspended", "ChargebackWon"]
    stack.advance(timedelta(hours=2))
    settle()
    verify_collected(table, reader, "afterwards", argued, since=since, expected=800)


def test_a_chargeback_won_after_it_was_lost_is_not_owed_any_more(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table
):
    customer = newcomer(**MONTHLY)
    argued = dispute(customer, "chargeback")
    settle()
    for outcome in ("lost", "won"):
        settle_dispute(stack, argued.dispute, outcome)
        settle()
    verify_standing(table, reader, "lost, then won", argued, GOOD)


def test_an_inquiry_that_escalates_is_a_chargeback(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table
):
    customer = newcomer(**MONTHLY)
    argued = dispute(customer, "inquiry")
    settle()
    settle_dispute(stack, argued.dispute, "escalated")
    settle()
    opened = Standing(good=False, in_dispute=taken(reader, argued))
    verify_standing(table, reader, "escalated", argued, opened)


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_repeated_and_late_news_change_nothing(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, outcome: str
):
    customer = newcomer(**MONTHLY)
    argued = dispute(customer, "chargeback")
    settle()
    settle_dispute(stack, argued.dispute, outcome)
    settle()
    before = seen(customer)

    for event in events_about(reader, argued) * 2:
        assert deliver(stack, event).status_code == 200
    for number, event in enumerate(events_about(reader, argued)):
        assert deliver(stack, {**event, "id": f"evt_again_{outcome}_{number}"}).status_code == 200
    settle()

    assert seen(customer) == before


def test_two_chargebacks_are_lifted_one_by_one(stack: Stack, newcomer: Newcomer, settle: Settle):
    customer = newcomer(**MONTHLY, subscriptions=2)
    charges = [paying_charge(stack, sale.subscription) for sale in customer.sales]
    disputes = [open_dispute(stack, charge, "chargeback") for charge in charges]
    settle()
    assert sorted(cause["id"] for cause in customer.account()["causes"]) == sorted(disputes)

    settle_dispute(stack, disputes[0], "won")
    settle()
    assert [cause["id"] for cause in customer.account()["causes"]] == [disputes[1]]
    assert not customer.access()["entitled"]
    assert customer.at_stripe()["pause_collection"]
    settle_dispute(stack, disputes[1], "won")
    settle()
    assert customer.account()["standing"] == "good"
    assert customer.access()["entitled"]
    assert customer.at_stripe()["pause_collection"] is None
