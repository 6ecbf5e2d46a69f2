"""However long calls take, all workers together stay below the rate."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.stripe_client import Turns
from shared.runtime.settings import Pace

PACE = Pace(stripe_calls_per_second=20, workers=10)
START = datetime(2026, 3, 10, 12, tzinfo=UTC)


class WorkersClock:
    """One worker's time: waiting makes it pass."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def pause(self, longest_seconds: float) -> None:
        raise AssertionError(f"a pace is no matter of chance: {longest_seconds}")

    def wait(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


def sent_by_one(durations: Iterable[float]) -> list[datetime]:
    """When one worker's calls went out, each taking so long to be answered."""
    clock, sent = WorkersClock(), []
    turns = Turns(clock, PACE.seconds_per_change)
    for seconds in durations:
        turns.wait()
        sent.append(clock.now())
        clock.wait(seconds)
    return sent


@given(st.lists(st.lists(st.floats(0, 3), max_size=20), min_size=10, max_size=10))
def test_no_second_sees_more_than_the_rate(workers: list[list[float]]) -> None:
    sent = sorted(instant for durations in workers for instant in sent_by_one(durations))
    for index, instant in enumerate(sent):
        second = [one for one in sent[index:] if one < instant + timedelta(seconds=1)]
        assert len(second) <= PACE.stripe_calls_per_second


def test_quick_calls_use_the_rate_up_and_slow_ones_wait_for_nothing_more() -> None:
    assert sent_by_one([0.0] * 5)[-1] == START + timedelta(seconds=2)
    assert sent_by_one([0.75] * 5)[-1] == START + timedelta(seconds=3)


def test_the_first_call_of_a_worker_waits_for_nothing() -> None:
    assert sent_by_one([0.0]) == [START]


def test_a_clock_that_is_put_back_costs_no_more_than_one_interval() -> None:
    clock = WorkersClock()
    turns = Turns(clock, 0.5)
    turns.wait()
    clock.instant -= timedelta(hours=1)
    turns.wait()
    assert clock.now() == START - timedelta(hours=1) + timedelta(seconds=0.5)
