"""Cancel now, over HTTP: the quote is carried out exactly once and exactly as shown, or refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.local.at_stripe import open_dispute, paying_charge
from infrastructure.local.stack import EFFECTS_QUEUES, Stack
from infrastructure.local.story_tools import held_back
from tests.scenarios.conftest import Bus
from tests.scenarios.customers import Customer, ask
from tests.verifier.arithmetic import half_up, written
from tests.verifier.cancel_now import CancelledNow, verify_cancelled_now
from tests.verifier.reader import Reader
from tests.verifier.table import Table

pytestmark = pytest.mark.stack

Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
LONGER_THAN_A_QUOTE = timedelta(minutes=16)
LONGER_THAN_THE_SWEEP = timedelta(minutes=5)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param({"currency": "usd", "amount": 120_000}, id="no tax"),
        pytest.param({"currency": "eur", "amount": 34_999, "tax": ("19", False)}, id="tax on top"),
        pytest.param({"currency": "gbp", "amount": 9_997, "tax": ("7.7", True)}, id="tax inside"),
        pytest.param({"currency": "jpy", "amount": 35_999, "tax": ("10", True)}, id="yen"),
    ],
)
@pytest.mark.clause("voip.unused_prepaid")
def test_the_unused_part_goes_back_once_with_a_credit_note(
    stack: Stack,
    newcomer: Newcomer,
    settle: Settle,
    reader: Reader,
    table: Table,
    bus: Bus,
    plan: dict[str, Any],
):
    customer = newcomer(**plan)
    stack.advance(timedelta(days=20, seconds=7))
    before = stack.now().replace(microsecond=0)
    quote = customer.quote()
    asked = (before, stack.now())
    confirmed = customer.confirm(quote)
    assert confirmed["state"] == "executing"
    assert [refund["status"] for refund in confirmed["refunds"]] == ["reserved"]
    assert not customer.access()["entitled"]
    settle()

    done = CancelledNow(
        customer.sale, customer.token, asked, quote["quote"], confirmed["id"], customer.mails()
    )
    verify_cancelled_now(table, reader, done)
    assert bus.about(customer.id) == ["RefundIssued", "SubscriptionEnded"]


def test_charges_for_later_time_go_and_earned_ones_stay(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    stack.advance(timedelta(days=10))
    now = stack.now()
    customer.let_wait("earned", 300, now - timedelta(days=9), now - timedelta(days=1))
    customer.let_wait("later", 500, now + timedelta(days=1), now + timedelta(days=30))

    customer.confirm(customer.quote())
    settle()

    assert customer.waiting() == [("earned", 300)]


def test_the_same_key_answers_the_same_and_another_body_is_refused(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    quote, other = customer.quote(), customer.quote()
    first = customer.confirm(quote, key="one key")
    settle()
    headers = {"Idempotency-Key": "one key"}
    body = {"quote_id": quote["id"]}

    again = ask(stack, 202, "POST", "/v1/cancellations", customer.token, body=body, headers=headers)
    assert first == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    problem = customer.confirm(other, key="one key", expected=409)
    assert problem["type"] == "/problems/idempotency-mismatch"
    settle()
    assert [quote["quote"]["total"]] == customer.refunds()


def test_an_expired_quote_is_refused_with_new_figures_that_can_be_confirmed(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    stale = customer.quote()
    stack.advance(LONGER_THAN_A_QUOTE)

    problem = customer.confirm(stale, expected=409)

    assert problem["type"] == "/problems/quote-expired"
    fresh = problem["quote"]
    assert fresh["quote"]["total"] < stale["quote"]["total"]
    assert customer.shown()["can"]["cancel_immediately"]
    customer.confirm(fresh)
    settle()
    assert [fresh["quote"]["total"]] == customer.refunds()


def test_a_refund_made_elsewhere_meanwhile_is_refused_with_new_figures(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(amount=36_500)
    stack.advance(timedelta(days=73))
    quote = customer.quote()
    elsewhere = 20_000
    stack.stripe.v1.refunds.create({"payment_intent": customer.payment(), "amount": elsewhere})
    settle()

    problem = customer.confirm(quote, expected=409)

    assert problem["type"] == "/problems/facts-changed"
    fresh = problem["quote"]
    assert 36_500 - elsewhere == fresh["quote"]["total"] < quote["quote"]["total"]
    customer.confirm(fresh)
    settle()
    assert sorted([elsewhere, 36_500 - elsewhere]) == customer.refunds()


def test_a_chargeback_meanwhile_blocks_the_refund(stack: Stack, newcomer: Newcomer, settle: Settle):
    customer = newcomer()
    quote = customer.quote()
    open_dispute(stack, paying_charge(stack, customer.subscription), "chargeback")
    settle()

    problem = customer.confirm(quote, expected=409)

    assert problem["type"] == "/problems/facts-changed"
    assert (
        problem["quote"]["quote"]["outcome"],
        problem["quote"]["quote"]["total"],
    ) == ("denied", 0)
    settle()
    assert customer.refunds() == []
    assert customer.at_stripe()["status"] == "active"


def test_a_chargeback_that_nobody_here_has_heard_of_blocks_the_refund_too(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    quote = customer.quote()
    with held_back(stack, "StripeEventsQueue"):
        open_dispute(stack, paying_charge(stack, customer.subscription), "chargeback")
        problem = customer.confirm(quote, expected=409)
    settle()

    assert problem["type"] == "/problems/facts-changed"
    assert problem["quote"]["quote"]["total"] == 0
    assert customer.refunds() == []


def test_cancelling_twice_has_one_effect(newcomer: Newcomer, settle: Settle):
    customer = newcomer()
    quote, other = customer.quote(), customer.quote()
    cancellation = customer.confirm(quote)

    for again, slug in ((quote, "quote-used"), (other, "already-canceled")):
        problem = customer.confirm(again, expected=409)
        assert f"/problems/{slug}" == problem["type"]
        assert cancellation["id"] == problem["cancellation"]
    settle()
    for again, slug in ((quote, "quote-used"), (other, "already-canceled")):
        assert f"/problems/{slug}" == customer.confirm(again, expected=409)["type"]
    assert customer.quote(expected=409)["type"] == "/problems/already-canceled"
    settle()
    assert [quote["quote"]["total"]] == customer.refunds()


def test_of_confirmations_at_the_same_time_one_has_an_effect(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    quotes = [customer.quote(), customer.quote()]

    def confirm(number: int) -> int:
        body, headers = {"quote_id": quotes[number % 2]["id"]}, {"Idempotency-Key": str(number)}
        path, token = "/v1/cancellations", customer.token
        return stack.call("POST", path, token=token, body=body, headers=headers).status_code

    with ThreadPoolExecutor() as pool:
        answers = sorted(pool.map(confirm, range(4)))
    settle()

    assert answers == [202, 409, 409, 409]
    assert len(customer.refunds()) == 1


def test_a_refund_whose_answer_was_cut_off_is_made_once(
    newcomer: Newcomer, settle: Settle, faults: Callable[..., None], reader: Reader
):
    customer = newcomer()
    faults("commit_then_cut", method="POST", path="/v1/refunds", times=3)
    faults("duplicate_deliveries", probability=1.0)
    quote = customer.quote()
    cancellation = customer.confirm(quote)
    settle()

    assert [quote["quote"]["total"]] == customer.refunds()
    assert customer.cancellation(cancellation)["state"] == "executed"
    made = reader.requests_made("POST", "/v1/refunds")
    assert sum(e["params"]["payment_intent"] == customer.payment() for e in made) == 1
    amount = written(quote["quote"]["total"], "usd")
    assert sum(amount in mail for mail in customer.mails()) == 1


def test_effects_whose_messages_are_lost_are_found_by_the_sweeper(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer()
    quote = customer.quote()
    with held_back(stack, *EFFECTS_QUEUES):
        cancellation = customer.confirm(quote)
        for queue in EFFECTS_QUEUES:
            stack.aws("sqs").purge_queue(QueueUrl=stack.outputs[f"{queue}Url"])
    settle()
    assert customer.cancellation(cancellation)["state"] == "executing"
    assert customer.refunds() == []

    stack.advance(LONGER_THAN_THE_SWEEP)
    stack.fire_schedule()
    settle()

    assert customer.cancellation(cancellation)["state"] == "executed"
    assert [quote["quote"]["total"]] == customer.refunds()


def test_what_belongs_to_another_customer_is_as_good_as_absent(newcomer: Newcomer, settle: Settle):
    owner, other = newcomer(), newcomer()
    quote = owner.quote()
    scheduled = owner.confirm(owner.quote("at_period_end"))
    settle()
    absent = "0" * 26
    key = {"Idempotency-Key": "any"}

    for method, path, theirs, nobodys in (
        ("POST", "/v1/quotes", {"subscription": owner.subscription}, {"subscription": "sub_no"}),
        ("POST", "/v1/cancellations", {"quote_id": quote["id"]}, {"quote_id": absent}),
    ):
        more = {"timing": "immediately"} if "subscription" in theirs else {}
        bodies = [
            other.ask(404, method, path, body={**body, **more}, headers=key)
            for body in (theirs, nobodys)
        ]
        assert bodies[0] == bodies[1]
    for method in ("GET", "DELETE"):
        bodies = [
            other.ask(404, method, f"/v1/cancellations/{one}") for one in (scheduled["id"], absent)
        ]
        assert bodies[0] == bodies[1]
    assert owner.cancellation(scheduled)["state"] == "scheduled"


def test_a_quote_shows_the_exact_fraction_and_what_is_left(stack: Stack, newcomer: Newcomer):
    customer = newcomer(amount=73_000)
    stack.advance(timedelta(days=146))
    quote = customer.quote()["quote"]
    at = quote["cancellation"]["effective_at"]

    unused = customer.sale.unused(stack.now().fromisoformat(at))
    [line] = quote["lines"]
    assert (str(unused), half_up(73_000 * unused)) == (line["fraction"], line["amount"])
    assert at == quote["cancellation"]["access_until"]
    assert quote["outcome"] == "granted"
