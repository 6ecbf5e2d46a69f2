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


def test_a_plan_is_told_as_a_price_list_would():
    assert [person.role for person in PEOPLE.values()] == [
        "Calls, a year: USD 1,200.00",
        "Calls, a month: EUR 29.00, 19 % tax on top",
        "Calls, a year: JPY 36,000, 10 % tax in it",
        "Calls, a month: USD 49.00; Numbers, a month: USD 15.00",
        "Calls, a month: USD 99.00",
    ]


def test_the_documented_world_is_the_one_without_a_seed():
    ann = PEOPLE["ann"].plans[0]
    assert (ann.currency, ann.amount, ann.interval) == ("usd", 120_000, "year")
    assert ann.start.isoformat() == "2026-01-01T00:00:00+00:00"
    assert STORY_BEGINS.isoformat() == "2026-03-10T12:00:00+00:00"
