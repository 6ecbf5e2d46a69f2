"""The audited way to change the levers of the money path."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.application.change import Change, transact
from shared.domain.approval_limits import ApprovalLimits
from shared.domain.controls import DEFAULT_CAPS, OPERATIONS, Controls, RefundCap
from shared.domain.errors import ConflictError
from shared.ports import Services


def turn_switch(services: Services, *, money_moves: bool, reason: str, by: str) -> Controls:
    """Open or stop the money path; effects that wait go on within two minutes of opening."""

    def decide(change: Change) -> Controls:
        known = change.load(Controls)
        never_turned = Controls(OPERATIONS, False, "", "", change.now, DEFAULT_CAPS)  # noqa: FBT003
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
    details = {"caps": [str(cap) for cap in caps]}
    return _set(
        services, "caps_set", reason, by, details, lambda known: replace(known, caps=tuple(caps))
    )


def set_limits(services: Services, *, limits: ApprovalLimits, reason: str, by: str) -> Controls:
    """Replace the limits on discretionary money.

    Raises:
        ConflictError: the switch was never turned.
    """
    details = {"limits": str(limits)}
    return _set(
        services, "limits_set", reason, by, details, lambda known: replace(known, limits=limits)
    )


def _set(
    services: Services,
    what: str,
    reason: str,
    by: str,
    details: Mapping[str, Any],
    changed: Callable[[Controls], Controls],
) -> Controls:
    def decide(change: Change) -> Controls:
        known = change.load(Controls)
        if known is None:
            raise ConflictError("never-opened", "The switch was never turned; open it first.")
        controls = changed(known)
        change.put(controls)
        change.audit(what, reason, by=by, **details)
        return controls

    return transact(services, OPERATIONS, by, decide)
