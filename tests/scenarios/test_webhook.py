"""What comes to the webhook: refused with 400 and nothing kept, parked, or taken."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import stripe

from infrastructure.local.at_stripe import control
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import held_back, signed
from tests.infrastructure.openapi import assert_answer_fits

pytestmark = pytest.mark.stack

Headers = dict[str, str]
QUEUES = ("StripeEventsQueue", "ParkedEventsQueue")
TOLERATED = 300  # seconds between the signature's time and the present
TOO_LARGE = 512 * 1024 + 1


def event(**changes: Any) -> dict[str, Any]:
    """An event about a subscription, as Stripe sends it."""
    return {
        "id": "evt_scenario",
        "object": "event",
        "api_version": stripe.api_version,
        "created": 1_767_225_600,
        "data": {"object": {"id": "sub_nobodys", "object": "subscription", "customer": "cus_no"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "customer.subscription.updated",
    } | changes


BODY = json.dumps(event()).encode()


class Inbox:
    """The webhook with its consumer held back: what is kept stays where it can be counted."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def now(self) -> int:
        """The present of the local clock, in seconds."""
        return int(self._stack.now().timestamp())

    def sign(self, body: bytes, *, by: int = 0, secret: str | None = None) -> Headers:
        """Stripe's headers for a body, `by` seconds from now."""
        return signed(secret or self._stack.webhook_secret, body, self.now() + by)

    def post(self, body: bytes, headers: Headers) -> requests.Response:
        """Post to the webhook and hold the answer against openapi.yaml."""
        url = self._stack.webhook_url
        answer = requests.post(url, data=body, headers=headers, timeout=30)
        content = answer.headers, answer.json()
        assert_answer_fits("POST", "/webhooks/stripe", answer.status_code, *content)
        return answer

    def kept(self) -> int:
        """How many messages lie in the inbox and among the parked ones."""
        return sum(self._count(queue) for queue in QUEUES)

    def parked(self, identifier: str) -> list[str]:
        """Why an event was parked, once for each time that it was."""
        sqs, url = self._stack.aws("sqs"), self._stack.outputs["ParkedEventsQueueUrl"]
        found = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=5
        ).get("Messages", []):
            bodies = [json.loads(message["Body"]) for message in messages]
            found += [b["parked_because"] for b in bodies if b["event"] == identifier]
        return found

    def _count(self, queue: str) -> int:
        wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self._stack.outputs[f"{queue}Url"]
        answer = self._stack.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)
        return sum(int(answer["Attributes"][name]) for name in wanted)


@pytest.fixture(scope="module")
def inbox(stack: Stack) -> Iterator[Inbox]:
    stack.settle()
    with held_back(stack, "StripeEventsQueue"):
        yield Inbox(stack)
        stack.aws("sqs").purge_queue(QueueUrl=stack.outputs["StripeEventsQueueUrl"])


def timestamped(header: str, inbox: Inbox) -> Headers:
    return {"Stripe-Signature": header.format(now=inbox.now())}


UNTRUSTED: dict[str, Callable[[Inbox], tuple[bytes, Headers]]] = {
    "unsigned": lambda _: (BODY, {}),
    "an empty signature": lambda _: (BODY, {"Stripe-Signature": ""}),
    "no timestamp": lambda _: (BODY, {"Stripe-Signature": "v1=" + "0" * 64}),
    "no signature": lambda inbox: (BODY, timestamped("t={now}", inbox)),
    "an unknown scheme": lambda inbox: (BODY, timestamped("t={now},v0=" + "0" * 64, inbox)),
    "an endless timestamp": lambda inbox: (BODY, timestamped("t=" + "9" * 400 + ",v1=0", inbox)),
    "a signature that is not ASCII": lambda inbox: (BODY, timestamped("t={now},v1=é", inbox)),
    "forged": lambda inbox: (BODY, inbox.sign(BODY, secret="whsec_somebody_elses")),
    "of another body": lambda inbox: (BODY + b" ", inbox.sign(BODY)),
    "stale": lambda inbox: (BODY, inbox.sign(BODY, by=-TOLERATED - 10)),
    "from the future": lambda inbox: (BODY, inbox.sign(BODY, by=TOLERATED + 10)),
}

UNREADABLE = {
    "oversized": json.dumps(event(padding="x" * TOO_LARGE)).encode(),
    "not UTF-8": BODY.replace(b"sub_nobodys", b"sub_\xff\xfe"),
    "not JSON": b"id=evt_1&type=x",
    "empty": b"",
    "not an object": b"[1, 2, 3]",
    "nested without end": b"[" * 100_000,
    "without an id": json.dumps(event(id=None)).encode(),
    "without a type": json.dumps(event(type=7)).encode(),
}

UNUSABLE = {
    "thin": event(object="v2.core.event", type="v1.billing.meter.no_meter_found"),
    "unhandled_type": event(type="product.created"),
    "api_version": event(api_version="2020-08-27"),
    "livemode": event(livemode=True),
    "no_object": event(data={}),
}


@pytest.mark.parametrize("what", UNTRUSTED)
def test_what_cannot_be_trusted_is_refused_and_not_kept(inbox: Inbox, what: str):
    before = inbox.kept()
    body, headers = UNTRUSTED[what](inbox)
    answer = inbox.post(body, {"Content-Type": "application/json", **headers})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/untrusted")
    assert inbox.kept() == before


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_refused_and_not_kept_though_signed(inbox: Inbox, what: str):
    before = inbox.kept()
    answer = inbox.post(UNREADABLE[what], inbox.sign(UNREADABLE[what]))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/untrusted")
    assert inbox.kept() == before


@pytest.mark.parametrize("reason", UNUSABLE)
def test_what_is_genuine_and_of_no_use_is_taken_and_parked(inbox: Inbox, reason: str):
    before, identifier = inbox.kept(), f"evt_{reason}"
    body = json.dumps(UNUSABLE[reason] | {"id": identifier}).encode()
    answer = inbox.post(body, inbox.sign(body))
    assert answer.json() == {"received": True}
    assert inbox.kept() == before + 1
    assert inbox.parked(identifier) == [reason]


def test_what_is_genuine_and_of_use_is_taken(inbox: Inbox):
    before = inbox.kept()
    assert inbox.post(BODY, inbox.sign(BODY)).json() == {"received": True}
    assert inbox.kept() == before + 1


@pytest.mark.parametrize("by", [-TOLERATED + 10, TOLERATED - 10])
def test_a_clock_that_is_a_little_wrong_is_tolerated(inbox: Inbox, by: int):
    assert inbox.post(BODY, inbox.sign(BODY, by=by)).status_code == 200


def test_no_personal_data_enters_the_queue(inbox: Inbox, stack: Stack):
    secret = "ann.archer@example.com"
    thing = {"id": "sub_x", "object": "subscription", "customer": "cus_no", "email": secret}
    body = json.dumps(event(type="product.created", data={"object": thing}, id="evt_mail")).encode()
    inbox.post(body, inbox.sign(body))
    sqs, url = stack.aws("sqs"), stack.outputs["ParkedEventsQueueUrl"]
    seen = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=5
    ).get("Messages", []):
        seen += [message["Body"] for message in messages]
    assert any("evt_mail" in one for one in seen)
    assert not any(secret in one for one in seen)


def test_the_local_stripe_has_found_no_defect_of_its_own(stack: Stack):
    assert control(stack, "GET", "health")["violations"] == []
