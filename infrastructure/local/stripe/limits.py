"""Rate limits: so many requests a second, over all and for each endpoint (documentation).

Off unless the setting `rate_limit` {"all": n, "endpoint": n} asks for them; Stripe's sandbox has 25
and 25. Seconds are real ones, since who is limited is a program, not a customer.
"""

from collections import deque
from http import HTTPStatus

from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.state import Json

WINDOW_SECONDS = 1.0


class RateLimits:
    """Counts the requests of the last second."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}

    def admit(self, limits: Json | None, endpoint: str, instant: float) -> None:
        """Counts a request at a monotonic instant, or refuses it with a 429."""
        if limits is None:
            return
        for scope, name in (("all", ""), ("endpoint", endpoint)):
            times = self._seen.setdefault(name, deque())
            while times and times[0] <= instant - WINDOW_SECONDS:
                times.popleft()
            if len(times) >= limits.get(scope, len(times) + 1):
                raise too_many("global-rate" if scope == "all" else "endpoint-rate")
            times.append(instant)


def too_many(reason: str) -> Refusal:
    """The 429; its header tells which limit it was (documentation; text as reported by users)."""
    refusal = Refusal(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Request rate limit exceeded. Learn more about rate limits here"
        " https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        executed=False,
    )
    refusal.headers["Stripe-Rate-Limited-Reason"] = reason
    return refusal
