"""No record goes back, but by the edges that are written down: each of them, and no other."""

from dataclasses import fields, replace
from enum import StrEnum
from itertools import product
from typing import Any, get_args, get_type_hints

import pytest

from shared.adapters.dynamodb_items import kinds
from shared.domain.account import Account
from shared.domain.dispute import Dispute
from shared.domain.dispute_result import DisputeResult
from shared.domain.effects import Effect
from shared.domain.errors import BrokenInvariantError
from shared.domain.evidence import Evidence
from shared.domain.lifecycles import LIFECYCLES, must_follow
from shared.domain.subscription import Subscription
from tests.unit.domain.blank import AT, blank

STATES = ("state", "status", "phase", "outcome")
# Stripe's word, or a copy of what stands elsewhere.
NOT_OURS = {(Subscription, "status"), (DisputeResult, "outcome")}
# What may come round again: within each of these, and nowhere else.
ROUND: dict[tuple[str, str], list[set[str]]] = {
    ("RefundOperation", "status"): [{"pending", "requires_action"}],
    ("ForeignRefund", "status"): [{"pending", "requires_action"}],
    ("Cancellation", "state"): [{"executing", "executed", "needs_person"}],
    ("RefundCase", "state"): [
        {"needs_evidence", "under_review", "denied", "referred"},
        {"paying", "paid", "needs_person"},
    ],
    ("PrivacyRequest", "state"): [{"deferred", "erasing"}],
    ("EarlyWarning", "state"): [{"asked", "planned", "left"}],
    ("Dispute", "kind"): [{"chargeback", "compliance", "resolution", "block"}],
    ("Dispute", "phase"): [
        {"open", "under_review"},
        {"appeal", "appeal_under_review", "ended"},
    ],
    ("Dispute", "outcome"): [{"undecided", "won", "lost"}],
}
STEPPING = [(kind, name) for kind, life in LIFECYCLES.items() for name in life.steps]
FIXED = [(kind, name) for kind, life in LIFECYCLES.items() for name in life.fixed]


def named(case: tuple[type, str]) -> str:
    return f"{case[0].__name__}.{case[1]}"


def states_of(kind: type, name: str) -> list[Any]:
    return list(get_type_hints(kind)[name])


def test_every_stored_record_with_a_state_has_a_lifecycle() -> None:
    for kind in kinds():
        hints = get_type_hints(kind)
        for one in fields(kind):
            hint = hints[one.name]
            stateful = one.name in STATES and issubclass(hint, StrEnum)
            if stateful and (kind, one.name) not in NOT_OURS:
                assert one.name in LIFECYCLES[kind].steps, f"{kind.__name__}.{one.name}"


@pytest.mark.parametrize("case", STEPPING, ids=named)
def test_only_what_is_written_down_comes_round_again(case: tuple[type, str]) -> None:
    kind, name = case
    steps, states = LIFECYCLES[kind].steps[name], states_of(kind, name)
    reached = {state: set(steps.get(state, ())) for state in states}
    for middle, first in product(states, states):
        if middle in reached[first]:
            reached[first] |= reached[middle]
    rounds = {
        frozenset(str(b) for b in states if b in reached[a] and a in reached[b])
        for a in states
        if a in reached[a]
    }
    assert {one for one in rounds if len(one) > 1} == {
        frozenset(one) for one in ROUND.get((kind.__name__, name), ())
    }


@pytest.mark.parametrize("case", STEPPING, ids=named)
def test_what_does_not_follow_is_not_written(case: tuple[type, str]) -> None:
    kind, name = case
    refused = 0
    for old, new in product(states_of(kind, name), repeat=2):
        before = blank(kind, **{name: old})
        after = replace(before, **{name: new})
        if old is new or new in LIFECYCLES[kind].steps[name].get(old, ()):
            must_follow(before, after)
        else:
            with pytest.raises(BrokenInvariantError, match=f"{old} then {new}"):
                must_follow(before, after)
            refused += 1
    assert refused


@pytest.mark.parametrize("case", FIXED, ids=named)
def test_what_is_settled_stays(case: tuple[type, str]) -> None:
    kind, name = case
    before = blank(kind)
    value = _another(get_type_hints(kind)[name], getattr(before, name))
    settled = replace(before, **{name: value})
    must_follow(settled, settled)
    if getattr(before, name) is None:
        must_follow(before, settled)
    with pytest.raises(BrokenInvariantError, match=f"another {name}"):
        must_follow(settled, before)


def _another(hint: Any, known: Any) -> Any:
    hint = next((one for one in get_args(hint) if one is not type(None)), hint)
    if issubclass(hint, StrEnum):
        return next(one for one in hint if one is not known)
    return {str: "another", int: 7}.get(hint, AT.replace(year=2027))


@pytest.mark.parametrize(
    ("epoch", "attempts", "fine"),
    [(3, 5, True), (4, 6, True), (5, 6, False), (2, 6, False), (3, 4, False), (3, 9, True)],
)
def test_an_epoch_rises_by_one_at_the_most_and_attempts_never_fall(
    epoch: int, attempts: int, *, fine: bool
) -> None:
    before = blank(Effect, epoch=3, attempts=5)
    after = replace(before, epoch=epoch, attempts=attempts)
    if fine:
        must_follow(before, after)
    else:
        with pytest.raises(BrokenInvariantError):
            must_follow(before, after)


def test_the_audit_trail_is_numbered_upwards() -> None:
    with pytest.raises(BrokenInvariantError):
        must_follow(blank(Account, audit_sequence=4), blank(Account, audit_sequence=3))


def test_what_begins_anew_begins_from_the_start() -> None:
    missed = blank(Evidence, state="missed")
    must_follow(missed, replace(missed, state="preparing", respond_by=AT.replace(year=2027)))
    closed = blank(Dispute, kind="inquiry", phase="ended", outcome="closed")
    must_follow(closed, replace(closed, kind="chargeback", phase="open", outcome="undecided"))


def test_nothing_is_before_what_is_new() -> None:
    must_follow(None, blank(Effect))
