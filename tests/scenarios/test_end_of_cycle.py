"""Cancel at the end of the cycle, over HTTP: to the second, and billed to the cent."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import Json, deliver, held_back
from tests.scenarios.conftest import Bus
from tests.scenarios.customers import Customer
from tests.verifier.arithmetic import Charge
from tests.verifier.end_of_cycle import (
    Ending,
    verify_access,
    verify_ended,
    verify_scheduled,
    verify_taken_back,
)
from tests.verifier.reader import Reader
from tests.verifier.table import Table

pytestmark = pytest.mark.stack

Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
DAY = timedelta(days=1)
MONTHLY = {"interval": "month", "currency": "eur", "amount": 2_900, "tax": ("19", False)}


def ending_of(customer: Customer, *charges: Charge) -> Ending:
    """The end of the customer's present cycle, with charges that wait to be billed."""
    for charge in charges:
        customer.let_wait(charge.what, charge.amount, charge.start, charge.end)
    _, end = customer.sale.period(customer.stack.now())
    return Ending(customer.sale, customer.token, charges, end)


def seen(customer: Customer) -> Json:
    """Everything that a webhook could move."""
    return {
        "subscription": customer.shown(),
        "account": customer.account(),
        "access": customer.access(),
        "mails": customer.mails(),
        "waiting": customer.waiting(),
    }


def deleted_event(reader: Reader, customer: Customer) -> Json:
    """Stripe's event of the end."""
    events = reader.stripe_list("events", type="customer.subscription.deleted")
    [event] = [e for e in events if e["data"]["object"]["id"] == customer.subscription]
    return event


@pytest.mark.clause("voip.cancel_end_of_cycle")
def test_scheduled_taken_back_scheduled_again_and_ended_to_the_second(
    stack: Stack,
    newcomer: Newcomer,
    settle: Settle,
    reader: Reader,
    table: Table,
    bus: Bus,
):
    customer = newcomer(**MONTHLY)
    start, end = customer.sale.period(stack.now())
    ending = ending_of(
        customer,
        Charge("earned", 701, start, start + 2 * DAY),
        Charge("later", 503, end, end + 3 * DAY),
        Charge("across", 999, end - 5 * DAY, end + 10 * DAY),
    )
    first = customer.confirm(customer.quote("at_period_end"))
    settle()
    verify_scheduled(table, reader, ending)
    customer.withdraw(first)
    settle()
    verify_taken_back(table, reader, ending)
    assert customer.cancellation(first)["state"] == "withdrawn"
    second = customer.confirm(customer.quote("at_period_end"))
    settle()
    verify_scheduled(table, reader, ending)

    stack.set_clock(end - timedelta(minutes=1))
    verify_access(table, reader, ending, when="a minute before", on=True)
    stack.set_clock(end)
    verify_access(table, reader, ending, when="from the end on", on=False)
    settle()
    stack.fire_schedule()
    stack.advance(timedelta(hours=2))
    settle()

    verify_ended(table, reader, ending)
    assert customer.cancellation(second)["state"] == "executed"
    scheduled = ["CancellationScheduled"] * 2
    assert bus.about(customer.id) == [*scheduled, "CancellationWithdrawn", "SubscriptionEnded"]
    subjects = [mail.splitlines()[0] for mail in customer.mails()]
    assert subjects[1] == "Your subscription goes on"
    assert subjects[3] == "Your subscription has ended"


def test_a_charge_that_is_split_and_put_back_keeps_its_tax(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(**MONTHLY)
    _, end = customer.sale.period(stack.now())
    params: Any = {"display_name": "VAT", "percentage": 7.7, "inclusive": False}
    rate = stack.stripe.v1.tax_rates.create(params).id
    more = {"tax_rates": [rate], "discountable": False}
    customer.let_wait("across", 999, end - 5 * DAY, end + 10 * DAY, **more)
    cancellation = customer.confirm(customer.quote("at_period_end"))
    settle()
    customer.withdraw(cancellation)
    settle()

    pending: Any = {"customer": customer.id, "pending": True}
    items = stack.stripe.v1.invoice_items.list(pending).data
    assert sorted(item.amount for item in items) == [333, 666]
    for item in items:
        assert [one.id for one in item.tax_rates or []] == [rate]
        assert not item.discountable


def test_the_schedule_ends_it_when_stripes_news_are_lost(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader, table: Table
):
    customer = newcomer(**MONTHLY)
    ending = ending_of(customer)
    customer.confirm(customer.quote("at_period_end"))
    settle()
    with held_back(stack, "StripeEventsQueue"):
        stack.set_clock(ending.end)
        _wait_for_deliveries(stack)
        stack.aws("sqs").purge_queue(QueueUrl=stack.outputs["StripeEventsQueueUrl"])
    assert customer.shown()["status"] == "active"
    stack.fire_schedule()
    settle()

    verify_ended(table, reader, ending)


def test_a_late_or_repeated_end_changes_nothing(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader
):
    customer = newcomer(**MONTHLY)
    ending = ending_of(customer)
    customer.confirm(customer.quote("at_period_end"))
    settle()
    with held_back(stack, "StripeEventsQueue"):
        stack.set_clock(ending.end + timedelta(hours=3))
        stack.fire_schedule()
        _wait_until(lambda: customer.shown()["status"] == "ended")
        _wait_until(lambda: "EffectsQueue" not in " ".join(stack.waiting()))
        before = seen(customer)
    settle()
    assert seen(customer) == before
    event = deleted_event(reader, customer)
    for _ in range(2):
        assert deliver(stack, event).status_code == 200
    stack.fire_schedule()
    settle()
    assert seen(customer) == before


def test_access_ends_with_the_cycle_when_neither_the_news_nor_the_schedule_come(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(**MONTHLY)
    ending = ending_of(customer)
    customer.confirm(customer.quote("at_period_end"))
    settle()
    with held_back(stack, "StripeEventsQueue"):
        stack.set_clock(ending.end)
        access = customer.access()
    settle()
    assert not access["entitled"]
    assert datetime.fromisoformat(access["access_until"]) == ending.end


def test_taking_back_twice_is_answered_alike_and_too_late_is_refused(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(**MONTHLY)
    first = customer.confirm(customer.quote("at_period_end"))
    assert customer.withdraw(first) == customer.withdraw(first)
    settle()
    assert customer.at_stripe()["cancel_at"] is None

    second = customer.confirm(customer.quote("at_period_end"))
    settle()
    stack.set_clock(datetime.fromisoformat(second["can_withdraw_until"]))
    problem = customer.withdraw(second, expected=409)
    assert problem["type"] == "/problems/too-late"
    settle()
    assert customer.at_stripe()["status"] == "canceled"
    assert customer.withdraw(second, expected=409)["type"] == "/problems/too-late"
    assert customer.cancellation(second)["state"] == "executed"


def test_what_is_set_to_end_cannot_be_cancelled_again(newcomer: Newcomer, settle: Settle):
    customer = newcomer(**MONTHLY)
    quote, other = customer.quote("at_period_end"), customer.quote()
    cancellation = customer.confirm(quote)
    settle()

    problem = customer.confirm(other, expected=409)
    assert (problem["type"], problem["cancellation"]) == (
        "/problems/already-canceled",
        cancellation["id"],
    )
    assert customer.quote(expected=409)["cancellation"] == cancellation["id"]
    settle()
    assert customer.refunds() == []
    assert customer.at_stripe()["cancel_at_period_end"]


def test_a_subscription_that_was_cancelled_at_stripe_is_refused(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(**MONTHLY)
    quote = customer.quote()
    stack.stripe.v1.subscriptions.cancel(customer.subscription)
    settle()

    assert not customer.access()["entitled"]
    problem = customer.confirm(quote, expected=409)
    assert (problem["type"], problem["cancellation"]) == ("/problems/already-canceled", None)
    assert customer.refunds() == []


def _wait_for_deliveries(stack: Stack) -> None:
    _wait_until(lambda: "webhook deliveries" not in stack.waiting())


def _wait_until(happened: Callable[[], bool]) -> None:
    """Poll for something that needs no pause between the looks: each is a request."""
    assert any(happened() for _ in range(1_000))
