"""A seed draws one world, always the same, within the bounds that a story needs."""

import pytest

from infrastructure.local.world import PEOPLE, PRICES, STORY_BEGINS, draw


def test_the_same_seed_draws_the_same_world_and_another_seed_another():
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


@pytest.mark.parametrize("seed", range(50))
def test_every_drawn_subscription_can_be_played(seed):
    people, now = draw(seed)
    assert people.keys() == PEOPLE.keys()
    for key, person in people.items():
        assert len({plan.currency for plan in person.plans}) == 1
        for plan, documented in zip(person.plans, PEOPLE[key].plans, strict=True):
            assert plan.currency in PRICES
            assert plan.amount > 0
            assert plan.interval == documented.interval
            assert plan.start < now


def test_the_documented_world_is_the_one_without_a_seed():
    ann = PEOPLE["ann"].plans[0]
    assert (ann.currency, ann.amount, ann.interval) == ("usd", 120_000, "year")
    assert ann.start.isoformat() == "2026-01-01T00:00:00+00:00"
    assert STORY_BEGINS.isoformat() == "2026-03-10T12:00:00+00:00"
