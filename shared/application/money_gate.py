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
from shared.domain.effects import Effect, EffectKind, Lane
from shared.ports import Put, Services, Stored

# How soon a closed switch is looked at again.
_LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: look again at `until`."""

    until: datetime
    reason: str


def pass_gate(services: Services, effect: Effect, now: datetime) -> Sequence[Put] | Hold:
    """What must be written together with the effect's key, or why it has to wait."""
    if effect.lane is not Lane.MONEY:
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
    params = effect.params
    windows = Windows(services, effect.customer, params.get("decided_by"), now)
    reached = windows.take(params["amount"], params["currency"], caps)
    if reached and not params.get("statutory"):
        until = max(window_of(cap, now)[1] for cap in reached)
        return Hold(until, f"the cap on refunds a {reached[0].window} is reached")
    return windows.puts()


class Windows:
    """The windows that a customer's refunds fall into now, and what they take of them."""

    def __init__(
        self, services: Services, customer: str, person: str | None, now: datetime
    ) -> None:
        self._services = services
        self._customer = customer
        self._person = person
        self._now = now
        self._spent: dict[tuple[str, Window], Stored[Spent]] = {}

    def take(self, amount: int, currency: str, caps: Sequence[RefundCap]) -> list[RefundCap]:
        """Let a refund count in every window; the caps that it exceeds."""
        counting = {cap: owner for cap in caps if (owner := self._owner(cap.scope)) is not None}
        for cap, owner in counting.items():
            self._read(owner, cap)
        self._spent = {
            place: Stored(stored.record.plus(amount, currency), stored.version)
            for place, stored in self._spent.items()
        }
        return [
            cap
            for cap, owner in counting.items()
            if self._spent[owner, cap.window].record.exceeds(cap)
        ]

    def puts(self) -> list[Put]:
        """What has to be written for it to have counted."""
        return [Put(stored.record, stored.version) for stored in self._spent.values()]

    def _read(self, owner: str, cap: RefundCap) -> None:
        if (owner, cap.window) in self._spent:
            return
        since, _ = window_of(cap, self._now)
        key = (owner, cap.window.value, since.isoformat(timespec="microseconds"))
        stored = self._services.store.get(Spent, *key)
        self._spent[owner, cap.window] = stored or Stored(Spent(owner, cap.window, since), 0)

    def _owner(self, scope: Scope) -> str | None:
        """Under whom a cap of `scope` counts; None where it does not."""
        match scope:
            case Scope.EVERYONE:
                return OPERATIONS
            case Scope.CUSTOMER:
                return self._customer
            case Scope.AGENT:
                return partition_of(self._person) if self._person else None
