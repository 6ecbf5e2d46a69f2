"""What it takes to carry out one kind of effect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.application.change import Change
from shared.domain.effects import Effect, EffectStatus
from shared.domain.errors import BrokenInvariantError
from shared.ports import Check, Services

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Go:
    """Nothing speaks against sending; `checks` must still hold in the commit before the call."""

    checks: Sequence[Check] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """The world no longer wants it: done without a call."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It must not be sent: the same end as a refusal by the other side."""

    reason: str


Verdict = Go | Skip | Refuse


def _always(_services: Services, _effect: Effect) -> Verdict:
    return Go()


def _nothing_found(_services: Services, _effect: Effect) -> Result | None:
    return None


def _nothing_more(_change: Change, _effect: Effect, _result: Result) -> None:
    return None


def _nobody_waits(_change: Change, _effect: Effect, _reason: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Performer:
    """One kind of effect.

    Args:
        send: the one foreign mutation, under the effect's persisted key; its result as JSON.
        look_up: the result of an earlier send whose answer was lost, or None if there is none.
        may_send: looked at last, right before the key goes out.
        adopt: what the result changes here; runs in the commit that ends the effect.
        overtaken: what undoes an earlier send that may have come through, of what is wanted no
            more; likewise, once no request can be on its way. Without it such a send does no harm.
        reject: what a final refusal changes here; likewise.
        hand_over: what it changes here that no attempt has shown an outcome; likewise. What was
            reserved stays reserved, since it may have left.
        alerts: whether carrying it out calls a person, and is counted as that.
    """

    send: Callable[[Services, Effect], Result]
    look_up: Callable[[Services, Effect], Result | None] = _nothing_found
    may_send: Callable[[Services, Effect], Verdict] = _always
    adopt: Callable[[Change, Effect, Result], None] = _nothing_more
    overtaken: Callable[[Change, Effect, Result], None] | None = None
    reject: Callable[[Change, Effect, str], None] = _nobody_waits
    hand_over: Callable[[Change, Effect, str], None] = _nobody_waits
    alerts: bool = False


def key_of(effect: Effect) -> str:
    """The persisted key of an effect that is being sent.

    Raises:
        BrokenInvariantError: it was not stored as sent, with the key of its own epoch.
    """
    effect.must_be_whole()
    if effect.status is not EffectStatus.SENT or effect.key is None:
        raise BrokenInvariantError(f"effect {effect.id} is not stored with its key")
    return effect.key
