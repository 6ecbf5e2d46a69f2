"""Idempotency keys: the first answer is replayed, whatever it was (documentation).

Only POST; a key is kept for 24 hours of the virtual clock; an answer from before execution is not
remembered; the same key with other parameters is refused (recorded texts).
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.state import Json

KEPT_SECONDS = 24 * 3600  # "at least 24 hours" (documentation); forgotten at once, to be strict
LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer kept for its key."""

    path: str
    fingerprint: str
    status: int
    body: bytes
    request: str
    created: int


class IdempotencyKeys:
    """The remembered answers by key."""

    def __init__(self) -> None:
        self._kept: dict[str, Remembered] = {}
        self._in_flight: set[str] = set()

    def begin(self, key: str) -> None:
        """Takes a key for a request, or refuses it while another request has it."""
        if key in self._in_flight:
            raise in_use(key)
        self._in_flight.add(key)

    def end(self, key: str) -> None:
        """The request with this key is over."""
        self._in_flight.discard(key)

    def recall(self, key: str, path: str, params: Json, now: int) -> Remembered | None:
        """The first answer for this key, or a Refusal when the request is another one."""
        if len(key) > LENGTH_MAX:  # text unverified
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"Idempotency keys may be at most {LENGTH_MAX} characters long.",
                executed=False,
            )
        kept = self._kept.get(key)
        if kept is None or now - kept.created >= KEPT_SECONDS:
            return None
        if kept.path != path:
            raise _mismatch(
                "Keys for idempotent requests can only be used for the same endpoint they were"
                f" first used for ('{kept.path}' vs '{path}'). Try using a key other than '{key}'"
                " if you meant to execute a different request."
            )
        if kept.fingerprint != _fingerprint(params):
            raise _mismatch(
                "Keys for idempotent requests can only be used with the same parameters they were"
                f" first used with. Try using a key other than '{key}' if you meant to execute a"
                " different request."
            )
        return kept

    def keep(
        self, key: str, path: str, params: Json, answer: tuple[int, bytes, str], now: int
    ) -> None:
        """Remembers status, body and request id of an executed request."""
        self._kept[key] = Remembered(path, _fingerprint(params), *answer, now)


def _fingerprint(params: Json) -> str:
    return json.dumps(params, sort_keys=True)


def _mismatch(message: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, message, kind="idempotency_error", executed=False)


def in_use(key: str) -> Refusal:
    """Two requests with one key at the same time (text as reported by users)."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "There is currently another in-progress request using this Idempotent Key (that probably"
        " means you submitted twice, and the other request is still going through):"
        f" {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        executed=False,
    )
