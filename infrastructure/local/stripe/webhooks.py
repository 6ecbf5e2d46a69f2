"""Webhook endpoints, and the dispatcher that delivers signed events to them over HTTP.

Deliveries are unordered and at least once; a failed one is tried again (documentation). Stripe
retries for three days; here the waits are fractions of a second of real time and end soon.
"""

import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.errors import invalid
from infrastructure.local.stripe.faults import Faults
from infrastructure.local.stripe.routes import endpoint
from infrastructure.local.stripe.state import Delivery, Json, Store, merge_metadata, snapshot
from infrastructure.local.stripe.views import listing

URL = "/v1/webhook_endpoints"
WORKERS = 2
TIMEOUT_SECONDS = 30
STOP_SECONDS = 2  # a delivery under way is left behind after this; its thread ends with us
WAITS_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
NOT_SENT = 0


@endpoint("POST", URL, "url enabled_events api_version description metadata")
def create_webhook_endpoint(store: Store, params: Json) -> Json:
    """The secret is in this answer only (SDK docstring of `secret`)."""
    version = params.get("api_version", store.sdk.api_version)
    if version != store.sdk.api_version:  # text unverified
        raise invalid(f"Invalid Stripe API version: {version}", param="api_version")
    thing = store.add(
        "webhook_endpoint",
        "we",
        {
            "api_version": params.get("api_version"),
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "metadata": merge_metadata({}, params.get("metadata")),
            "status": "enabled",
            "url": params["url"],
        },
    )
    secret = store.private[thing["id"]] = store.identifier("whsec")
    return {**thing, "secret": secret}


@endpoint("GET", URL)
def list_webhook_endpoints(store: Store, params: Json) -> Json:
    """Without secrets."""
    return listing(store, "webhook_endpoint", params, URL)


@endpoint("GET", URL + "/{id}")
def retrieve_webhook_endpoint(store: Store, _params: Json, identifier: str) -> Json:
    """Without its secret."""
    return store.get("webhook_endpoint", identifier)


@endpoint("DELETE", URL + "/{id}")
def delete_webhook_endpoint(store: Store, _params: Json, identifier: str) -> Json:
    """Ends its deliveries; what is under way is still tried."""
    return store.drop(store.get("webhook_endpoint", identifier))


def enqueue(store: Store, event: Json) -> None:
    """Addresses a new event to every endpoint that wants it; called for each event."""
    wanting = [
        thing
        for thing in store.rows("webhook_endpoint")
        if {"*", event["type"]} & set(thing["enabled_events"])
    ]
    event["pending_webhooks"] = len(wanting)
    for thing in wanting:
        # Stripe indents webhook bodies by two (recorded).
        body = json.dumps(snapshot(event), indent=2).encode()
        secret = store.private[thing["id"]]
        store.outbox.append(Delivery(thing["id"], thing["url"], secret, event["id"], body))


def signature(secret: str, body: bytes, instant: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `t.body` (documentation)."""
    digest = hmac.new(secret.encode(), f"{instant}.".encode() + body, hashlib.sha256)
    return f"t={instant},v1={digest.hexdigest()}"


@dataclass(slots=True)
class Counts:
    """Deliveries: under way, answered with 2xx, given up, and sent once more by a fault."""

    pending: int = 0
    delivered: int = 0
    failed: int = 0
    duplicates: int = 0


class Dispatcher:
    """Delivers in the background; `settled` is told of each delivered event."""

    def __init__(self, clock: Clock, faults: Faults, settled: Callable[[str], None]) -> None:
        self.counts = Counts()
        self._clock = clock
        self._faults = faults
        self._settled = settled
        self._lock = threading.Lock()
        self._queue: queue.PriorityQueue[tuple[float, int, int, Delivery | None]]
        self._queue = queue.PriorityQueue()
        self._sequence = 0
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def send(self, delivery: Delivery, kind: str) -> None:
        """Queues a delivery of an event of this kind, twice when a fault says so."""
        self._put(delivery, 0)
        if self._faults.strike("duplicate_deliveries", "POST", kind):
            with self._lock:
                self.counts.duplicates += 1
            self._put(delivery, 0)

    def stop(self) -> None:
        """Ends the workers; what is queued is dropped."""
        for _ in self._threads:
            self._queue.put((-1.0, 0, 0, None))
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _put(self, delivery: Delivery, attempt: int) -> None:
        wait = WAITS_SECONDS[attempt - 1] if attempt else 0.0
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            if not attempt:
                self.counts.pending += 1
        self._queue.put((time.monotonic() + wait, sequence, attempt, delivery))

    def _work(self) -> None:
        while True:
            ready_at, sequence, attempt, delivery = self._queue.get()
            if delivery is None:
                return
            wait = ready_at - time.monotonic()
            if wait > 0:  # the earliest is not due yet: look again soon, others may come first
                self._queue.put((ready_at, sequence, attempt, delivery))
                time.sleep(min(wait, 0.05))
                continue
            self._attempt(delivery, attempt)

    def _attempt(self, delivery: Delivery, attempt: int) -> None:
        delivered = self._post(delivery)
        if not delivered and attempt < len(WAITS_SECONDS):
            self._put(delivery, attempt + 1)
            return
        if delivered:
            self._settled(delivery.event)
        with self._lock:
            self.counts.pending -= 1
            if delivered:
                self.counts.delivered += 1
            else:
                self.counts.failed += 1

    def _post(self, delivery: Delivery) -> bool:
        url = urllib.parse.urlsplit(delivery.url)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(
                delivery.secret, delivery.body, int(self._clock.current())
            ),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        secure = url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
        try:
            target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
            connection.request("POST", target, delivery.body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return http.client.OK <= status < http.client.MULTIPLE_CHOICES
