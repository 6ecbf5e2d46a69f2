"""Delivers signed events over HTTP, in the background.

Deliveries are unordered and at least once; a failed one is tried again (documentation). Stripe
retries for three days; here the waits are fractions of a second of real time and end soon.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import requests

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.faults import Faults
from infrastructure.local.stripe.state import Delivery
from infrastructure.local.stripe.webhooks import signature

WORKERS = 2
TIMEOUT_SECONDS = 30
STOP_SECONDS = 2  # a delivery under way is left behind after this; its thread ends with us
WAITS_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
STALE_SECONDS = 600  # twice what the SDK tolerates
OLD_API_VERSION = b"2025-03-31.basil"
UNKNOWN_SECRET = "whsec_unknown"  # noqa: S105 -- known to nobody on purpose


@dataclass(slots=True)
class Counts:
    """Deliveries: under way, answered with 2xx, given up; sent twice or never by a fault."""

    pending: int = 0
    delivered: int = 0
    failed: int = 0
    duplicates: int = 0
    dropped: int = 0


class Dispatcher:
    """Delivers in the background; `settled` is told of each delivered event."""

    def __init__(
        self, clock: Clock, version: str, faults: Faults, settled: Callable[[str], None]
    ) -> None:
        self.counts = Counts()
        self._version = version.encode()
        self._clock = clock
        self._faults = faults
        self._settled = settled
        self._lock = threading.Lock()
        self._queue: queue.PriorityQueue[tuple[float, int, int, str, Delivery | None]]
        self._queue = queue.PriorityQueue()
        self._sequence = 0
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def send(self, delivery: Delivery, kind: str) -> None:
        """Queues a delivery of an event of this kind: late, twice or not when a fault says so."""
        if self._faults.strike("dropped", "POST", kind):
            with self._lock:
                self.counts.dropped += 1
            return
        wait = 0.0
        if fault := self._faults.strike("delayed", "POST", kind):
            wait += fault.seconds
        if fault := self._faults.strike("shuffled", "POST", kind):
            wait += fault.random.random() * fault.seconds
        self._put(delivery, 0, kind, wait)
        if self._faults.strike("duplicate_deliveries", "POST", kind):
            with self._lock:
                self.counts.duplicates += 1
            self._put(delivery, 0, kind, wait)

    def stop(self) -> None:
        """Ends the workers; what is queued is dropped."""
        for _ in self._threads:
            self._queue.put((-1.0, 0, 0, "", None))
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _put(self, delivery: Delivery, attempt: int, kind: str, wait: float) -> None:
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            if not attempt:
                self.counts.pending += 1
        self._queue.put((time.monotonic() + wait, sequence, attempt, kind, delivery))

    def _work(self) -> None:
        while True:
            ready_at, sequence, attempt, kind, delivery = self._queue.get()
            if delivery is None:
                return
            wait = ready_at - time.monotonic()
            if wait > 0:  # the earliest is not due yet: look again soon, others may come first
                self._queue.put((ready_at, sequence, attempt, kind, delivery))
                time.sleep(min(wait, 0.05))
                continue
            self._attempt(delivery, attempt, kind)

    def _attempt(self, delivery: Delivery, attempt: int, kind: str) -> None:
        delivered = self._post(delivery, kind)
        if not delivered and attempt < len(WAITS_SECONDS):
            self._put(delivery, attempt + 1, kind, WAITS_SECONDS[attempt])
            return
        if delivered:
            self._settled(delivery.event)
        with self._lock:
            self.counts.pending -= 1
            if delivered:
                self.counts.delivered += 1
            else:
                self.counts.failed += 1

    def _written(self, delivery: Delivery, kind: str) -> tuple[bytes, dict[str, str]]:
        """Body and headers of one attempt; faults of content strike each attempt anew."""
        body, secrets, instant = delivery.body, delivery.secrets, int(self._clock.current())
        if self._faults.strike("old_api_version", "POST", kind):
            body = body.replace(self._version, OLD_API_VERSION, 1)
        if self._faults.strike("wrong_secret", "POST", kind):
            secrets = (UNKNOWN_SECRET,)
        if self._faults.strike("stale_timestamp", "POST", kind):
            instant -= STALE_SECONDS
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        if secrets:  # events for EventBridge have no signature (documentation)
            headers["Stripe-Signature"] = signature(secrets, body, instant)
        return body, headers

    def _post(self, delivery: Delivery, kind: str) -> bool:
        body, headers = self._written(delivery, kind)
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy between processes of one machine
                status = session.post(
                    delivery.url,
                    body,
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                ).status_code
        except requests.RequestException:
            return False
        return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
