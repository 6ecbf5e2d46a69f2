"""The edge of the queues: one message at a time, and only the failed ones come back."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from shared.runtime.observability import logger, metrics

Message = Mapping[str, Any]


def consumer(
    metric: str, work: Callable[[Message], str]
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler that gives each message of a batch to `work`.

    `work` returns what came of it, which is counted under `metric`; a message for which it raises
    is returned to the queue, and after its last attempt to the dead-letter queue.
    """

    def one(record: Mapping[str, Any]) -> None:
        try:
            outcome = work(json.loads(record["body"]))
        except Exception:
            logger.exception("a message failed", message_id=record["messageId"])
            outcome = "failed"
            raise
        finally:
            metrics.add_dimension(name="outcome", value=outcome)
            metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)
            metrics.flush_metrics()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(
            process_partial_response(
                event=event, record_handler=one, processor=processor, context=context
            )
        )

    return handle
