"""The SDK's client: how long a call may take, and how fast changes may follow each other.

Time-outs and retries are set so that a call ends inside its function's budget: at most two tries
of 3 s to connect and 10 s to answer. The SDK would wait 80 s three times. A retry of the SDK
carries the same key; what it cannot repeat safely (a body cut half-way) comes back as unknown.
"""

from datetime import datetime
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
    """The SDK's client at the pinned API version; changes are so many seconds apart at least.

    Files go to a host of their own at Stripe; whatever stands in for it has one for both.
    """
    timeout = (_CONNECT_SECONDS, _READ_SECONDS)
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base, "files": base.replace("//api.", "//files.")},
        http_client=PacedClient(Turns(SystemClock(), seconds_per_change), timeout=timeout),
        max_network_retries=_RETRIES,
    )


class PacedClient(stripe.RequestsClient):
    """The SDK's HTTP client; before it changes anything at Stripe it waits for its turn."""

    def __init__(self, turns: "Turns", **options: Any) -> None:
        super().__init__(**options)
        self._turns = turns

    def request(self, method: str, *args: Any, **named: Any) -> Any:
        """One HTTP request, as the SDK asks for it: each of its own retries is one."""
        if method != "get":
            self._turns.wait()
        return super().request(method, *args, **named)


class Turns:
    """A worker's turns, so many seconds apart at least.

    Lambda limits how many workers there are, so this limits what all of them send in a second,
    without a word between them. The wait comes before a call: what Stripe has answered is stored at
    once.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._last: datetime | None = None

    def wait(self) -> None:
        """Return when it is this worker's turn."""
        if self._last is not None:
            passed = (self._clock.now() - self._last).total_seconds()
            rest = min(self._seconds, self._seconds - passed)
            if rest > 0:
                self._clock.wait(rest)
        self._last = self._clock.now()
