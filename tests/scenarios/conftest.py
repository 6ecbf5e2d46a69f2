"""What the scenarios share: the verifier's eyes, and an ear on the bus of domain events."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infrastructure.cli.__main__ import main
from infrastructure.local.at_stripe import control
from infrastructure.local.processes import ROOT
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import reader_for
from shared.adapters.system_clock import SystemClock
from tests.scenarios.customers import SETTLE_SECONDS, Customer, join
from tests.verifier.reader import Reader
from tests.verifier.table import Table

Json = dict[str, Any]


@pytest.fixture
def newcomer(stack: Stack) -> Callable[..., Customer]:
    """Makes a customer: see `customers.join`."""

    def make(**wanted: Any) -> Customer:
        return join(stack, **wanted)

    return make


@pytest.fixture
def schedules_by_hand(stack: Stack) -> Iterator[Stack]:
    """The stack while no schedule fires but where a test fires it.

    The emulator fires them by real time: between two steps of a test, if the machine is slow.
    """
    events = stack.aws("events")
    names = [each["Name"] for each in events.list_rules()["Rules"] if "ScheduleExpression" in each]
    for name in names:
        events.disable_rule(Name=name)
    yield stack
    for name in names:
        events.enable_rule(Name=name)


@pytest.fixture(scope="session")
def reader(stack: Stack) -> Reader:
    """The verifier's eyes."""
    return reader_for(stack)


@pytest.fixture
def table() -> Iterator[Table]:
    """The verifier's table, all of whose rows must be equal at the end."""
    table = Table()
    yield table
    assert table.rows
    assert table.differing() == []


class Bus:
    """Keeps every domain event that reaches the bus, held against its schema."""

    def __init__(self, stack: Stack) -> None:
        sqs, events = stack.aws("sqs"), stack.aws("events")
        self._sqs, self._heard = sqs, list[Json]()
        self._url = sqs.create_queue(QueueName="heard")["QueueUrl"]
        wanted = ["QueueArn"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=wanted)
        bus = stack.outputs["EventBusName"]
        pattern = json.dumps({"source": ["fairexit"]})
        rule = events.put_rule(Name="heard", EventBusName=bus, EventPattern=pattern)["RuleArn"]
        arn = attributes["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
                }
            ],
        }
        sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        targets = [{"Id": "heard", "Arn": arn}]
        events.put_targets(Rule="heard", EventBusName=bus, Targets=targets)

    def about(self, customer: str, *, welcome: bool = False) -> list[str]:
        """The names of the events about a customer so far, each once, in alphabetical order.

        That the account was activated happens to everybody; it is there with `welcome`.
        """
        self._listen()
        mine = {event["detail"]["id"]: event for event in self._heard}
        return sorted(
            event["detail-type"]
            for event in mine.values()
            if event["detail"]["customer"] == customer
            and (welcome or event["detail-type"] != "AccountActivated")
        )

    def _listen(self) -> None:
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                event = json.loads(message["Body"])
                path = ROOT / "infrastructure" / "events" / f"{event['detail-type']}.json"
                Draft202012Validator(json.loads(path.read_text())).validate(event["detail"])
                self._heard.append(event)
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=handle)


@pytest.fixture(scope="session")
def bus(stack: Stack) -> Bus:
    """Listens to the bus of domain events."""
    return Bus(stack)


@pytest.fixture
def faults(stack: Stack) -> Iterator[Callable[..., None]]:
    """Lets the local Stripe misbehave until the test ends."""

    def make(kind: str, **details: Any) -> None:
        control(stack, "POST", "faults", {"kind": kind, **details})

    yield make
    control(stack, "DELETE", "faults")


@pytest.fixture
def settle(stack: Stack) -> Callable[[], None]:
    """Waits until nothing is under way."""
    return lambda: stack.settle(SETTLE_SECONDS)


Fairexit = Callable[..., tuple[int, str]]


@pytest.fixture
def fairexit(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Fairexit:
    """Runs a command line beside the stack, at the stack's time: its exit status and output."""
    for name, value in {
        "AWS_ENDPOINT_URL": stack.aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _self: stack.now())

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(arguments)
        return status, capsys.readouterr().out

    return run
