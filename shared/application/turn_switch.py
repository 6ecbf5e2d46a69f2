"""The audited way to change the levers of the money path."""

from collections.abc import Sequence
from dataclasses import replace

from shared.application.change import Change, transact
from shared.domain.controls import OPERATIONS, Controls, RefundCap
from shared.domain.errors import ConflictError
from shared.ports import Services


def turn_switch(services: Services, *, money_moves: bool, reason: str, by: str) -> Controls:
    """Open or stop the money path; effects that wait go on within two minutes of opening."""

    def decide(change: Change) -> Controls:
        known = change.load(Controls)
        never_turned = Controls(OPERATIONS, False, "", "", change.now)  # noqa: FBT003
        turned = (known or never_turned).switched(
            money_moves=money_moves, reason=reason, by=by, at=change.now
        )
        change.put(turned)
        change.audit("switch_opened" if money_moves else "switch_stopped", reason, by=by)
        return turned

    return transact(services, OPERATIONS, by, decide)


def set_caps(services: Services, *, caps: Sequence[RefundCap], reason: str, by: str) -> Controls:
    """Replace the caps on refunds.

    Raises:
        ConflictError: the switch was never turned, so there is nothing to cap yet.
    """

    def decide(change: Change) -> Controls:
        known = change.load(Controls)
        if known is None:
            raise ConflictError("never-opened", "The switch was never turned; open it first.")
        capped = replace(known, caps=tuple(caps))
        change.put(capped)
        change.audit("caps_set", reason, by=by, caps=[str(cap) for cap in caps])
        return capped

    return transact(services, OPERATIONS, by, decide)
