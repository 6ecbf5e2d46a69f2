"""Carry out one effect: persist the key, call, adopt what came of it.

Whatever dies here, the stored effect says what was sent and when, and the next attempt is the one
that `decide_attempt` calls safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from shared.application import prevent_dispute
from shared.application.change import (
    TRIES,
    Change,
    pause_before_try,
    present,
    transact,
    wake,
)
from shared.application.effects import (
    account_credit,
    cancellations,
    charges,
    collection,
    declarations,
    evidence,
    messages,
    privacy,
    receivables,
    refunds,
    terms,
)
from shared.application.effects.performer import Go, Performer, Refuse, Result, Skip
from shared.application.incidents import propose_credits, release_credits
from shared.application.money_gate import Hold, pass_gate
from shared.domain.effects import (
    SETTLE_TIME,
    Attempt,
    Effect,
    EffectKind,
    decide_attempt,
    may_rotate,
)
from shared.domain.errors import (
    BrokenInvariantError,
    ConflictingWriteError,
    NotReadyError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from shared.domain.lifecycles import must_follow
from shared.ports import Check, Put, Services, Stored

PERFORMERS: dict[EffectKind, Performer] = {
    **cancellations.PERFORMERS,
    **declarations.PERFORMERS,
    **charges.PERFORMERS,
    **refunds.PERFORMERS,
    **account_credit.PERFORMERS,
    **collection.PERFORMERS,
    **evidence.PERFORMERS,
    **prevent_dispute.PERFORMERS,
    **receivables.PERFORMERS,
    **messages.PERFORMERS,
    **propose_credits.PERFORMERS,
    **release_credits.PERFORMERS,
    **privacy.PERFORMERS,
    **terms.PERFORMERS,
}

# The longest delay that a queue message can have; later attempts are left to the sweeper.
_LONGEST_DELAY = 900


class Performed(StrEnum):
    """What came of an attempt."""

    DONE = "done"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    LATER = "later"
    HELD = "held"
    NEEDS_PERSON = "needs_person"
    ALERTED = "alerted"
    NOTHING = "nothing"


def perform_effect(services: Services, *, customer: str, effect_id: str) -> Performed:
    """One attempt at an effect, if one is safe now.

    Raises:
        NotReadyError: the effect is not in the table (yet).
    """
    stored = services.store.get(Effect, customer, effect_id)
    if stored is None:
        raise NotReadyError(f"effect {effect_id} is not stored")
    for attempt in range(TRIES):
        try:
            return _attempt(services, stored)
        except ConflictingWriteError:
            again = services.store.get(Effect, customer, effect_id)
        if again is None or again.version != stored.version:
            # Another worker has it; what it leaves behind is due again by itself.
            return Performed.NOTHING
        # Something beside the effect has moved: a cap, a payment. Look again.
        pause_before_try(services, attempt)
    raise UnavailableError(f"too many writers beside effect {effect_id}")


def count_failed_attempt(services: Services, *, customer: str, effect_id: str) -> None:
    """Move an effect whose attempt broke off up its ladder; at its end a person gets it.

    Without this a poisoned effect would come due at every sweep and fill the dead-letter queue.
    """
    stored = services.store.get(Effect, customer, effect_id)
    if stored is None or stored.record.due_at is None:
        return
    failed = stored.record.tried().retrying(present(services))
    services.store.commit([_over(stored, failed)])


def _attempt(services: Services, stored: Stored[Effect]) -> Performed:
    effect, now = stored.record, present(services)
    performer = PERFORMERS[effect.kind]
    attempt = decide_attempt(effect, now, services.incarnation)
    if attempt is Attempt.NOTHING:
        return Performed.NOTHING
    if effect.exhausted:
        return _hand_over(services, effect)
    nothing_found_at: datetime | None = None
    try:
        if attempt is Attempt.LOOK_UP_FIRST:
            found = performer.look_up(services, effect)
            if found is not None:
                return _adopt(services, effect, found)
            if not may_rotate(effect, now):
                return _postpone(services, stored, now)
            nothing_found_at = now
        verdict = performer.may_send(services, effect)
    except (UnavailableError, OutcomeUnknownError):
        # Only read so far; a reading that fails is tried again like a call that failed.
        return _later(services, Stored(effect.tried(), stored.version), now, ambiguous=False)
    match verdict:
        case Go(checks):
            return _go(services, stored, checks, nothing_found_at)
        case Skip(reason):
            return _skip(services, stored, reason, now)
        case Refuse(reason):
            return _refuse(services, stored, reason, now)


def _go(
    services: Services,
    stored: Stored[Effect],
    checks: Sequence[Check],
    nothing_found_at: datetime | None,
) -> Performed:
    """Store the key together with all that must still hold, then call."""
    now = present(services)
    passed = pass_gate(services, stored.record, now)
    if isinstance(passed, Hold):
        return _hold(services, stored, passed)
    sending = stored.record.sending(
        now, incarnation=services.incarnation, nothing_found_at=nothing_found_at
    )
    services.store.commit([_over(stored, sending), *checks, *passed])
    return _send(services, Stored(sending, stored.version + 1), now)


def _send(services: Services, stored: Stored[Effect], now: datetime) -> Performed:
    effect = stored.record
    performer = PERFORMERS[effect.kind]
    try:
        try:
            result = performer.send(services, effect)
        except RefusedError as refusal:
            # It may be our own earlier success that stands in the way: look before believing.
            found = performer.look_up(services, effect)
            if found is None:
                return _reject(services, effect, str(refusal))
            result = found
    except UnavailableError:
        return _later(services, stored, now, ambiguous=False)
    except OutcomeUnknownError as unknown:
        return _later(services, stored, now, ambiguous=unknown.sticky)
    return _adopt(services, effect, result)


def _adopt(services: Services, effect: Effect, result: Result) -> Performed:
    performer = PERFORMERS[effect.kind]
    adopt = performer.adopt
    return _end(
        services,
        effect,
        Performed.ALERTED if performer.alerts else Performed.DONE,
        effect.kind.value,
        lambda known: known.done(result),
        lambda change, known: adopt(change, known, result),
    )


def _skip(services: Services, stored: Stored[Effect], reason: str, now: datetime) -> Performed:
    """Wanted no more; what was sent earlier, unheard, is undone as soon as it can only be over."""
    effect, result = stored.record, {"skipped": reason}
    overtaken = PERFORMERS[effect.kind].overtaken if effect.sent_at is not None else None
    if overtaken is not None and not may_rotate(effect, now):
        return _postpone(services, stored, now)
    return _end(
        services,
        effect,
        Performed.SKIPPED,
        reason,
        lambda known: known.done(result),
        overtaken and (lambda change, known: overtaken(change, known, result)),
    )


def _reject(services: Services, effect: Effect, reason: str) -> Performed:
    reject = PERFORMERS[effect.kind].reject
    return _end(
        services,
        effect,
        Performed.REJECTED,
        reason,
        lambda known: known.rejected(reason),
        lambda change, known: reject(change, known, reason),
    )


def _hand_over(services: Services, effect: Effect) -> Performed:
    """No attempt has shown an outcome: a person looks, and a late event may still settle it."""
    hand_over = PERFORMERS[effect.kind].hand_over
    reason = f"no outcome after {effect.attempts} attempts"
    return _end(
        services,
        effect,
        Performed.NEEDS_PERSON,
        reason,
        lambda known: known.handed_over(reason),
        lambda change, known: hand_over(change, known, reason),
    )


def _end(
    services: Services,
    effect: Effect,
    outcome: Performed,
    why: str,
    ended: Callable[[Effect], Effect],
    follow: Callable[[Change, Effect], None] | None = None,
) -> Performed:
    """End the effect with everything that follows from it, unless another worker has ended it."""

    def decide(change: Change) -> Performed:
        known = change.load(Effect, effect.id)
        if known is None:
            raise BrokenInvariantError(f"effect {effect.id} has vanished")
        if known.due_at is None:
            return Performed.NOTHING
        if follow is not None:
            follow(change, known)
        change.put(ended(known))
        change.audit(
            f"effect_{outcome.value}", why, effect=known.id, kind=known.kind.value, key=known.key
        )
        return outcome

    return transact(services, effect.customer, "effects", decide)


def _refuse(services: Services, stored: Stored[Effect], reason: str, now: datetime) -> Performed:
    """Our own refusal; something sent earlier may still have been carried out."""
    effect = stored.record
    if effect.sent_at is not None:
        found = PERFORMERS[effect.kind].look_up(services, effect)
        if found is not None:
            return _adopt(services, effect, found)
        if not may_rotate(effect, now):
            return _postpone(services, stored, now)
    return _reject(services, effect, reason)


def _later(
    services: Services, stored: Stored[Effect], now: datetime, *, ambiguous: bool
) -> Performed:
    """The outcome is open: the same effect again later."""
    effect = stored.record.retrying(now, ambiguous=ambiguous)
    services.store.commit([_over(stored, effect)])
    delay = int((effect.next_attempt_at - now).total_seconds())
    if delay <= _LONGEST_DELAY:
        wake(services, [effect], delay_seconds=delay)
    return Performed.LATER


def _hold(services: Services, stored: Stored[Effect], hold: Hold) -> Performed:
    """The switch or a cap says not now; nothing is counted as an attempt."""
    waiting = replace(stored.record.waiting_until(hold.until), reason=hold.reason)
    services.store.commit([_over(stored, waiting)])
    return Performed.HELD


def _postpone(services: Services, stored: Stored[Effect], now: datetime) -> Performed:
    """The last request may still be executing: wait it out."""
    last = stored.record.last_sent_at or now
    services.store.commit([_over(stored, stored.record.waiting_until(last + SETTLE_TIME))])
    return Performed.LATER


def _over(stored: Stored[Effect], effect: Effect) -> Put:
    """The effect in place of what was read of it."""
    must_follow(stored.record, effect)
    return Put(effect, stored.version)
