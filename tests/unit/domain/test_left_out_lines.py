"""Lines, and parts of lines, that cannot be refunded."""

from typing import Any

import pytest

from tests.unit.domain.cases import case, invoice, line, payment, quote, trace_of


def day(number: int, at: str = "12:00:00Z") -> str:
    return f"2026-01-{number:02}T{at}"


def codes(out: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in out["reasons"]}


@pytest.mark.clause("moneyback.one_time")
@pytest.mark.clause("moneyback.unresolved")
def test_one_time_support_is_left_out_and_alone_gives_nothing() -> None:
    lines = [line(), line("il_2", 5000, kind="one_time", period=None)]
    request = {"ground": "dissatisfaction", "received_at": day(10)}

    both = quote(case("moneyback", invoices=[invoice(lines)], request=request))
    alone = quote(case("moneyback", invoices=[invoice(lines[1:])], request=request))

    assert {x["id"]: x["amount"] for x in both["lines"]} == {"il_1": 115000, "il_2": 0}
    assert (alone["outcome"], codes(alone)) == ("denied", {"one_time_support"})


@pytest.mark.clause("rtc.nonrefundable")
@pytest.mark.parametrize("kind", ["third_party_fee", "setup", "onboarding", "custom_work"])
def test_charges_that_are_not_refundable_are_left_out_and_traced(kind: str) -> None:
    lines = [line(), line("il_2", 9000, kind=kind)]
    invoices = [invoice(lines, [payment(amount=129000)], issued_at=day(1))]

    out = quote(
        case("rtc", invoices=invoices, request={"received_at": day(5), "evidence": ["log"]})
    )

    assert {x["id"]: x["amount"] for x in out["lines"]} == {"il_1": 97479, "il_2": 0}
    (entry,) = [
        e for e in trace_of(out, "rtc.nonrefundable", "line_filter") if e["ruled"] == "failed"
    ]
    assert entry["saw"]["line"] == "il_2"

    alone = quote(
        case(
            "rtc",
            invoices=[invoice(lines[1:], [payment(amount=9000)], issued_at=day(1))],
            request={"received_at": day(5), "evidence": ["log"]},
        )
    )
    assert (alone["outcome"], codes(alone)) == ("denied", {"non_refundable_charge"})


@pytest.mark.clause("rtc.nonrefundable")
@pytest.mark.parametrize("kind", ["subscription", "usage", "one_time", "digital", "service"])
def test_what_was_used_of_a_prepaid_line_does_not_go_back(kind: str) -> None:
    lines = [line("il_1", 10000, kind=kind, used_amount=2500)]

    def asked(invoices: list[dict[str, Any]]) -> dict[str, Any]:
        request = {"received_at": day(5), "evidence": ["log"]}
        return quote(case("rtc", invoices=invoices, request=request))

    out = asked([invoice(lines, [payment(amount=10000)], issued_at=day(1))])
    used_up = line("il_1", 10000, kind=kind, used_amount=10000)
    nothing = asked([invoice([used_up], [payment(amount=10000)], issued_at=day(1))])

    assert (out["amount"], out["lines"][0]["fraction"]) == (7500, "3/4")
    (entry,) = [
        e for e in trace_of(out, "rtc.nonrefundable", "line_filter") if e["ruled"] == "failed"
    ]
    assert entry["saw"] == {"line": "il_1", "kind": kind, "left_out": "1/4"}
    assert (nothing["outcome"], codes(nothing)) == ("denied", {"used_before_request"})


@pytest.mark.clause("rtc.nonrefundable")
@pytest.mark.parametrize("ground", ["unused_period", "service_disruption"])
def test_what_is_kept_is_kept_on_either_ground(ground: str) -> None:
    lines = [line("il_1", kind="setup"), line("il_2", kind="usage", used_amount=30000)]
    invoices = [invoice(lines, [payment(amount=240000)], issued_at=day(1))]
    request = {"ground": ground, "received_at": day(5), "evidence": ["log"]}

    out = quote(case("rtc", invoices=invoices, request=request))

    left_out = [
        (entry["saw"]["line"], entry["saw"]["left_out"])
        for entry in trace_of(out, "rtc.nonrefundable", "line_filter")
    ]
    assert left_out == [("il_1", "1"), ("il_2", "1/4")]


@pytest.mark.clause("rtc.nonrefundable")
def test_the_fees_of_payment_gateways_stay_with_what_they_were_for() -> None:
    invoices = [invoice(payments=[payment(fee=3650)], issued_at=day(1))]

    out = quote(
        case("rtc", invoices=invoices, request={"received_at": day(5), "evidence": ["log"]})
    )

    kept = (3650 * 593 * 2 + 730) // (2 * 730)
    assert out["deductions"] == [{"clause": "gateway_fees", "what": "gateway_fees", "amount": kept}]
    assert out["amount"] == 97479 - kept


RENDERED = (
    *("subscription", "usage", "setup", "onboarding"),
    *("custom_work", "third_party_fee", "one_time", "service"),
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        *(
            pytest.param(kind, "service_rendered", marks=pytest.mark.clause("itservices.rendered"))
            for kind in RENDERED
        ),
        pytest.param(
            "digital", "digital_initiated", marks=pytest.mark.clause("itservices.digital")
        ),
    ],
)
def test_what_is_rendered_or_initiated_is_left_out_and_the_rest_stays(kind: str, code: str) -> None:
    done = line("il_1", 5000, kind=kind, period=None, rendered_at=day(2))
    open_ = line("il_2", 7000, kind=kind, period=None)
    request = {"ground": "dissatisfaction", "verified": True, "received_at": day(5)}

    both = quote(case("itservices", invoices=[invoice([done, open_])], request=request))
    alone = quote(case("itservices", invoices=[invoice([done])], request=request))

    assert {x["id"]: x["amount"] for x in both["lines"]} == {"il_1": 0, "il_2": 7000}
    assert (alone["outcome"], codes(alone)) == ("denied", {code})


@pytest.mark.parametrize("kept", ["full", "proportional"])
def test_a_fee_takes_no_more_than_its_own_invoice_gives_back(kept: str) -> None:
    small = invoice([line("il_1", amount=1)], [payment(amount=1, fee=900)], issued_at=day(1))
    other = invoice([line("il_2", amount=73000)], [payment(amount=73000)], issued_at=day(1))
    cancelled = {"ground": "unused_period", "effective_at": "2026-01-01T00:00:00Z"}

    out = quote(
        case(
            "voip",
            invoices=[small, other],
            overrides={"gateway_fees": kept},
            request=cancelled,
        )
    )

    assert out["deductions"] == [{"clause": "gateway_fees", "what": "gateway_fees", "amount": 1}]
    assert out["total"] == 73000


@pytest.mark.parametrize("kept", ["full", "proportional"])
def test_a_kept_fee_takes_nothing_from_what_another_invoice_gives_back(kept: str) -> None:
    """Else leaving once the short one has run out would give back more."""
    month = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    fully_disputed = payment("pi_1", 31000, fee=15500, disputed=31000)
    short = invoice([line("il_1", 31000, period=month)], [fully_disputed], issued_at=day(1))
    year = invoice([line("il_2", 36500)], [payment("pi_2", 36500)], issued_at=day(1))
    given = []

    for leaving in ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"):
        request = {"ground": "unused_period", "effective_at": leaving}
        overrides = {"gateway_fees": kept}
        out = quote(case("voip", invoices=[short, year], overrides=overrides, request=request))
        given.append([x["amount"] for x in out["lines"]])

    assert given == [[0, 36500], [0, 36500 - 3100]]
