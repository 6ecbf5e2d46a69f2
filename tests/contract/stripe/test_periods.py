"""Period ends by the calendar, counted from the anchor."""

from datetime import datetime
from typing import Any

import pytest

from infrastructure.local.stripe.periods import period_end


def instant(text) -> Any:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


@pytest.mark.parametrize(
    ("anchor", "start", "interval", "count", "end"),
    [
        pytest.param("2026-01-01", "2026-01-01", "month", 1, "2026-02-01", id="month"),
        pytest.param("2026-01-31", "2026-01-31", "month", 1, "2026-02-28", id="31st to February"),
        pytest.param("2026-01-31", "2026-02-28", "month", 1, "2026-03-31", id="back to the 31st"),
        pytest.param("2026-01-31", "2026-03-31", "month", 1, "2026-04-30", id="31st to April"),
        pytest.param("2028-02-29", "2028-02-29", "year", 1, "2029-02-28", id="leap day, year"),
        pytest.param("2028-02-29", "2031-02-28", "year", 1, "2032-02-29", id="leap day again"),
        pytest.param(
            "2026-11-15", "2026-11-15", "month", 3, "2027-02-15", id="quarter over a year"
        ),
        pytest.param("2026-01-01", "2026-01-01", "year", 1, "2027-01-01", id="year"),
        pytest.param("2026-03-25", "2026-03-25", "week", 1, "2026-04-01", id="week over DST"),
        pytest.param("2026-01-01", "2026-01-01", "day", 10, "2026-01-11", id="ten days"),
        pytest.param(
            "2026-01-31T13:05", "2026-01-31T13:05", "month", 1, "2026-02-28T13:05", id="hour"
        ),
    ],
)
def test_a_period_ends_a_whole_number_of_intervals_after_the_anchor(
    anchor, start, interval, count, end
):
    assert period_end(instant(anchor), instant(start), interval, count) == instant(end)
