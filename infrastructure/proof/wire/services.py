"""Our real adapters for a worker of a proof; mails and messages go nowhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from infrastructure.proof.wire.servers import KEY, TABLE, Servers
from shared.adapters import policy_files
from shared.adapters.dynamodb_store import DynamoDBStore
from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.adapters.ulid_ids import UlidIds
from shared.domain.effects import Effect


class _Clock:
    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    def now(self) -> datetime:
        return self._servers.now()

    def pause(self, longest_seconds: float) -> None:
        time.sleep(longest_seconds / 20)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class _Nowhere:
    """The sweep finds what is due; nobody reads the mails."""

    def wake(self, effects: Sequence[Effect], *, delay_seconds: int = 0) -> None:
        pass

    def send(self, **mail: Any) -> None:
        pass

    def publish(self, name: str, detail: Mapping[str, Any]) -> None:
        pass


class WireServices:
    """`Services` over sockets; `aws` is where the table is reached, `billing` whatever bills."""

    environment, livemode, incarnation, policy = "proof", False, 1, "voip"

    def __init__(
        self, servers: Servers, *, aws: str | None = None, billing: Any = None, store: Any = None
    ) -> None:
        self.clock = _Clock(servers)
        self.ids = UlidIds()
        self.store: Any = store or DynamoDBStore(
            servers.client(aws), TABLE, incarnation=1, livemode=False
        )
        self.billing = billing or StripeBilling(stripe_client(KEY, servers.stripe_url))
        self.waker = self.mailer = self.bus = _Nowhere()
        self.policies: Any = policy_files
