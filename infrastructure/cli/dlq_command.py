"""``fairexit dlq``: look at messages that nobody could process, and send them round again.

Looking loses nothing: a message is held for a moment and let go. A redrive sends the body to the
source queue and deletes the dead letter only after that has succeeded; if it dies in between, the
message goes round twice. Both are safe at any age, since an event only says where to look and an
effect is carried out as its record says.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infrastructure.cli.deployed import Deployed
from shared.adapters.stripe_events import HANDLED

_HOLD_SECONDS = 300
# A long poll asks all of SQS's servers, so that an empty answer means that nothing is left.
_POLL_SECONDS = 2
_PER_CALL = 10


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A queue that nobody consumes, and the one that its messages came from."""

    name: str
    url: str
    source_url: str

    @property
    def is_parked(self) -> bool:
        """Whether its messages were never tried, since they were of no use."""
        return self.name == "parked-events"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message, held by this command."""

    id: str
    body: str
    receipt: str
    sent_at: datetime
    received: int


def add_to(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser("dlq", help="dead letters and parked events of a stack")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    one = actions.add_parser("list", help="how many wait in which queue")
    one.set_defaults(run=_list)
    _common(one)
    one = actions.add_parser("show", help="the messages of one queue; they stay there")
    one.set_defaults(run=_show)
    _common(one, queue=True)
    one = actions.add_parser("redrive", help="send the messages of one queue round again")
    one.add_argument("--message", action="append", help="only this message id (repeatable)")
    one.set_defaults(run=_redrive)
    _common(one, queue=True)


def _common(parser: Any, *, queue: bool = False) -> None:
    parser.add_argument("--stack", default="fairexit", help="the deployed stack's name")
    if queue:
        parser.add_argument("queue", help="a name that `dlq list` shows")
        parser.add_argument("--limit", type=int, help="at most so many messages")


def queues_of(outputs: dict[str, str]) -> list[DeadLetters]:
    """Every queue of a stack that waits for a person, by its outputs."""
    found = []
    for output, url in sorted(outputs.items()):
        if output.endswith("DeadLetterQueueUrl"):
            stem = output.removesuffix("DeadLetterQueueUrl")
            found.append(DeadLetters(_dashed(stem), url, outputs[f"{stem}QueueUrl"]))
    parked = outputs["ParkedEventsQueueUrl"]
    return [*found, DeadLetters("parked-events", parked, outputs["StripeEventsQueueUrl"])]


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _list(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    for queue in queues_of(deployed.outputs):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = deployed.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)
        waiting, held = (answer["Attributes"][name] for name in names)
        print(f"{queue.name:<24}{waiting:>6} waiting{held:>6} held")
    return 0


def _show(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    queue = _named(deployed, options.queue)
    if queue is None:
        return 2
    with held(deployed.sqs, queue, options.limit) as letters:
        for letter in letters:
            print(f"{letter.id}  {letter.sent_at:%Y-%m-%d %H:%M:%S} UTC  {letter.received} times")
            print(f"  {letter.body}")
        print(f"{len(letters)} messages; all of them are still there")
    return 0


def _redrive(options: argparse.Namespace) -> int:
    deployed = Deployed(options.stack)
    queue = _named(deployed, options.queue)
    if queue is None:
        return 2
    sent = kept = 0
    limit = None if options.message else options.limit
    with held(deployed.sqs, queue, limit) as letters:
        for letter in letters:
            if options.message and letter.id not in options.message:
                continue
            body, fault = _sendable(queue, letter, livemode=deployed.livemode)
            if fault:
                kept += 1
                print(f"{letter.id} stays: {fault}", file=sys.stderr)
                continue
            deployed.sqs.send_message(QueueUrl=queue.source_url, MessageBody=body)
            deployed.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=letter.receipt)
            sent += 1
    print(f"{sent} sent round again, {kept} kept")
    return 1 if kept else 0


def _named(deployed: Deployed, name: str) -> DeadLetters | None:
    known = {queue.name: queue for queue in queues_of(deployed.outputs)}
    if name not in known:
        print(f"{name}: the queues are {', '.join(known)}", file=sys.stderr)
    return known.get(name)


def _sendable(queue: DeadLetters, letter: Letter, *, livemode: bool) -> tuple[str, str]:
    """The body to send, and why not to send it.

    A parked event is of use when its type is handled, now or by now: the object is fetched again in
    our own version. One of the other mode never is.
    """
    if not queue.is_parked:
        return letter.body, ""
    taken = json.loads(letter.body)
    reason = taken.pop("parked_because", None)
    usable = taken.get("type") in HANDLED and isinstance(taken.get("object"), str)
    if taken.get("livemode") is not livemode or not usable:
        return "", f"it is of no use here ({reason})"
    return json.dumps(taken), ""


@contextmanager
def held(sqs: Any, queue: DeadLetters, limit: int | None) -> Iterator[list[Letter]]:
    """The messages that wait there now, held from others meanwhile and let go at the end.

    Letting go of a message that was deleted meanwhile does nothing.
    """
    letters: dict[str, Letter] = {}
    try:
        while limit is None or len(letters) < limit:
            room = _PER_CALL if limit is None else min(_PER_CALL, limit - len(letters))
            fresh = {one.id: one for one in _receive(sqs, queue, room)}
            if fresh.keys() <= letters.keys():
                break
            letters |= fresh
        yield sorted(letters.values(), key=lambda one: (one.sent_at, one.id))
    finally:
        for one in letters.values():
            _let_go(sqs, queue, one)


def _receive(sqs: Any, queue: DeadLetters, most: int) -> list[Letter]:
    answer = sqs.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=most,
        VisibilityTimeout=_HOLD_SECONDS,
        WaitTimeSeconds=_POLL_SECONDS,
        MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
    )
    return [
        Letter(
            id=message["MessageId"],
            body=message["Body"],
            receipt=message["ReceiptHandle"],
            sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            received=int(message["Attributes"]["ApproximateReceiveCount"]),
        )
        for message in answer.get("Messages", [])
    ]


def _let_go(sqs: Any, queue: DeadLetters, letter: Letter) -> None:
    try:
        sqs.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )
    except sqs.exceptions.ClientError:
        # It was deleted, or its time is up: either way nobody holds it any more.
        return
