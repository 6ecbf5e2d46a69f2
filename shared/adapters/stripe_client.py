"""The SDK's client: how long a call may take, and how fast changes may follow each other.

Time-outs and retries are set so that a call ends inside its function's budget: at most two tries
of 3 s to connect and 10 s to answer. The SDK would wait 80 s three times. A retry of the SDK
carries the same key; what it cannot repeat safely (a body cut half-way) comes back as unknown.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from shared.adapters.system_clock import SystemClock
from shared.ports import Clock

_CONNECT_SECONDS, _READ_SECONDS, _RETRIES = 3, 10, 1
_PAUSE_SECONDS = 0.5  # the SDK's before its first retry; it heeds no Retry-After
LONGEST_CALL_SECONDS = (_CONNECT_SECONDS + _READ_SECONDS) * (1 + _RETRIES) + _PAUSE_SECONDS


def stripe_client(
    api_key: str, base: str, *, seconds_per_change: float = 0.0
) -> stripe.StripeClient:
    """The SDK's client at the pinned API version; each change takes so long at least."""
    timeout = (_CONNECT_SECONDS, _READ_SECONDS)
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base},
        http_client=PacedClient(SystemClock(), seconds_per_change, timeout=timeout),
        max_network_retries=_RETRIES,
    )


class PacedClient(stripe.RequestsClient):
    """The SDK's HTTP client; whatever changes something at Stripe occupies its worker for a while.

    Lambda limits how many workers there are, so this limits what all of them send in a second,
    the SDK's own retries included.
    """

    def __init__(self, clock: Clock, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._seconds = seconds

    def request(self, method: str, *args: Any, **named: Any) -> Any:
        """One HTTP request, as the SDK asks for it."""
        with occupied(self._clock, self._seconds if method != "get" else 0.0):
            return super().request(method, *args, **named)


@contextmanager
def occupied(clock: Clock, seconds: float) -> Iterator[None]:
    """Take at least so long from beginning to end, whatever comes of it."""
    began = clock.now()
    try:
        yield
    finally:
        took = (clock.now() - began).total_seconds()
        rest = min(seconds, seconds - took)
        if rest > 0:
            clock.wait(rest)
