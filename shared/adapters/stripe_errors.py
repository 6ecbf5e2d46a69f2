"""Stripe's errors as ours: a closed table over structured fields, never over message texts.

What is not listed stays what it is: it ends in the dead-letter queue, in front of a person.
"""

from collections.abc import Callable
from typing import TypeVar

import stripe

from shared.domain.errors import (
    BrokenInvariantError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)

T = TypeVar("T")

_NOT_FOUND = 404
_CONFLICT = 409
_TOO_MANY = 429
_SERVER = 500
# Before Stripe's idempotency layer: nothing was done and nothing is remembered. A revoked key is
# somebody's to fix; no promise is broken off because of it.
_NOT_LET_IN = frozenset({401, 403})


def classify(error: stripe.StripeError) -> Exception:
    """Our error for one of the SDK's.

    - connection cut, timed out, or a body that breaks off: the outcome is unknown;
    - 5xx: unknown, and Stripe replays it for the same key (documentation of idempotent requests);
    - 429 and 409 (a key in use, a locked object): nothing was done, the same call may go again;
    - other 4xx: a definite refusal.
    """
    status = error.http_status
    if isinstance(error, stripe.IdempotencyError):
        return BrokenInvariantError(f"a key was used with other parameters: {error.request_id}")
    if isinstance(error, stripe.APIConnectionError) or status is None:
        return OutcomeUnknownError(f"stripe: {type(error).__name__}")
    if status >= _SERVER:
        return OutcomeUnknownError(f"stripe: {status} {error.request_id}", sticky=True)
    if status in (_TOO_MANY, _CONFLICT) or status in _NOT_LET_IN:
        return UnavailableError(f"stripe: {status} {error.request_id}")
    code = error.code or (error.error.code if error.error and "code" in error.error else None)
    return RefusedError(code or str(status), f"{status} {error.request_id or ''}".strip())


def translated(call: Callable[[], T]) -> T:
    """The result of a call on the SDK, with its errors translated."""
    try:
        return call()
    except stripe.StripeError as error:
        raise classify(error) from error


def or_none(call: Callable[[], T]) -> T | None:
    """The same for a reading: None where Stripe knows no such object."""
    try:
        return call()
    except stripe.InvalidRequestError as error:
        if error.http_status == _NOT_FOUND:
            return None
        raise classify(error) from error
    except stripe.StripeError as error:
        raise classify(error) from error
