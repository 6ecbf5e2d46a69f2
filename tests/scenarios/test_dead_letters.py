"""Dead letters and parked events, nine days old: shown without loss, sent round again in safety."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.local.at_stripe import control, open_dispute, paying_charge
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import held_back
from shared.domain.effects import Effect, EffectKind, Lane
from tests.scenarios.conftest import Fairexit
from tests.scenarios.customers import Customer
from tests.scenarios.divergences import Shop

pytestmark = pytest.mark.stack

SETTLE_SECONDS = 60
NINE_DAYS = timedelta(days=9)
Faults = Callable[..., None]
Newcomer = Callable[..., Customer]
Put = Callable[[str, Any], str]
WAITING, IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


@pytest.fixture
def dead(stack: Stack) -> Iterator[Put]:
    """Puts a letter into one of the queues that nobody consumes; they are empty at the end."""
    sqs = stack.aws("sqs")
    used: set[str] = set()

    def put(output: str, body: Any) -> str:
        url = stack.outputs[output]
        used.add(url)
        message: str = sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))["MessageId"]
        return message

    yield put
    for url in used:
        sqs.purge_queue(QueueUrl=url)


def waiting(stack: Stack, output: str, counted: str = WAITING) -> int:
    answer = stack.aws("sqs").get_queue_attributes(
        QueueUrl=stack.outputs[output], AttributeNames=[counted]
    )
    return int(answer["Attributes"][counted])


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def chargeback_that_nobody_heard_of(
    stack: Stack, customer: Customer, faults: Faults
) -> dict[str, Any]:
    """The envelope of its event, as it lies there after nine days."""
    faults("dropped")
    dispute = open_dispute(stack, paying_charge(stack, customer.subscription), "chargeback")
    opened = int(stack.now().timestamp())
    stack.advance(NINE_DAYS)
    assert customer.account()["standing"] == "good"
    return {
        "event": f"evt_{dispute}",
        "type": "charge.dispute.created",
        "created": opened,
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "object": dispute,
        "object_kind": "dispute",
        "customer": None,
        "status": "needs_response",
        "idempotency_key": None,
    }


def test_an_event_nine_days_old_is_looked_at_again(
    stack: Stack, newcomer: Newcomer, dead: Put, fairexit: Fairexit, faults: Faults
) -> None:
    customer = newcomer()
    envelope = chargeback_that_nobody_heard_of(stack, customer, faults)
    for _ in range(2):
        dead("StripeEventsDeadLetterQueueUrl", envelope)
    assert fairexit("dlq", "redrive", "stripe-events") == (0, "2 sent round again, 0 kept\n")
    stack.settle(SETTLE_SECONDS)
    assert customer.account()["standing"] == "suspended"
    assert waiting(stack, "StripeEventsDeadLetterQueueUrl") == 0
    suspensions = [mail for mail in customer.mails() if "suspended" in mail]
    assert len(suspensions) == 1


def test_an_effect_nine_days_old_makes_no_second_refund(
    stack: Stack, newcomer: Newcomer, dead: Put, fairexit: Fairexit, faults: Faults
) -> None:
    """Stripe made the refund, its answer and its events were lost, and its key is forgotten.

    Late in the month so little goes back that the payment has room for a second time.
    """
    customer = newcomer(interval="month", amount=9_000)
    stack.advance(timedelta(days=18))
    faults("dropped")
    faults("commit_then_cut", method="POST", path="/v1/refunds", probability=1)
    cancellation = customer.confirm(customer.quote())
    promised = [refund["amount"] for refund in cancellation["refunds"]]
    assert 0 < 2 * promised[0] < 9_000
    until(lambda: customer.refunds() == promised)
    with held_back(stack, "MoneyEffectsQueue"):
        # No function lives for nine days: the attempt that runs now ends before they pass.
        until(lambda: waiting(stack, "MoneyEffectsQueueUrl", IN_FLIGHT) == 0)
        stack.aws("sqs").purge_queue(QueueUrl=stack.outputs["MoneyEffectsQueueUrl"])
        stack.advance(NINE_DAYS)
        control(stack, "DELETE", "faults")
    stack.settle(SETTLE_SECONDS)
    (refund,) = customer.cancellation(cancellation)["refunds"]
    assert refund["status"] != "succeeded"

    stored = Shop(stack).store.all_of(Effect, customer.id)
    (effect,) = [one.record for one in stored if one.record.kind is EffectKind.REFUND_PAYMENT]
    for _ in range(3):
        dead("MoneyEffectsDeadLetterQueueUrl", {"customer": customer.id, "effect": effect.id})
    assert fairexit("dlq", "redrive", "money-effects")[0] == 0
    stack.settle(SETTLE_SECONDS)
    (refund,) = customer.cancellation(cancellation)["refunds"]
    assert refund["status"] == "succeeded"
    assert customer.refunds() == promised


def test_a_cancellation_and_its_mail_nine_days_old_happen_once(
    stack: Stack, newcomer: Newcomer, dead: Put, fairexit: Fairexit
) -> None:
    lanes = {Lane.CANCELLATION: "cancellation-effects", Lane.NOTIFICATION: "notification-effects"}
    customer = newcomer()
    queues = [f"{lane.title()}EffectsQueue" for lane in lanes]
    with held_back(stack, *queues):
        cancellation = customer.confirm(customer.quote("at_period_end"))
        for queue in queues:
            stack.aws("sqs").purge_queue(QueueUrl=stack.outputs[f"{queue}Url"])
    stack.advance(NINE_DAYS)
    assert customer.mails() == ()
    assert not customer.at_stripe()["cancel_at_period_end"]

    stored = [one.record for one in Shop(stack).store.all_of(Effect, customer.id)]
    for lane, name in lanes.items():
        for effect in [one for one in stored if one.lane is lane] * 3:
            queue = f"{lane.title()}EffectsDeadLetterQueueUrl"
            dead(queue, {"customer": customer.id, "effect": effect.id})
        assert fairexit("dlq", "redrive", name)[0] == 0
    stack.settle(SETTLE_SECONDS)
    assert customer.cancellation(cancellation)["state"] == "scheduled"
    assert customer.at_stripe()["cancel_at_period_end"]
    assert len(customer.mails()) == 1


def test_a_parked_event_of_use_is_sent_round_and_any_other_stays(
    stack: Stack, newcomer: Newcomer, dead: Put, fairexit: Fairexit, faults: Faults
) -> None:
    customer = newcomer()
    envelope = chargeback_that_nobody_heard_of(stack, customer, faults)
    old = envelope | {"api_version": "2025-03-31.basil", "parked_because": "api_version"}
    stray = envelope | {"livemode": True, "parked_because": "livemode"}
    foreign = envelope | {"type": "charge.captured", "parked_because": "unhandled_type"}
    for body in (old, stray, foreign):
        dead("ParkedEventsQueueUrl", body)
    assert fairexit("dlq", "redrive", "parked-events") == (1, "1 sent round again, 2 kept\n")
    stack.settle(SETTLE_SECONDS)
    assert customer.account()["standing"] == "suspended"
    assert waiting(stack, "ParkedEventsQueueUrl") == 2
    assert waiting(stack, "StripeEventsDeadLetterQueueUrl") == 0


def test_looking_loses_nothing(stack: Stack, dead: Put, fairexit: Fairexit) -> None:
    ids = [
        dead("MoneyEffectsDeadLetterQueueUrl", {"customer": "cus_nobody", "effect": f"01J{number}"})
        for number in range(13)
    ]
    for _ in range(2):
        status, printed = fairexit("dlq", "show", "money-effects")
        assert status == 0
        assert all(name in printed for name in ids)
        assert "13 messages; all of them are still there" in printed
    assert waiting(stack, "MoneyEffectsDeadLetterQueueUrl") == 13
    _, printed = fairexit("dlq", "list")
    assert "money-effects" in printed
    assert "13 waiting" in printed
    _, printed = fairexit("dlq", "show", "money-effects", "--limit", "4")
    assert "4 messages" in printed


def test_one_message_alone_can_be_sent_round(stack: Stack, dead: Put, fairexit: Fairexit) -> None:
    ids = [
        dead("ParkedEventsQueueUrl", {"type": "charge.captured", "number": number})
        for number in range(3)
    ]
    status, printed = fairexit("dlq", "redrive", "parked-events", "--message", ids[1])
    assert (status, printed) == (1, "0 sent round again, 1 kept\n")
    assert waiting(stack, "ParkedEventsQueueUrl") == 3


def test_an_unknown_queue_is_refused(fairexit: Fairexit) -> None:
    assert fairexit("dlq", "show", "effekts") == (2, "")
