"""Domain events on the company's EventBridge bus."""

import json
from collections.abc import Mapping
from typing import Any

from shared.adapters.aws_errors import translated
from shared.domain.errors import UnavailableError

SOURCE = "fairexit"


class EventBridgeBus:
    """`shared.ports.EventBus` on EventBridge."""

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, name: str, detail: Mapping[str, Any]) -> None:
        """See `EventBus`."""
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": name,
            "Detail": json.dumps(detail),
        }
        with translated("event bus"):
            answer = self._client.put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise UnavailableError(f"event bus: {answer['Entries'][0].get('ErrorCode')}")
