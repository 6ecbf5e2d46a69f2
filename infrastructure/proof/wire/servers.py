"""An emulator and a local Stripe for a proof: one table, no functions."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import stripe

from infrastructure.local.embedded_aws import REGION, ROOT_KEYS, aws_client, start_emulator
from infrastructure.local.ports import HOST, Ports
from infrastructure.local.processes import Server

TABLE = "Proof"
STARTS = datetime(2026, 3, 2, tzinfo=UTC)
KEY = "sk_test_proof"


@dataclass(slots=True)
class Servers:
    """Where both are, and the clock that our code and the local Stripe share."""

    aws: str
    stripe_url: str
    ahead: timedelta = timedelta(0)

    def client(self, endpoint: str | None = None) -> Any:
        """A DynamoDB client of its own, set up as our functions set theirs up."""
        import boto3  # noqa: PLC0415 - not before a worker is forked
        from botocore.config import Config  # noqa: PLC0415

        config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"})
        return boto3.client(
            "dynamodb",
            endpoint_url=endpoint or self.aws,
            region_name=REGION,
            aws_access_key_id=ROOT_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )

    def api(self) -> stripe.StripeClient:
        """A Stripe client that never fails, to set up and to look."""
        return stripe.StripeClient(
            KEY, base_addresses={"api": self.stripe_url}, max_network_retries=5
        )

    def now(self) -> datetime:
        """The shared clock."""
        return datetime.now(UTC) + self.ahead

    def advance(self, by: timedelta) -> None:
        """Move both clocks."""
        self.ahead += by
        self.control("POST", "clock", {"advance_seconds": by.total_seconds()})

    def control(self, method: str, name: str, body: object = None) -> Any:
        """The local Stripe's control plane."""
        url = f"{self.stripe_url}/_local/{name}"
        answer = requests.request(method, url, json=body, timeout=120)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running() -> Iterator[Servers]:
    """Both servers with an empty table, until the block ends."""
    directory, ports = Path(tempfile.mkdtemp(prefix="proof-")), Ports.free()
    clock, logs = directory / "clock.json", directory / "logs"
    emulator = start_emulator(ports.aws, directory, clock)
    options = ["--port", str(ports.stripe), "--clock", str(clock), "--start", STARTS.isoformat()]
    local = Server(
        "The local Stripe",
        ["infrastructure.local.stripe", *options],
        python=Path(sys.executable),
        environment={},
        log=logs / "stripe.log",
    )
    try:
        servers = Servers(f"http://{HOST}:{ports.aws}", f"http://{HOST}:{ports.stripe}")
        emulator.wait_until_ready(f"{servers.aws}/_ministack/health")
        local.wait_until_ready(f"{servers.stripe_url}/_local/health")
        make_table(aws_client("dynamodb", servers.aws), TABLE)
        at_stripe = datetime.fromisoformat(servers.control("GET", "clock")["now"])
        servers.ahead = at_stripe - datetime.now(UTC)
        yield servers
    finally:
        local.stop()
        emulator.stop()
        shutil.rmtree(directory, ignore_errors=True)


def make_table(client: Any, name: str) -> None:
    """A table with the template's keys and index."""

    def keys(first: str, second: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": first, "KeyType": "HASH"},
            {"AttributeName": second, "KeyType": "RANGE"},
        ]

    names = ("pk", "sk", "due_shard", "due_at")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": keys("due_shard", "due_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
