"""A slice of `make prove` that is the same for ever, and the proof of its own parts."""

from pathlib import Path

import pytest

from infrastructure.proof.fan_out import fan_out
from infrastructure.proof.lifetimes import Tally, live_some, schedule_of
from infrastructure.proof.schedules import from_text

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
    lived = from_text(kept.read_text(encoding="utf-8")).live()
    assert lived.fired
    assert lived.violations == []


def test_ends_in_one_second_drain_behind_one_another() -> None:
    told = fan_out(300)
    assert told.failures == []
    assert told.reached
