"""The queues: Stripe's events in, effects out, and the messages that a consumer holds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws_errors import translated
from shared.domain.errors import UnavailableError

_PER_CALL = 10


class SqsEffectWaker:
    """`shared.ports.EffectWaker`: one message an effect; the table remains the truth."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def wake(self, customer: str, effects: Sequence[str], *, delay_seconds: int = 0) -> None:
        """See `EffectWaker`."""
        for start in range(0, len(effects), _PER_CALL):
            entries = [
                {
                    "Id": effect,
                    "MessageBody": json.dumps({"customer": customer, "effect": effect}),
                    "DelaySeconds": delay_seconds,
                }
                for effect in effects[start : start + _PER_CALL]
            ]
            try:
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (ClientError, BotoCoreError) as error:
                # Whatever it is, the decision is committed; the sweeper takes the effects up.
                raise UnavailableError(f"effects queue: {error}") from error
            if answer.get("Failed"):
                raise UnavailableError("effects queue: part of a batch was not taken")


class SqsEventQueue:
    """`shared.ports.EventQueue`: envelopes without personal data."""

    def __init__(self, client: Any, queue_url: str, parked_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._parked_url = parked_url

    def put(self, envelope: Mapping[str, Any]) -> None:
        """See `EventQueue`."""
        self._send(self._queue_url, envelope)

    def park(self, envelope: Mapping[str, Any], reason: str) -> None:
        """See `EventQueue`."""
        self._send(self._parked_url, {**envelope, "parked_because": reason})

    def _send(self, url: str, envelope: Mapping[str, Any]) -> None:
        with translated("events queue"):
            self._client.send_message(QueueUrl=url, MessageBody=json.dumps(envelope))


class SqsReceivedMessages:
    """Messages as Lambda hands them to a consumer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def bring_back(self, record: Mapping[str, Any], seconds: int) -> None:
        """Let a received message be received again in so many seconds, by anybody.

        Raises:
            OutcomeUnknownError, UnavailableError: its visibility may be what it was.
        """
        *_, region, account, name = record["eventSourceARN"].split(":")
        with translated("queue"):
            self._client.change_message_visibility(
                QueueUrl=f"https://sqs.{region}.amazonaws.com/{account}/{name}",
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=seconds,
            )
