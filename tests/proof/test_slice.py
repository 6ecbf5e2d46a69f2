"""A slice of `make prove` that is the same for ever, and the proof of its own parts."""

from pathlib import Path

import pytest

from infrastructure.proof.fan_out import fan_out
from infrastructure.proof.lifetimes import Tally, live_some, schedule_of
from infrastructure.proof.schedules import from_text
from infrastructure.proof.simulated.functions import EVENTS, LANES, ROUTES, Consumer
from infrastructure.proof.simulated.hub import SECOND
from infrastructure.proof.simulated.queues import VISIBILITY
from infrastructure.proof.simulated.worker import FUNCTION_TIMEOUT
from tests.infrastructure import cloudformation

# Schedules that failed once, as `make prove` printed them.
FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))
SEEDS = 240
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_lifetimes_break_no_invariant(part: int) -> None:
    seeds = [f"slice {part} {number}" for number in range(SEEDS // PARTS)]
    tally: Tally = live_some((seeds, 600.0))
    assert tally.failing == []
    assert tally.seeds == len(seeds)
    assert len(tally.faults) > 16


def test_a_lifetime_is_told_again_from_its_text() -> None:
    schedule, lifetime = schedule_of("slice 0 7")
    first = lifetime.live()
    again = from_text(schedule.as_text())
    assert again.faults == schedule.faults
    assert again.live().fired == first.fired


@pytest.mark.parametrize("kept", FIXTURES, ids=lambda path: path.stem)
def test_a_schedule_that_failed_once_fails_no_more(kept: Path) -> None:
    schedule = from_text(kept.read_text(encoding="utf-8"))
    lived = schedule.live()
    assert bool(lived.fired) is bool(schedule.faults)
    assert lived.violations == []


def test_ends_in_one_second_drain_behind_one_another() -> None:
    told = fan_out(300)
    assert told.failures == []
    assert told.reached


@pytest.mark.parametrize("consumer", [EVENTS, *LANES.values()], ids=lambda one: one.function)
def test_queues_are_consumed_as_the_template_says(consumer: Consumer) -> None:
    template = cloudformation.load()
    (function,) = (
        one
        for one in cloudformation.functions(template).values()
        if cloudformation.folder(one) == consumer.function
    )
    (source,) = cloudformation.events(function, "SQS")
    queue = cloudformation.queues(template)[cloudformation.target(source["Queue"])]
    assert consumer.batch == source["BatchSize"]
    assert consumer.workers == source["ScalingConfig"]["MaximumConcurrency"]
    assert consumer.most == queue["RedrivePolicy"]["maxReceiveCount"]
    assert queue["VisibilityTimeout"] * SECOND == VISIBILITY
    assert cloudformation.timeout(template, function) * SECOND == FUNCTION_TIMEOUT


def test_routes_lead_where_the_template_says() -> None:
    template = cloudformation.load()
    functions = cloudformation.functions(template)
    known = {
        f"{method} {path}": cloudformation.folder(functions[name])
        for (method, path), name in cloudformation.routes(template).items()
    }
    assert ROUTES.items() <= known.items()
