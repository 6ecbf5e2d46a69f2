"""Every kind of divergence is found and typed, once; what agrees or is under way never is."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.clearing import clear
from shared.domain.comparison import compare, may_differ
from shared.domain.reconciliation import (
    AtStripe,
    ChangeFacts,
    Cleared,
    DivergenceKind,
    Here,
    Repair,
)
from shared.domain.subscription import SubscriptionStatus
from tests.unit.domain.agreements import AGREE, OPEN_NOTE
from tests.unit.domain.both_sides import (
    CHARGEBACK,
    CUSTOMER,
    DASHBOARD,
    HERE,
    LEDGER,
    LIVE,
    MOMENT,
    MOVED,
    NOTE,
    NOW,
    SEEN,
    YESTERDAY,
    facts_of,
    here,
)
from tests.unit.domain.divergences import CASES

Kind = DivergenceKind


@pytest.mark.parametrize(
    ("kind", "subject", "repair", "ours", "theirs"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_divergence_is_found_and_typed_and_nothing_else(
    kind: Kind, subject: str, repair: Repair | None, ours: Here, theirs: AtStripe
) -> None:
    (found,) = compare(ours, theirs, MOMENT)
    assert (found.kind, found.subject, found.repair) == (kind, subject, repair)
    assert found.detail


def test_every_kind_has_its_case() -> None:
    assert {case[1] for case in CASES} == set(Kind)


def test_what_agrees_has_no_divergence_and_a_cleared_day() -> None:
    assert compare(HERE, SEEN, MOMENT) == []
    (row,) = (clear(HERE, SEEN, MOMENT),)
    assert row == [
        Cleared(YESTERDAY.date(), "usd", -7_000, -7_000),
        Cleared(YESTERDAY.date(), "usd", -500, -500),
        Cleared(YESTERDAY.date(), "usd", -10_500, -10_500),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs"), [case[1:] for case in AGREE], ids=[case[0] for case in AGREE]
)
def test_what_is_right_as_it_stands_is_no_divergence(ours: Here, theirs: AtStripe) -> None:
    assert compare(ours, theirs, MOMENT) == []


JUST_NOW = NOW - timedelta(minutes=20)


@pytest.mark.parametrize(
    ("ours", "busy"),
    [
        (HERE, False),
        (here(changed_at=JUST_NOW), True),
        (here(effects=(replace(OPEN_NOTE, created_at=JUST_NOW),)), True),
        (here(effects=(replace(OPEN_NOTE, last_sent_at=JUST_NOW),)), True),
        (here(effects=(OPEN_NOTE,)), False),
        (here(effects=(replace(OPEN_NOTE, created_at=JUST_NOW).done({}),)), False),
    ],
    ids=["quiet", "decided", "planned", "tried", "waiting for long", "done"],
)
def test_a_customer_of_whom_something_is_under_way_is_left_alone(ours: Here, *, busy: bool) -> None:
    assert ours.is_busy(MOMENT) is busy


UNHEARD = Here(CUSTOMER, changed_at=YESTERDAY)


def test_what_is_young_at_stripe_may_be_on_its_way_to_us() -> None:
    young = AtStripe(
        subscriptions=(facts_of(LIVE, created_at=JUST_NOW),),
        refunds=(replace(DASHBOARD, created_at=JUST_NOW),),
        disputes=(replace(CHARGEBACK, opened_at=JUST_NOW),),
        credit_notes=(replace(NOTE, created_at=JUST_NOW),),
        movements=tuple(replace(one, created_at=JUST_NOW) for one in MOVED),
    )
    assert compare(UNHEARD, young, MOMENT) == []
    assert clear(UNHEARD, young, MOMENT) == []
    later = replace(MOMENT, now=NOW + timedelta(hours=1))
    assert Counter(one.kind for one in compare(UNHEARD, young, later)) == {
        Kind.SUBSCRIPTION_UNKNOWN_HERE: 1,
        Kind.REFUND_UNKNOWN_HERE: 1,
        Kind.DISPUTE_UNKNOWN_HERE: 1,
        Kind.CREDIT_NOTE_UNKNOWN_HERE: 1,
        # A movement whose refund is not even listed.
        Kind.LEDGER_DIFFERS: 1,
    }


def test_what_has_an_event_of_just_now_may_be_on_its_way_to_us() -> None:
    changed = [
        ChangeFacts(f"evt_{name}", name, JUST_NOW)
        for name in ("sub_live", "re_own", "re_dash", "du_1", "cn_1")
    ]
    moving = replace(MOMENT, moving=frozenset(one.object for one in changed))
    assert compare(UNHEARD, replace(SEEN, movements=MOVED[:2]), moving) == []


def test_a_subscription_alone_tells_whether_to_look_closer() -> None:
    assert not may_differ(LIVE, facts_of(LIVE), MOMENT)
    assert may_differ(LIVE, facts_of(LIVE, status=SubscriptionStatus.ENDED), MOMENT)
    assert may_differ(None, facts_of(LIVE), MOMENT)
    assert not may_differ(None, facts_of(LIVE, created_at=JUST_NOW), MOMENT)


def test_a_day_that_is_not_cleared_says_by_how_much() -> None:
    rows = clear(here(ledger=LEDGER[1:]), SEEN, MOMENT)
    total = rows[0].plus(rows[1]).plus(rows[2])
    assert (total.stripe, total.ledger, total.rest) == (-18_000, -11_000, -7_000)
