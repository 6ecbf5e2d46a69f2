"""The edge of the queues and the schedule: one piece of work at a time, each failing on its own."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

from shared.domain.errors import FairexitError
from shared.runtime import bootstrap
from shared.runtime.observability import count, count_broken, logger

Message = Mapping[str, Any]
T = TypeVar("T")

# The longest call on Stripe (two tries of 13 s and the pause between them) with the writes around
# it: what begins with less time left could be cut off in its middle.
ENOUGH_SECONDS = 30
# How long a message that failed stays away, by how often it was received. Our own knowledge that
# has not arrived yet comes in seconds; the eight receives of a queue outlast an outage of 1.8 h.
COMES_BACK_AFTER = (2, 10, 60, 300, 900, 1800, 3600)


class FailedError(Exception):
    """The handler failed; the log says how. Named like the error that it stands for."""


def quietly(handle: Callable[..., T]) -> Callable[..., T]:
    """The handler of what expects no answer, whose failure Lambda logs with the error's own text.

    That text may quote whatever the failing call was given, so the error stays here, in our log's
    form, and only its class goes on.
    """

    @wraps(handle)
    def handled(event: dict[str, Any], context: Any) -> T:
        try:
            return handle(event, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
            logger().exception("a handler failed")
            count_broken(error)
            raise FailedError(type(error).__name__) from None

    return handled


class OutOfTimeError(Exception):
    """The function ends soon: nothing is begun any more."""


def consumer(
    metric: str,
    work: Callable[[Message], str],
    note_failure: Callable[[Message], None] | None = None,
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler that gives each message of a batch to `work`.

    `work` returns what came of it, which is counted under `metric`; a message for which it raises
    is returned to the queue, soon at first, and after its last attempt to the dead-letter queue;
    `note_failure` hears of it first. With little time left no message is begun.
    """

    def one(record: Mapping[str, Any]) -> None:
        outcome = "failed"
        message: dict[str, Any] = {}
        try:
            message = dict(json.loads(record["body"]))
            outcome = work(message)
        except Exception as error:
            logger().exception(
                "a message failed",
                message_id=record["messageId"],
                customer=message.get("customer"),
                subject=message.get("effect") or message.get("event"),
            )
            count_broken(error)
            if note_failure is not None:
                _note(note_failure, message)
            _bring_back(record, _pause_after(record))
            raise
        finally:
            count(metric, outcome=outcome)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        def one_in_time(record: Mapping[str, Any]) -> None:
            if context.get_remaining_time_in_millis() < ENOUGH_SECONDS * 1000:
                count(metric, outcome="out_of_time")
                _bring_back(record, 0)
                raise OutOfTimeError
            one(record)

        # Powertools reads the environment when it is imported, so not before the first message.
        from aws_lambda_powertools.utilities import batch  # noqa: PLC0415

        answer = batch.process_partial_response(
            event=event,
            record_handler=one_in_time,
            processor=batch.BatchProcessor(
                event_type=batch.EventType.SQS, raise_on_entire_batch_failure=False
            ),
            context=context,
        )
        return dict(answer)

    return handle


def _note(note_failure: Callable[[Message], None], message: Message) -> None:
    """Tell of a failure; where that fails too, the message comes back all the same."""
    try:
        note_failure(message)
    except Exception as error:  # noqa: BLE001 - the first failure is the one that is answered
        logger().exception("a failure could not be noted")
        count_broken(error)


def _pause_after(record: Mapping[str, Any]) -> int:
    received = int(record["attributes"]["ApproximateReceiveCount"])
    return COMES_BACK_AFTER[min(received, len(COMES_BACK_AFTER)) - 1]


def _bring_back(record: Mapping[str, Any], seconds: int) -> None:
    """Let a message whose work is over be received again in so many seconds.

    Invisible for the whole visibility of its queue it would protect work that nobody does. When
    this fails, it is: nothing is lost but time.
    """
    try:
        bootstrap.received_messages().bring_back(record, seconds)
    except FairexitError:
        logger().warning("a message stays away longer", message_id=record["messageId"])


def each(metric: str, things: Iterable[T], work: Callable[[T], str]) -> dict[str, int]:
    """Do all of `things`, count the outcomes under `metric`, and return the counts.

    One that fails is logged and counted as failed; it holds nothing up that stands behind it.
    """
    outcomes: Counter[str] = Counter()
    for thing in things:
        try:
            outcome = work(thing)
        except Exception as error:  # noqa: BLE001 - due again; the others must not wait for it
            logger().exception("a piece of due work failed", what=repr(thing))
            count_broken(error)
            outcome = "failed"
        count(metric, outcome=outcome)
        outcomes[outcome] += 1
    return dict(outcomes)
