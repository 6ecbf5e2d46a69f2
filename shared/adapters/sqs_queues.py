"""The queues: Stripe's events in, effects out, and the messages that a consumer holds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws_errors import translated
from shared.domain.effects import Effect, Lane
from shared.domain.errors import UnavailableError

_PER_CALL = 10


class SqsEffectWaker:
    """`shared.ports.EffectWaker`: one message an effect; the table remains the truth."""

    def __init__(self, client: Any, queue_urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def wake(self, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None:
        """See `EffectWaker`; one lane's failure keeps no other from being told."""
        failed = []
        for lane, url in self._queue_urls.items():
            waiting = [effect for effect in effects if effect.lane is lane]
            for start in range(0, len(waiting), _PER_CALL):
                part = waiting[start : start + _PER_CALL]
                if (fault := self._send(url, part, delay_seconds)) is not None:
                    failed.append(f"{lane}: {fault}")
        if failed:
            raise UnavailableError(f"effects queues: {'; '.join(failed)}")

    def _send(self, url: str, effects: Sequence[Effect], delay_seconds: int) -> str | None:
        """Send one batch; what went wrong. Whatever it is, the sweeper takes the effects up."""
        entries = [
            {
                "Id": effect.id,
                "MessageBody": json.dumps({"customer": effect.customer, "effect": effect.id}),
                "DelaySeconds": delay_seconds,
            }
            for effect in effects
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            return str(error)
        return "part of a batch was not taken" if answer.get("Failed") else None


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
