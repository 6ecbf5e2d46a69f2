"""What each answer of Stripe's means: a closed table."""

import pytest
import stripe

from shared.adapters.stripe_errors import classify, or_none, translated
from shared.domain.errors import (
    BrokenInvariantError,
    FairexitError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)


def failed(kind: type[stripe.StripeError], status: int | None, **known: str) -> stripe.StripeError:
    if kind is stripe.InvalidRequestError:
        return kind("m", None, http_status=status, **known)
    return kind("m", http_status=status)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (failed(stripe.APIConnectionError, None), OutcomeUnknownError),
        (failed(stripe.APIError, 500), OutcomeUnknownError),
        (failed(stripe.APIError, 502), OutcomeUnknownError),
        (failed(stripe.RateLimitError, 429), UnavailableError),
        (failed(stripe.APIError, 409), UnavailableError),
        (failed(stripe.AuthenticationError, 401), UnavailableError),
        (failed(stripe.PermissionError, 403), UnavailableError),
        (failed(stripe.InvalidRequestError, 400), RefusedError),
        (failed(stripe.InvalidRequestError, 404), RefusedError),
        (failed(stripe.IdempotencyError, 400), BrokenInvariantError),
    ],
    ids=lambda value: getattr(value, "__name__", None) or f"{type(value).__name__}",
)
def test_each_answer_has_one_meaning(
    error: stripe.StripeError, meaning: type[FairexitError]
) -> None:
    assert type(classify(error)) is meaning


def test_only_a_stored_server_error_is_sticky() -> None:
    stored = classify(failed(stripe.APIError, 500))
    cut = classify(failed(stripe.APIConnectionError, None))
    assert isinstance(stored, OutcomeUnknownError)
    assert isinstance(cut, OutcomeUnknownError)
    assert (stored.sticky, cut.sticky) == (True, False)


def test_a_refusal_keeps_stripes_code() -> None:
    refused = classify(failed(stripe.InvalidRequestError, 400, code="charge_disputed"))
    assert isinstance(refused, RefusedError)
    assert refused.code == "charge_disputed"


def test_an_absent_object_is_none_and_nothing_else_is() -> None:
    def absent() -> None:
        raise failed(stripe.InvalidRequestError, 404)

    def malformed() -> None:
        raise failed(stripe.InvalidRequestError, 400)

    assert or_none(absent) is None
    for read in (or_none, translated):
        with pytest.raises(RefusedError):
            read(malformed)
