"""Stripe's idempotency layer, as it is documented.

The first answer to a key is stored, a server error included, and replayed for a day; a key that is
in use is answered with a conflict, and one that comes with other parameters with an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from infrastructure.proof.simulated.hub import DAY, Hub
from shared.domain.errors import (
    BrokenInvariantError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)

T = TypeVar("T")

KEPT = DAY


@dataclass(slots=True)
class Kept:
    """The answer that a key gets from now on; without one it is in use."""

    at: int
    params: object
    answer: Any = None
    error: Exception | None = None
    in_use: bool = False


class Keys:
    """Stripe's memory of idempotency keys, shared by all workers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.kept: dict[str, Kept] = {}

    def find(self, key: str) -> Kept | None:
        """What is remembered of a key; nothing once a day has passed."""
        known = self.kept.get(key)
        if known is not None and not known.in_use and self._hub.now - known.at >= KEPT:
            del self.kept[key]
            return None
        return known

    def run(self, key: str | None, params: object, act: Callable[[], T]) -> T:
        """The answer to a request: the stored one, or what `act` does now."""
        known = self.find(key) if key else None
        if known is not None:
            if known.params != params:
                raise BrokenInvariantError(f"key {key} with other parameters")
            if known.in_use:
                raise UnavailableError("stripe: 409")
            if known.error is not None:
                raise known.error
            answer: T = known.answer
            return answer
        entry = Kept(self._hub.now, params)
        try:
            entry.answer = act()
        except RefusedError as refusal:
            entry.error = refusal
        if key:
            self.kept[key] = entry
        if entry.error is not None:
            raise entry.error
        made: T = entry.answer
        return made

    def break_down(self, key: str | None, params: object) -> None:
        """Store a server error, as it is stored for a request that broke down."""
        if key:
            error = OutcomeUnknownError("stripe: 500", sticky=True)
            self.kept[key] = Kept(self._hub.now, params, error=error)
