"""The edge of the queues: one message at a time, and only the failed ones come back."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.runtime.observability import count, logger

Message = Mapping[str, Any]


def consumer(
    metric: str, work: Callable[[Message], str]
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler that gives each message of a batch to `work`.

    `work` returns what came of it, which is counted under `metric`; a message for which it raises
    is returned to the queue, and after its last attempt to the dead-letter queue.
    """

    def one(record: Mapping[str, Any]) -> None:
        outcome = "failed"
        try:
            outcome = work(json.loads(record["body"]))
        except Exception:
            logger().exception("a message failed", message_id=record["messageId"])
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
