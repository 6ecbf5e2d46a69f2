"""Take a scheduled cancellation back, until the end of the cycle."""

from dataclasses import asdict
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.show_cancellation import cancellation_document
from shared.domain.cancellation import Cancellation, CancellationState, RemovedCharge
from shared.domain.effects import EffectKind
from shared.domain.errors import BrokenInvariantError, ConflictError, NotFoundError
from shared.domain.subscription import Subscription
from shared.ports import Services

TOO_LATE = "The subscription has ended; a cancellation can be taken back until then."


def withdraw_cancellation(
    services: Services, *, customer: str, cancellation: str
) -> dict[str, Any]:
    """The cancellation, withdrawn; asked again, as one does who heard no answer, the same.

    Raises:
        NotFoundError: no such cancellation of this customer.
        ConflictError: executed, or past the end of the cycle.
    """

    def decide(change: Change) -> dict[str, Any]:
        known = change.load(Cancellation, cancellation)
        if known is None:
            raise NotFoundError("cancellation")
        if known.state is CancellationState.WITHDRAWN:
            return cancellation_document(known, [])
        if not known.can_withdraw(change.now):
            raise ConflictError("too-late", TOO_LATE)
        subscription = change.load(Subscription, known.subscription)
        if subscription is None:
            raise BrokenInvariantError(f"cancellation {cancellation} of no subscription")
        withdrawn = known.step(CancellationState.WITHDRAWN)
        change.put(withdrawn)
        change.put(subscription.renewing())
        _undo(change, withdrawn)
        change.audit("cancellation_withdrawn", "the customer took it back", cancellation=known.id)
        return cancellation_document(withdrawn, [])

    return transact(services, customer, f"customer:{customer}", decide)


def _undo(change: Change, withdrawn: Cancellation) -> None:
    reference = {"subscription": withdrawn.subscription, "cancellation": withdrawn.id}
    change.effect(EffectKind.UNSCHEDULE_CANCELLATION, reference)
    for charge in withdrawn.removed:
        put_back(change, withdrawn.subscription, charge)
    change.mail("cancellation_withdrawn", reference)
    end = instant(withdrawn.effective_at)
    change.publish("CancellationWithdrawn", reference | {"effective_at": end})


def put_back(change: Change, subscription: str, charge: RemovedCharge) -> None:
    """The effect that adds a removed pending charge again."""
    params = asdict(charge) | {
        # Named by what it puts back, so that it is found again whoever asks for it. A charge is
        # taken away once, and comes back whole or split at the end: each part begins elsewhere.
        "operation": f"{charge.id}:{charge.period_start.timestamp():.0f}",
        "subscription": subscription,
        "period_start": charge.period_start.isoformat(),
        "period_end": charge.period_end.isoformat(),
    }
    change.effect(EffectKind.ADD_CHARGE, params)
