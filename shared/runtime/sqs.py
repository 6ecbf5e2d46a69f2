"""The edge of the queues and the schedule: one piece of work at a time, each failing on its own."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from shared.runtime.observability import count, logger

Message = Mapping[str, Any]
T = TypeVar("T")


def consumer(
    metric: str,
    work: Callable[[Message], str],
    note_failure: Callable[[Message], None] | None = None,
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler that gives each message of a batch to `work`.

    `work` returns what came of it, which is counted under `metric`; a message for which it raises
    is returned to the queue, and after its last attempt to the dead-letter queue; `note_failure`
    hears of it first.
    """

    def one(record: Mapping[str, Any]) -> None:
        outcome = "failed"
        try:
            message = json.loads(record["body"])
            outcome = work(message)
        except Exception:
            logger().exception("a message failed", message_id=record["messageId"])
            if note_failure is not None:
                note_failure(json.loads(record["body"]))
            raise
        finally:
            count(metric, outcome=outcome)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        # Powertools reads the environment when it is imported, so not before the first message.
        from aws_lambda_powertools.utilities import batch  # noqa: PLC0415

        answer = batch.process_partial_response(
            event=event,
            record_handler=one,
            processor=batch.BatchProcessor(
                event_type=batch.EventType.SQS, raise_on_entire_batch_failure=False
            ),
            context=context,
        )
        return dict(answer)

    return handle


def each(metric: str, things: Iterable[T], work: Callable[[T], str]) -> dict[str, int]:
    """Do all of `things`, count the outcomes under `metric`, and return the counts.

    One that fails is logged and counted as failed; it holds nothing up that stands behind it.
    """
    outcomes: Counter[str] = Counter()
    for thing in things:
        try:
            outcome = work(thing)
        except Exception:  # noqa: BLE001 - it comes due again; the others must not wait for it
            logger().exception("a piece of due work failed", what=repr(thing))
            outcome = "failed"
        count(metric, outcome=outcome)
        outcomes[outcome] += 1
    return dict(outcomes)
