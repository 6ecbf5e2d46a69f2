"""Who promised a refund: a cancellation, or a refund case. Both are settled in the same way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.application.change import Change
from shared.domain.cancellation import AccountCredit, Cancellation
from shared.domain.errors import BrokenInvariantError
from shared.domain.records import Assessment, Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation
from shared.ports import Services

Promise = Cancellation | RefundCase
# What the policy has decided, as it was stored.
Decided = Quote | Assessment


def named(promise: Promise) -> dict[str, str]:
    """How effects and refund operations refer to a promise."""
    if isinstance(promise, RefundCase):
        return {"refund_case": promise.id}
    return {"cancellation": promise.id}


def promise_of(change: Change, names: Mapping[str, Any] | RefundOperation) -> Promise | None:
    """The promise that an effect's parameters or a refund operation name, if it is known."""
    if isinstance(names, RefundOperation):
        names = {"cancellation": names.cancellation, "refund_case": names.refund_case}
    if names.get("refund_case"):
        return change.load(RefundCase, names["refund_case"])
    if names.get("cancellation"):
        return change.load(Cancellation, names["cancellation"])
    return None


def decision_of(services: Services, promise: Promise) -> Decided:
    """What the policy has decided, and the promise carries out.

    Raises:
        BrokenInvariantError: it is gone.
    """
    kind: type[Decided] = Assessment if isinstance(promise, RefundCase) else Quote
    stored = services.store.get(kind, promise.customer, promise.quote)
    if stored is None:
        raise BrokenInvariantError(f"promise {promise.id} of the lost quote {promise.quote}")
    return stored.record


def with_refund(promise: Promise, refund: str) -> Promise:
    """The promise with one refund more that stands for it."""
    return replace(promise, refunds=(*promise.refunds, refund))


def with_credits(promise: Promise, settled: tuple[AccountCredit, ...]) -> Promise:
    """The promise with what became of its account credits."""
    return replace(promise, credits=settled)
