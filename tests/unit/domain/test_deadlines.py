"""Promises in business days and business hours."""

from typing import Any

import pytest

from tests.unit.domain.cases import case, invoice, quote


def deadlines(pack: str, received_at: str, **request: object) -> dict[str, object]:
    out = quote(
        case(
            pack,
            now=received_at,
            customer={"purchased_at": received_at},
            invoices=[invoice(issued_at=received_at)],
            request={"ground": "dissatisfaction", "received_at": received_at} | request,
        )
    )
    found: dict[str, object] = out["deadlines"]
    return found


@pytest.mark.clause("rtc.review_sla")
@pytest.mark.parametrize(
    ("received_at", "review_by"),
    [
        # Friday 16 January; the 26th is Republic Day: day 10 is Monday the 2nd of February.
        pytest.param("2026-01-16T12:00:00Z", "2026-02-02T18:30:00Z", id="over a holiday"),
        pytest.param("2026-02-06T12:00:00Z", "2026-02-20T18:30:00Z", id="from a Friday"),
        pytest.param("2026-02-08T12:00:00Z", "2026-02-20T18:30:00Z", id="from a Sunday"),
        # 23:30 in India is 18:00 in UTC; half an hour later it is the next day there.
        pytest.param("2026-02-05T18:00:00Z", "2026-02-19T18:30:00Z", id="Thursday night"),
        pytest.param("2026-02-05T18:30:00Z", "2026-02-20T18:30:00Z", id="Friday, 00:00"),
    ],
)
def test_a_review_is_due_at_24_00_of_the_tenth_business_day(
    received_at: str, review_by: str
) -> None:
    assert deadlines("rtc", received_at)["review_by"] == review_by


@pytest.mark.clause("rtc.payout_sla")
def test_a_payout_is_promised_from_the_grant_on_and_not_before() -> None:
    incident = {
        "from": "2026-02-02T00:00:00Z",
        "to": "2026-02-03T00:00:00Z",
        "attribution": "vendor",
    }
    request = {"ground": "service_disruption", "evidence": ["log"]}
    facts: dict[str, Any] = {
        "now": "2026-02-06T12:00:00Z",
        "invoices": [invoice(issued_at="2026-02-01T00:00:00Z")],
        "request": request,
    }

    granted = quote(case("rtc", **facts, incidents=[incident | {"beyond_sla": True}]))
    asked = quote(case("rtc", **facts, incidents=[incident | {"beyond_sla": False}]))

    assert granted["deadlines"]["payout_by"] == "2026-02-20T18:30:00Z"
    assert asked["deadlines"]["payout_by"] is None


@pytest.mark.clause("moneyback.callback")
@pytest.mark.parametrize(
    ("received_at", "begin", "end"),
    [
        # New York is five hours behind UTC in winter, four in summer; hours are 08:00 to 22:00.
        pytest.param(
            "2026-02-04T15:00:00Z", "2026-02-04T19:00:00Z", "2026-02-04T23:00:00Z", id="10:00"
        ),
        pytest.param(
            "2026-02-04T19:00:00Z",
            "2026-02-04T23:00:00Z",
            "2026-02-05T03:00:00Z",
            id="14:00: the upper bound lands on closing and stays there",
        ),
        pytest.param(
            "2026-02-04T23:00:00Z",
            "2026-02-05T13:00:00Z",
            "2026-02-05T17:00:00Z",
            id="18:00: the lower bound lands on closing and moves to the next opening",
        ),
        pytest.param(
            "2026-02-07T15:00:00Z", "2026-02-09T17:00:00Z", "2026-02-09T21:00:00Z", id="a Saturday"
        ),
        pytest.param(
            "2026-02-14T02:00:00Z",
            "2026-02-17T16:00:00Z",
            "2026-02-17T20:00:00Z",
            id="Friday 21:00, over Washington's birthday",
        ),
        pytest.param(
            "2026-03-07T02:00:00Z",
            "2026-03-09T15:00:00Z",
            "2026-03-09T19:00:00Z",
            id="over the change to summer time",
        ),
    ],
)
def test_a_call_back_comes_after_4_to_8_business_hours(
    received_at: str, begin: str, end: str
) -> None:
    between = deadlines("moneyback", received_at)["callback_between"]

    assert between == {"from": begin, "to": end}
