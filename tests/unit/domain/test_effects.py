"""Which attempt at an effect is safe, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.application.effects.performer import key_of
from shared.domain.effects import (
    KEY_LIFETIME,
    RETRY_LADDER,
    SETTLE_TIME,
    SWEEP_AFTER,
    Attempt,
    Effect,
    EffectKind,
    EffectStatus,
    decide_attempt,
    may_rotate,
)
from shared.domain.errors import BrokenInvariantError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fresh() -> Effect:
    return Effect(
        id="01J0",
        customer="cus_1",
        kind=EffectKind.REFUND_PAYMENT,
        params={},
        status=EffectStatus.PENDING,
        created_at=NOW,
        next_attempt_at=NOW,
        environment="test",
    )


def sent() -> Effect:
    return fresh().sending(NOW, incarnation=1)


def rotated(later: datetime) -> Effect:
    return sent().sending(later, incarnation=1, nothing_found_at=later)


def test_a_fresh_effect_is_sent() -> None:
    assert decide_attempt(fresh(), NOW, 1) is Attempt.SEND


def test_the_key_names_kind_environment_operation_and_epoch() -> None:
    assert sent().key == "refund_payment:test:01J0:1"


@pytest.mark.parametrize(
    ("age", "attempt"),
    [(KEY_LIFETIME, Attempt.SEND), (KEY_LIFETIME + SECOND, Attempt.LOOK_UP_FIRST)],
    ids=["while Stripe remembers", "one second later"],
)
def test_the_same_key_is_used_only_while_stripe_remembers_it(
    age: timedelta, attempt: Attempt
) -> None:
    assert decide_attempt(sent(), NOW + age, 1) is attempt


def test_a_stored_server_error_is_looked_up() -> None:
    ambiguous = sent().retrying(NOW, ambiguous=True)
    assert decide_attempt(ambiguous, NOW + RETRY_LADDER[0], 1) is Attempt.LOOK_UP_FIRST


def test_an_ambiguous_effect_stays_ambiguous_until_its_key_changes() -> None:
    ambiguous = sent().retrying(NOW, ambiguous=True).retrying(NOW, ambiguous=False)
    assert ambiguous.ambiguous
    later = NOW + SETTLE_TIME + SECOND
    again = ambiguous.sending(later, incarnation=1, nothing_found_at=later)
    assert not again.ambiguous


@pytest.mark.parametrize(("age", "allowed"), [(SETTLE_TIME, False), (SETTLE_TIME + SECOND, True)])
def test_a_new_key_waits_until_the_last_request_cannot_be_executing(
    age: timedelta, *, allowed: bool
) -> None:
    assert may_rotate(sent(), NOW + age) is allowed


def test_the_settle_time_counts_from_the_last_use_of_the_key() -> None:
    again = sent().sending(NOW + timedelta(minutes=10), incarnation=1)
    assert not may_rotate(again, NOW + timedelta(minutes=20))
    assert again.key == sent().key
    assert again.sent_at == NOW


def test_a_new_epoch_is_a_new_key_and_a_new_clock() -> None:
    later = NOW + timedelta(days=2)
    anew = rotated(later)
    assert (anew.epoch, anew.sent_at) == (2, later)
    assert decide_attempt(anew, later + KEY_LIFETIME, 1) is Attempt.SEND


def test_once_tried_an_effect_waits_for_its_time() -> None:
    assert decide_attempt(sent(), NOW + SWEEP_AFTER - SECOND, 1) is Attempt.NOTHING
    assert decide_attempt(sent(), NOW + SWEEP_AFTER, 1) is Attempt.SEND


@pytest.mark.parametrize(
    "status", [EffectStatus.DONE, EffectStatus.REJECTED, EffectStatus.NEEDS_PERSON]
)
def test_an_ended_effect_is_left_alone(status: EffectStatus) -> None:
    ended = replace(sent(), status=status)
    assert decide_attempt(ended, NOW, 1) is Attempt.NOTHING
    assert ended.due_at is None


def test_nothing_is_sent_without_a_key() -> None:
    assert fresh().key is None
    assert key_of(sent()) == sent().key
    with pytest.raises(BrokenInvariantError):
        key_of(fresh())


def test_a_worker_that_dies_leaves_the_effect_due_for_the_sweeper() -> None:
    assert sent().due_at == NOW + SWEEP_AFTER


def test_the_ladder_has_an_end() -> None:
    effect, waits = fresh(), []
    while not effect.exhausted:
        effect = effect.sending(NOW, incarnation=1).retrying(NOW)
        waits.append(effect.next_attempt_at - NOW)
    assert tuple(waits) == (*RETRY_LADDER, RETRY_LADDER[-1])


def test_failures_before_anything_was_sent_climb_the_ladder_too() -> None:
    effect = fresh().tried().retrying(NOW)
    assert effect.next_attempt_at == NOW + RETRY_LADDER[0]
    assert effect.tried().retrying(NOW).next_attempt_at == NOW + RETRY_LADDER[1]


@pytest.mark.parametrize("effect", [fresh(), sent()], ids=["never sent", "sent"])
def test_an_effect_of_an_earlier_life_of_the_table_is_looked_up_first(effect: Effect) -> None:
    assert decide_attempt(effect, NOW + SWEEP_AFTER, 2) is Attempt.LOOK_UP_FIRST


def test_once_sent_again_it_belongs_to_this_life() -> None:
    adopted = fresh().sending(NOW, incarnation=2)
    assert decide_attempt(adopted, NOW + SWEEP_AFTER, 2) is Attempt.SEND


def test_a_second_key_is_refused_while_the_first_may_still_be_executing() -> None:
    with pytest.raises(BrokenInvariantError):
        rotated(NOW + SETTLE_TIME)


def test_without_a_look_up_the_key_stays_however_late_it_is() -> None:
    assert sent().sending(NOW + timedelta(days=9), incarnation=1).key == sent().key


def test_no_end_is_taken_back() -> None:
    ended = sent().done({})
    for step in (
        lambda: ended.rejected("no"),
        lambda: ended.done({}),
        lambda: ended.handed_over("no"),
        lambda: ended.sending(NOW + timedelta(days=1), incarnation=1),
    ):
        with pytest.raises(BrokenInvariantError):
            step()


CONTRADICTIONS = {
    "no key": replace(sent(), key=None),
    "another's key": replace(sent(), key="k"),
    "the key of another epoch": replace(sent(), epoch=2),
    "the key of another environment": replace(sent(), environment="live"),
    "set back to pending": replace(sent(), status=EffectStatus.PENDING),
    "set back to the first epoch": replace(sent(), epoch=0),
    "sent at no time": replace(sent(), sent_at=None),
    "sent without a trace": replace(fresh(), status=EffectStatus.SENT),
    "open with a result": replace(sent(), result={"refund": "re_1"}),
}


@pytest.mark.parametrize("effect", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_nothing_is_done_with_an_effect_that_contradicts_itself(effect: Effect) -> None:
    later = NOW + timedelta(days=1)
    for step in (
        lambda: key_of(effect),
        lambda: effect.sending(later, incarnation=1),
        lambda: effect.sending(later, incarnation=1, nothing_found_at=later),
    ):
        with pytest.raises(BrokenInvariantError):
            step()
