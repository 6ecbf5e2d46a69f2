"""Both sides of each boundary in time and money."""

from typing import Any

import pytest

from tests.unit.domain.cases import case, invoice, line, payment, quote, trace_of


def day(number: int, at: str = "12:00:00Z") -> str:
    return f"2026-01-{number:02}T{at}"


def codes(out: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in out["reasons"]}


@pytest.mark.clause("rtc.window")
@pytest.mark.parametrize(
    ("received_at", "outcome"),
    [
        # The invoice is of 1 January in India; its day 15 ends on the 16th at 24:00 there.
        pytest.param("2026-01-16T18:29:59Z", "needs_approval", id="last second of day 15"),
        pytest.param("2026-01-16T18:30:00Z", "denied", id="first second of day 16"),
    ],
)
def test_the_window_ends_with_day_15_in_the_policys_zone(received_at: str, outcome: str) -> None:
    out = quote(
        case(
            "rtc",
            invoices=[invoice(issued_at="2026-01-01T00:00:00Z")],
            request={"received_at": received_at, "evidence": ["log"]},
        )
    )

    assert out["outcome"] == outcome
    assert codes(out) == ({"window_over"} if outcome == "denied" else {"unused_prepaid_time"})
    (window,) = trace_of(out, "rtc.window", "window")
    assert window["saw"]["day"] == (15 if outcome != "denied" else 16)


@pytest.mark.clause("rtc.window")
def test_a_late_invoice_is_left_out_beside_one_in_time() -> None:
    invoices = [
        invoice(number="old", issued_at=day(1)),
        invoice([line("il_2")], [payment("pi_2")], number="new", issued_at=day(20)),
    ]

    out = quote(
        case("rtc", invoices=invoices, request={"received_at": day(20), "evidence": ["log"]})
    )

    assert {x["id"]: x["amount"] for x in out["lines"]} == {"il_1": 0, "il_2": 97479}
    assert "rtc.window" in out["lines"][0]["clauses"]


@pytest.mark.clause("itservices.window")
@pytest.mark.parametrize(
    ("received_at", "outcome"),
    [
        pytest.param(day(8, "23:59:59Z"), "needs_approval", id="day 7 in full"),
        pytest.param(day(9, "00:00:00Z"), "denied", id="day 8"),
    ],
)
def test_seven_days_from_the_service_date(received_at: str, outcome: str) -> None:
    request = {
        "ground": "vendor_fault",
        "verified": True,
        "service_date": day(1),
        "received_at": received_at,
    }

    out = quote(case("itservices", invoices=[invoice(issued_at=day(8))], request=request))

    assert out["outcome"] == outcome
    assert codes(out) == ({"window_over"} if outcome == "denied" else {"vendor_fault"})


@pytest.mark.clause("moneyback.window")
@pytest.mark.parametrize(
    ("received_at", "outcome"),
    [
        pytest.param("2026-01-17T04:59:59Z", "needs_approval", id="day 15 in New York"),
        pytest.param("2026-01-17T05:00:00Z", "denied", id="day 16"),
    ],
)
def test_money_back_within_15_days_of_the_subscription(received_at: str, outcome: str) -> None:
    out = quote(
        case(
            "moneyback",
            customer={"purchased_at": day(1)},
            request={"ground": "dissatisfaction", "received_at": received_at},
        )
    )

    assert out["outcome"] == outcome
    assert codes(out) == ({"money_back"} if outcome != "denied" else {"window_over"})


@pytest.mark.clause("moneyback.per_issue")
@pytest.mark.parametrize(
    ("resolved_at", "counted"),
    [
        pytest.param("2026-01-17T04:59:59Z", 1, id="resolved on day 15"),
        pytest.param("2026-01-17T05:00:00Z", 0, id="resolved on day 16"),
    ],
)
def test_only_issues_of_the_first_15_days_are_charged_for(resolved_at: str, counted: int) -> None:
    out = quote(
        case(
            "moneyback",
            customer={"purchased_at": day(1)},
            request={"ground": "dissatisfaction", "received_at": day(16)},
            resolved_issues=[resolved_at],
            per_issue_charge=5000,
        )
    )

    assert out["amount"] == 120000 - 5000 * counted


@pytest.mark.clause("moneyback.per_issue")
@pytest.mark.parametrize(("currency", "charge"), [("usd", 2999), ("eur", 2999), ("gbp", 2499)])
def test_what_an_issue_costs_is_in_the_policy(currency: str, charge: int) -> None:
    out = quote(
        case(
            "moneyback",
            invoices=[invoice(currency=currency)],
            request={"ground": "dissatisfaction", "received_at": day(10)},
            resolved_issues=[day(3)],
        )
    )

    assert out["amount"] == 120000 - charge


@pytest.mark.clause("moneyback.per_issue")
def test_what_an_issue_costs_in_a_currency_that_the_policy_does_not_name_is_asked_for() -> None:
    asked: dict[str, Any] = {
        "invoices": [invoice(currency="jpy")],
        "request": {"ground": "dissatisfaction", "received_at": day(10)},
        "resolved_issues": [day(3)],
    }

    unknown = quote(case("moneyback", **asked))
    told = quote(case("moneyback", **asked, per_issue_charge=4000))

    assert (unknown["outcome"], codes(unknown)) == (
        "needs_verification",
        {"per_issue_charge_unknown"},
    )
    assert (told["outcome"], told["amount"]) == ("needs_approval", 116000)


@pytest.mark.clause("moneyback.per_issue")
def test_charges_for_issues_never_lead_below_zero() -> None:
    out = quote(
        case(
            "moneyback",
            customer={"purchased_at": day(1)},
            request={"ground": "dissatisfaction", "received_at": day(10)},
            resolved_issues=[day(3), day(4)],
            per_issue_charge=100000,
        )
    )

    assert out["amount"] == 0
    assert out["deductions"] == [
        {"clause": "moneyback.per_issue", "what": "resolved_issues", "amount": 120000}
    ]


@pytest.mark.clause("moneyback.deductions")
def test_named_deductions_come_off_with_what_they_are_for() -> None:
    out = quote(
        case(
            "moneyback",
            customer={"purchased_at": day(1)},
            request={"ground": "dissatisfaction", "received_at": day(10)},
            deductions=[{"what": "licence of bundled software", "amount": 2000}],
        )
    )

    assert out["amount"] == 118000
    assert out["deductions"] == [
        {
            "clause": "moneyback.deductions",
            "what": "licence of bundled software",
            "amount": 2000,
        }
    ]


@pytest.mark.clause("moneyback.cap")
def test_a_refund_never_exceeds_what_was_paid_and_not_returned() -> None:
    out = quote(
        case(
            "moneyback",
            invoices=[invoice(payments=[payment(amount=120000, refunded=100000)], credited=5000)],
            request={"ground": "dissatisfaction", "received_at": day(10)},
        )
    )

    assert (out["total"], out["caps"][0]["applied"]) == (15000, True)
    (entry,) = trace_of(out, "moneyback.cap", "cap")
    assert (entry["ruled"], entry["saw"]) == ("passed", {"cap": "paid_and_not_returned"})


@pytest.mark.clause("rtc.documentation")
def test_without_evidence_the_case_waits_for_the_customer() -> None:
    invoices = [invoice(issued_at=day(1))]

    waiting = quote(case("rtc", invoices=invoices, request={"received_at": day(5)}))
    request = {"received_at": day(5), "evidence": ["log"]}
    brought = quote(case("rtc", invoices=invoices, request=request))

    assert (waiting["outcome"], codes(waiting)) == ("needs_evidence", {"documentation_missing"})
    assert brought["outcome"] == "needs_approval"


@pytest.mark.clause("rtc.standing")
def test_an_open_earlier_invoice_blocks_and_is_named() -> None:
    out = quote(
        case(
            "rtc",
            customer={"open_invoices": ["A-0007"]},
            invoices=[invoice(issued_at=day(1))],
            request={"received_at": day(5), "evidence": ["log"]},
        )
    )

    assert (out["outcome"], codes(out)) == ("denied", {"open_invoice"})
    assert trace_of(out, "rtc.standing", "standing")[0]["saw"] == {"open_invoices": ["A-0007"]}


@pytest.mark.clause("rtc.standing")
def test_a_suspended_account_is_not_in_good_standing() -> None:
    out = quote(case("rtc", customer={"standing": "suspended"}, request={"evidence": ["log"]}))

    assert "account_suspended" in codes(out)


@pytest.mark.clause("rtc.exclusions")
@pytest.mark.parametrize("finding", ["customer_misuse", "third_party_downtime", "terms_breach"])
def test_each_exclusion_has_its_own_reason(finding: str) -> None:
    out = quote(
        case(
            "rtc",
            invoices=[invoice(issued_at=day(1))],
            request={"received_at": day(5), "evidence": ["log"], "findings": [finding]},
        )
    )

    assert out["reasons"] == [{"clause": "rtc.exclusions", "code": finding}]


@pytest.mark.clause("itservices.exclusions")
@pytest.mark.parametrize("finding", ["user_error", "changed_requirements", "used_after_completion"])
def test_the_it_firms_exclusions_each_have_their_own_reason(finding: str) -> None:
    request = {"ground": "vendor_fault", "verified": True, "findings": [finding]}

    out = quote(case("itservices", request=request))

    assert out["reasons"] == [{"clause": "itservices.exclusions", "code": finding}]


@pytest.mark.clause("voip.disruption")
@pytest.mark.parametrize(
    ("hours", "reported_at", "outcome"),
    [
        pytest.param("04:00:00Z", day(4), "granted", id="four hours, day three"),
        pytest.param("03:59:59Z", day(4), "denied", id="a second short"),
        pytest.param("23:00:00Z", day(4, "00:00:00Z"), "granted", id="within 72 hours"),
        pytest.param("23:00:00Z", day(4, "00:00:01Z"), "denied", id="a second late"),
    ],
)
def test_a_disruption_is_significant_and_reported_promptly_or_gives_nothing(
    hours: str, reported_at: str, outcome: str
) -> None:
    begin = day(1, "00:00:00Z") if reported_at != day(4) else day(2, "00:00:00Z")
    incident = {
        "from": begin,
        "to": begin[:11] + hours,
        "reported_at": reported_at,
        "attribution": "vendor",
    }

    out = quote(case(request={"ground": "service_disruption"}, incidents=[incident]))

    assert out["outcome"] == outcome


def test_overlapping_incidents_count_once_and_services_by_their_weight() -> None:
    def incident(begin: str, end: str, *services: str) -> dict[str, Any]:
        span = {"from": day(2, begin), "to": day(2, end), "reported_at": day(2)}
        return span | {"attribution": "vendor", "services": list(services)}

    services = [{"name": "calls", "weight": 3}, {"name": "video", "weight": 1}]
    incidents = [
        incident("00:00:00Z", "06:00:00Z", "calls"),
        incident("03:00:00Z", "12:00:00Z", "calls"),
        incident("00:00:00Z", "12:00:00Z", "video"),
    ]
    invoices = [invoice([line(amount=730000, services=services)], [payment(amount=730000)])]

    out = quote(
        case(request={"ground": "service_disruption"}, incidents=incidents, invoices=invoices)
    )

    assert (out["lines"][0]["fraction"], out["amount"]) == ("1/730", 1000)
