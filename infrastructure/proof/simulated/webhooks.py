"""Stripe's deliveries: signed, to our own receiver, again for three days while none answers 200."""

from __future__ import annotations

import hashlib
import hmac
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from infrastructure.proof.simulated.functions import RECEIVER, SECRET, invoke
from infrastructure.proof.simulated.hub import DAY, MINUTE, SECOND
from shared.adapters.stripe_events import API_VERSION

if TYPE_CHECKING:
    from infrastructure.proof.simulated.world import World

LONGEST = 3 * DAY
RECEIVER_TIMEOUT = 10 * SECOND


class Webhooks:
    """The endpoint, as Stripe knows it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(self, envelope: dict[str, Any]) -> None:
        """Try until it is taken; `envelope` is what the event says."""
        self._try(envelope, self._world.hub.now, 1)

    def _try(self, envelope: dict[str, Any], first: int, tries: int) -> None:
        world = self._world
        taken = False

        def receive() -> None:
            nonlocal taken
            ports = world.ports(timeout=RECEIVER_TIMEOUT)
            event = delivery(envelope, int(world.hub.instant().timestamp()))
            taken = invoke(ports, RECEIVER, event)["statusCode"] == HTTPStatus.OK

        def ended(error: BaseException | None) -> None:
            world.watch.ended(error)
            if not taken and world.hub.now - first < LONGEST:
                later = min(12 * 60, 5 * 3**tries) * MINUTE
                world.hub.after(later, lambda: self._try(envelope, first, tries + 1))

        if world.down_until > world.hub.now:
            ended(None)
        else:
            world.hub.work(world.hub.now, receive, ended)


def delivery(envelope: dict[str, Any], now_seconds: int) -> dict[str, Any]:
    """The request that tells of an event, as the gateway hands it to a function."""
    event = {
        "id": envelope["event"],
        "object": "event",
        "type": envelope["type"],
        "created": envelope["created"],
        "api_version": API_VERSION,
        "livemode": False,
        "data": {
            "object": {
                "id": envelope["object"],
                "object": envelope["object_kind"],
                "customer": envelope["customer"],
            }
        },
    }
    body = json.dumps(event)
    signed = hmac.new(SECRET.encode(), f"{now_seconds}.{body}".encode(), hashlib.sha256)
    return {
        "routeKey": "POST /webhooks/stripe",
        "headers": {"stripe-signature": f"t={now_seconds},v1={signed.hexdigest()}"},
        "body": body,
    }
