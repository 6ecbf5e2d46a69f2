"""Whether money may leave now: the switch, and the caps on how much refunds take in a window.

Asked right before each call. What a refund takes of a cap is written in the commit that stores its
key, so caps are exact whatever runs beside them; a retry of a refund takes nothing again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.controls import OPERATIONS, Controls, RefundCap, Scope, Spent, window_of
from shared.domain.effects import Effect, EffectKind
from shared.ports import Put, Services

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
        owner = effect.customer if cap.scope is Scope.CUSTOMER else OPERATIONS
        since, until = window_of(cap, now)
        place = (owner, cap.window.value)
        if place not in puts:
            key = (owner, cap.window.value, since.isoformat(timespec="microseconds"))
            stored = services.store.get(Spent, *key)
            spent = stored.record if stored else Spent(owner, cap.window, since)
            puts[place] = Put(spent.plus(amount, currency), stored.version if stored else 0)
        if puts[place].record.exceeds(cap):
            return Hold(until, f"the cap on refunds a {cap.window} is reached")
    return tuple(puts.values())
