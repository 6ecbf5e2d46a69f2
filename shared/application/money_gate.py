"""Whether money may leave now: the switch, and the caps on how much refunds take in a window.

The switch holds all that moves money. Caps hold refunds, but never a statutory one: it counts in
its windows and passes them.

Asked right before each call. What a refund takes of a cap is written in the commit that stores its
key, so caps are exact whatever runs beside them; a retry of a refund takes nothing again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.controls import (
    OPERATIONS,
    Controls,
    RefundCap,
    Scope,
    Spent,
    Window,
    partition_of,
    window_of,
)
from shared.domain.effects import Effect, EffectKind
from shared.ports import Put, Services, Stored

# Calls that let money leave, or that change what a customer is billed.
MONEY = frozenset({EffectKind.REFUND_PAYMENT, EffectKind.ISSUE_CREDIT_NOTE, EffectKind.ADD_CHARGE})
# How soon a closed switch is looked at again.
_LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: look again at `until`."""

    until: datetime
    reason: str


def pass_gate(services: Services, effect: Effect, now: datetime) -> Sequence[Put] | Hold:
    """What must be written together with the effect's key, or why it has to wait."""
    if effect.kind not in MONEY:
        return ()
    stored = services.store.get(Controls, OPERATIONS)
    if stored is None:
        return Hold(now + _LOOK_AGAIN, "the switch was never opened")
    if not stored.record.money_moves:
        return Hold(now + _LOOK_AGAIN, f"money is stopped: {stored.record.reason}")
    if effect.kind is not EffectKind.REFUND_PAYMENT or effect.sent_at is not None:
        return ()
    return _spend(services, effect, stored.record.caps, now)


def _spend(
    services: Services, effect: Effect, caps: Sequence[RefundCap], now: datetime
) -> Sequence[Put] | Hold:
    amount, currency = effect.params["amount"], effect.params["currency"]
    puts: dict[tuple[str, str], Put] = {}
    for cap in caps:
        owner = owner_of(cap.scope, effect.customer, effect.params.get("decided_by"))
        if owner is None:
            continue
        since, until = window_of(cap, now)
        place = (owner, cap.window.value)
        if place not in puts:
            stored = spent_in(services, owner, cap.window, since)
            puts[place] = Put(stored.record.plus(amount, currency), stored.version)
        if puts[place].record.exceeds(cap) and not effect.params.get("statutory"):
            return Hold(until, f"the cap on refunds a {cap.window} is reached")
    return tuple(puts.values())


def owner_of(scope: Scope, customer: str, person: str | None) -> str | None:
    """Under whom a cap of `scope` counts a refund; None where it does not count it."""
    match scope:
        case Scope.EVERYONE:
            return OPERATIONS
        case Scope.CUSTOMER:
            return customer
        case Scope.AGENT:
            return partition_of(person) if person else None


def spent_in(services: Services, owner: str, window: Window, since: datetime) -> Stored[Spent]:
    """What refunds have used of a window so far; version 0 when that is nothing."""
    key = (owner, window.value, since.isoformat(timespec="microseconds"))
    return services.store.get(Spent, *key) or Stored(Spent(owner, window, since), 0)
