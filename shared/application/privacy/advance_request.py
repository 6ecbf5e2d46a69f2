"""What falls due of a privacy request: a code that lapses, an erasure, the answer's deadline."""

from dataclasses import replace
from typing import TypeVar

from shared.application.change import Change, transact
from shared.application.privacy.words import BECAUSE, BECAUSE_GERMAN, sentences
from shared.domain.arrears import Arrears
from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.dispute import Dispute, DisputePhase
from shared.domain.effects import EffectKind
from shared.domain.privacy import (
    LOOK_AGAIN,
    Deferral,
    PrivacyChoices,
    PrivacyRequest,
    RequestState,
    deferrals,
)
from shared.domain.refund_case import OPEN as CASE_OPEN
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.domain.subscription import Subscription
from shared.ports import Services

R = TypeVar("R")

_MONEY_UNDER_WAY = frozenset(
    {RefundStatus.RESERVED, RefundStatus.PENDING, RefundStatus.NEEDS_PERSON}
)
_CANCELLING = frozenset({CancellationState.EXECUTING, CancellationState.NEEDS_PERSON})


def advance_request(services: Services, *, customer: str, request: str) -> str:
    """Do what is due of it; what came of it as a word for the metrics."""

    def decide(change: Change) -> str:
        known = change.load(PrivacyRequest, request)
        if known is None or known.due_at is None or known.due_at > change.now:
            return "nothing_to_do"
        moved, outcome = _check(change, known)
        if moved.escalate_at is not None and moved.escalate_at <= change.now:
            change.alert(
                "privacy_request_overdue", moved.id, f"answer by {moved.answer_by:%Y-%m-%d}"
            )
            change.audit("privacy_escalated", moved.kind.value, request=moved.id)
            moved, outcome = replace(moved, escalated_at=change.now), "privacy_escalated"
        change.put(moved)
        return outcome

    return transact(services, customer, "due_work", decide)


def _check(change: Change, known: PrivacyRequest) -> tuple[PrivacyRequest, str]:
    if known.check_at is None or known.check_at > change.now:
        return known, "nothing_to_do"
    if known.state is RequestState.UNCONFIRMED:
        return known.step(RequestState.LAPSED, check_at=None), "privacy_lapsed"
    return _erase_or_defer(change, known)


def _erase_or_defer(change: Change, known: PrivacyRequest) -> tuple[PrivacyRequest, str]:
    deferred = why_deferred(change)
    if deferred:
        return put_off(change, known, deferred), "erasure_deferred"
    change.effect(EffectKind.DESTROY_DATA_KEY, {"request": known.id})
    change.audit("erasure_begun", known.ground.value, request=known.id)
    return known.step(RequestState.ERASING, deferred=(), check_at=None), "erasure_begun"


def put_off(
    change: Change, known: PrivacyRequest, deferred: tuple[Deferral, ...]
) -> PrivacyRequest:
    """The erasure, to be looked at again tomorrow; the person is told of each reason once."""
    if deferred != known.deferred:
        why = sentences("because", deferred, (BECAUSE, BECAUSE_GERMAN))
        change.mail("erasure_deferred", {"request": known.id} | why)
        change.audit("erasure_deferred", ", ".join(deferred), request=known.id)
    again = change.now + LOOK_AGAIN
    return known.step(RequestState.DEFERRED, deferred=deferred, check_at=again)


def why_deferred(change: Change) -> tuple[Deferral, ...]:
    """What puts an erasure of the change's customer off at this moment."""
    disputes = _all(change, Dispute)
    refunds = _all(change, RefundOperation)
    cancellations = _all(change, Cancellation)
    return deferrals(
        change.load(PrivacyChoices) or PrivacyChoices(change.customer),
        change.account,
        arrears_open=any(one.settled_at is None for one in _all(change, Arrears)),
        disputes_open=any(one.phase is DisputePhase.OPEN for one in disputes),
        cases_open=any(one.state in CASE_OPEN for one in _all(change, RefundCase)),
        subscriptions_running=any(one.ended_at is None for one in _all(change, Subscription)),
        money_under_way=any(one.status in _MONEY_UNDER_WAY for one in refunds)
        or any(one.state in _CANCELLING for one in cancellations),
    )


def _all(change: Change, kind: type[R]) -> list[R]:
    return [stored.record for stored in change.services.store.all_of(kind, change.customer)]
