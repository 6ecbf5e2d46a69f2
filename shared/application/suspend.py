"""Causes of suspension come and go; what they stop at Stripe follows through effects."""

from shared.application.change import Change
from shared.domain.account import Cause, CauseKind, Standing
from shared.domain.effects import EffectKind


def suspend(change: Change, cause: Cause) -> None:
    """Access off, here and now; collection stops through effects."""
    change.account = change.account.with_cause(cause)
    if cause.stops_collection:
        change.effect(EffectKind.PLAN_COLLECTION, {"stop": True})


def lift(change: Change, kind: CauseKind, cause_id: str) -> bool:
    """Lift one cause; service and collection come back when no other keeps them off.

    Returns whether it was there.
    """
    before = change.account
    after = before.without_cause(kind, cause_id)
    if after == before:
        return False
    change.account = after
    if before.stops_collection and not after.stops_collection:
        change.effect(EffectKind.PLAN_COLLECTION, {"stop": False})
    if before.standing is Standing.SUSPENDED and after.standing is not Standing.SUSPENDED:
        change.mail("account_reinstated", {"reference": cause_id})
        change.publish("AccountReinstated", {"cause": {"kind": kind.value, "id": cause_id}})
    return True
