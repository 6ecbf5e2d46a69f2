"""The consumer's right that stands over every pack."""

from datetime import date
from typing import Any

import pytest

from shared.domain.statutes import months_later
from tests.unit.domain.cases import case, invoice, line, payment, quote

PACKS = ("voip", "rtc", "itservices", "moneyback")


def withdrawn(
    pack: str = "voip",
    *,
    purchased_at: str = "2026-01-01T00:00:00Z",
    now: str = "2026-01-08T12:00:00Z",
    customer: dict[str, Any] | None = None,
    withdrawal: dict[str, Any] | None = None,
    lines: list[dict[str, Any]] | None = None,
    **request: Any,
) -> dict[str, Any]:
    who = {"country": "FR", "consumer": True, "purchased_at": purchased_at}
    facts = {"informed": True, "started_on_request": False, "loss_waiver": False}
    return quote(
        case(
            pack,
            now=now,
            customer=who | (customer or {}),
            withdrawal=facts | (withdrawal or {}),
            invoices=[invoice(lines, [payment(fee=3000)])],
            request={"ground": "withdrawal"} | request,
        )
    )


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize("pack", PACKS)
def test_nothing_is_kept_where_the_start_was_not_expressly_asked_for(pack: str) -> None:
    out = withdrawn(pack)

    assert (out["outcome"], out["total"], out["deductions"]) == ("granted", 120000, [])
    assert out["cancellation"]["access_until"] == "2026-01-08T12:00:00Z"


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize("pack", PACKS)
def test_the_proportional_part_is_kept_where_it_was(pack: str) -> None:
    out = withdrawn(pack, withdrawal={"started_on_request": True})

    assert out["lines"][0]["fraction"] == "143/146"  # 357.5 of 365 days
    assert (out["outcome"], out["total"]) == ("granted", 117534)


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize(
    ("purchased_at", "now", "outcome"),
    [
        # 1 January plus 14 is Thursday the 15th.
        pytest.param("2026-01-01T12:00:00Z", "2026-01-15T23:59:59Z", "granted", id="day 14"),
        pytest.param("2026-01-01T12:00:00Z", "2026-01-16T00:00:00Z", "denied", id="day 15"),
        # 3 January plus 14 is Saturday the 17th: Monday the 19th is the last day.
        pytest.param("2026-01-03T12:00:00Z", "2026-01-19T23:59:59Z", "granted", id="a weekend"),
        pytest.param("2026-01-03T12:00:00Z", "2026-01-20T00:00:00Z", "denied", id="after it"),
        # 23 March plus 14 is Easter Monday, 6 April 2026, a holiday in France.
        pytest.param("2026-03-23T12:00:00Z", "2026-04-07T23:59:59Z", "granted", id="a holiday"),
        pytest.param("2026-03-23T12:00:00Z", "2026-04-08T00:00:00Z", "denied", id="after that"),
    ],
)
def test_the_last_day_is_the_fourteenth_or_the_next_business_day(
    purchased_at: str, now: str, outcome: str
) -> None:
    assert withdrawn(purchased_at=purchased_at, now=now)["outcome"] == outcome


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize(
    ("informed", "now", "outcome"),
    [
        (False, "2027-01-15T12:00:00Z", "granted"),
        (False, "2027-01-16T00:00:00Z", "denied"),
        (None, "2026-03-10T12:00:00Z", "needs_verification"),
        (None, "2027-01-16T00:00:00Z", "denied"),
        (None, "2026-01-08T12:00:00Z", "granted"),
    ],
)
def test_whoever_was_not_told_has_twelve_months_more(
    informed: bool | None, now: str, outcome: str
) -> None:
    assert withdrawn(now=now, withdrawal={"informed": informed})["outcome"] == outcome


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize(
    ("customer", "outcome"),
    [
        ({"country": "US"}, "denied"),
        ({"consumer": False}, "denied"),
        ({"country": None}, "needs_verification"),
        ({"consumer": None}, "needs_verification"),
        ({"country": None, "consumer": False}, "denied"),
        ({"country": "NO"}, "granted"),
    ],
)
def test_an_unknown_that_matters_needs_verification(customer: dict[str, Any], outcome: str) -> None:
    assert withdrawn("rtc", customer=customer)["outcome"] == outcome


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize(
    ("waiver", "outcome"), [(True, "denied"), (False, "granted"), (None, "needs_verification")]
)
def test_the_right_is_lost_only_with_a_waiver(*, waiver: bool | None, outcome: str) -> None:
    lines = [line(kind="digital", period=None, rendered_at="2026-01-02T00:00:00Z")]

    out = withdrawn(lines=lines, withdrawal={"loss_waiver": waiver})

    assert out["outcome"] == outcome


@pytest.mark.clause("eu.withdrawal")
def test_whether_a_start_was_asked_for_matters_once_something_was_provided() -> None:
    unknown = {"started_on_request": None}

    assert withdrawn(withdrawal=unknown)["outcome"] == "needs_verification"
    assert withdrawn(withdrawal=unknown, now="2026-01-01T00:00:00Z")["outcome"] == "granted"


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize(
    ("pack", "now", "payout_by"),
    [
        pytest.param("voip", "2026-01-08T12:00:00Z", "2026-01-23T00:00:00Z", id="14 days"),
        # Ten business days over Republic Day would be later than 14 days.
        pytest.param("rtc", "2026-01-14T12:00:00Z", "2026-01-28T18:30:00Z", id="the law's"),
    ],
)
def test_it_is_paid_out_within_14_days_or_sooner(pack: str, now: str, payout_by: str) -> None:
    assert withdrawn(pack, now=now)["deadlines"]["payout_by"] == payout_by


@pytest.mark.clause("eu.withdrawal")
def test_it_becomes_account_credit_only_when_the_consumer_asks_for_it() -> None:
    assert withdrawn()["settle_as"] == "refund"
    assert withdrawn(settle_as="credit")["account_credit"] == 120000


EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EEA = "IS LI NO"


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize("country", [*EU.split(), *EEA.split()])
def test_every_country_of_the_eu_and_the_eea_grants_the_right(country: str) -> None:
    assert withdrawn(customer={"country": country})["outcome"] == "granted"


@pytest.mark.clause("eu.withdrawal")
@pytest.mark.parametrize("pack", PACKS)
def test_half_a_cent_is_rounded_up(pack: str) -> None:
    days = {"start": "2026-01-07T12:00:00Z", "end": "2026-01-09T12:00:00Z"}

    out = withdrawn(
        pack, withdrawal={"started_on_request": True}, lines=[line(amount=101, period=days)]
    )

    assert (out["lines"][0]["fraction"], out["amount"]) == ("1/2", 51)


@pytest.mark.clause("eu.withdrawal")
def test_of_each_kind_of_line_what_was_not_provided_goes_back() -> None:
    later = {"start": "2026-07-02T12:00:00Z", "end": "2027-01-01T00:00:00Z"}
    lines = [
        line("il_1", 60000),
        line("il_2", -30000, period=later, credits=["il_1"]),
        line("il_3", 40000, kind="usage", used_amount=10000),
        line("il_4", 20000, kind="service", period=None),
        line("il_5", 10000, kind="service", period=None, rendered_at="2026-01-05T00:00:00Z"),
        line("il_6", 20000, kind="digital", period=None),
    ]

    out = withdrawn(withdrawal={"started_on_request": True}, lines=lines)

    assert {x["id"]: x["fraction"] for x in out["lines"]} == {
        "il_1": "35/73",  # 182.5 days less the 7.5 that are gone, of 365
        "il_2": "0",
        "il_3": "3/4",
        "il_4": "1",
        "il_5": "0",
        "il_6": "1",
    }


def test_months_later_is_the_same_day_or_the_months_last() -> None:
    assert months_later(date(2026, 1, 15), 12) == date(2027, 1, 15)
    assert months_later(date(2026, 8, 31), 6) == date(2027, 2, 28)
