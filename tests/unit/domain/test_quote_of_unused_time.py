import pytest

from tests.unit.domain.cases import case, invoice, line, payment, quote, trace_of


@pytest.mark.clause("voip.unused_prepaid")
def test_anns_annual_plan_cancelled_in_march_returns_974_79() -> None:
    out = quote(case())

    trace = out.pop("trace")
    digest = out["policy"].pop("digest")
    assert out == {
        "outcome": "granted",
        "amount": 97479,
        "tax": 0,
        "total": 97479,
        "currency": "usd",
        "settle_as": "refund",
        "reasons": [{"clause": "voip.unused_prepaid", "code": "unused_prepaid_time"}],
        "lines": [
            {
                "id": "il_1",
                "base": 120000,
                "fraction": "593/730",
                "amount": 97479,
                "tax": 0,
                "clauses": ["voip.unused_prepaid"],
            }
        ],
        "deductions": [],
        "caps": [{"cap": "paid_and_not_returned", "limit": 120000, "applied": False}],
        "allocation": [{"payment": "pi_1", "amount": 97479}],
        "account_credit": 0,
        "manual_transfer": 0,
        "cancellation": {
            "effective_at": "2026-03-10T12:00:00Z",
            "access_until": "2026-03-10T12:00:00Z",
            "renewal_avoided": True,
        },
        "deadlines": {"review_by": None, "payout_by": None, "callback_between": None},
        "policy": {"id": "voip", "version": "2025-01-06"},
    }
    assert digest.startswith("sha256:")
    (formula,) = [e for e in trace if e["ruled"] == "passed" and e["kind"] == "formula"]
    assert formula["saw"]["unused_seconds"] == 25617600


@pytest.mark.clause("voip.cancel_end_of_cycle")
def test_at_the_end_of_the_cycle_nothing_is_left_to_refund_and_access_lasts_to_the_second() -> None:
    out = quote(case(request={"effective_at": "2027-01-01T00:00:00Z"}))

    assert (out["outcome"], out["total"], out["lines"][0]["fraction"]) == ("granted", 0, "0")
    assert out["allocation"] == []
    assert out["cancellation"] == {
        "effective_at": "2027-01-01T00:00:00Z",
        "access_until": "2027-01-01T00:00:00Z",
        "renewal_avoided": True,
    }
    assert trace_of(out, "voip.cancel_end_of_cycle", "consequence")[0]["ruled"] == "passed"


def test_tax_is_rounded_on_its_own_and_spread_by_largest_remainder() -> None:
    lines = [line("il_b", 3333, tax=633), line("il_a", 3333, tax=633), line("il_c", 1, tax=0)]

    out = quote(case(invoices=[invoice(lines, [payment(amount=7933)])]))

    # 2 x 3333 x 593/730 + 593/730 = 5415.8, 2 x 633 x 593/730 = 1028.4
    assert (out["amount"], out["tax"], out["total"]) == (5416, 1028, 6444)
    assert [(x["id"], x["amount"], x["tax"]) for x in out["lines"]] == [
        ("il_b", 2707, 514),
        ("il_a", 2708, 514),
        ("il_c", 1, 0),
    ]


def test_a_part_paid_invoice_first_loses_its_debt() -> None:
    out = quote(case(invoices=[invoice(payments=[payment(amount=60000)])]))

    assert out["total"] == 97479 - 60000
    assert out["caps"] == [
        {"cap": "unpaid", "limit": 37479, "applied": True},
        {"cap": "paid_and_not_returned", "limit": 60000, "applied": False},
    ]


def test_an_unpaid_invoice_gives_nothing_back() -> None:
    out = quote(case(invoices=[invoice(payments=[])]))

    assert (out["outcome"], out["total"], out["allocation"]) == ("granted", 0, [])


def test_refunded_and_disputed_parts_lower_the_cap_and_the_payments() -> None:
    paid = payment(refunded=20000, disputed=30000)

    out = quote(case(invoices=[invoice(payments=[paid])]))

    assert out["total"] == 70000
    assert out["caps"] == [{"cap": "paid_and_not_returned", "limit": 70000, "applied": True}]
    assert out["allocation"] == [{"payment": "pi_1", "amount": 70000}]


def test_where_the_cap_binds_tax_keeps_its_part_of_the_total() -> None:
    lines = [line(amount=100000, tax=19000)]

    out = quote(case(invoices=[invoice(lines, [payment(amount=119000, refunded=59000)])]))

    assert (out["total"], out["tax"]) == (60000, 9580)  # 60000 x 15434 / 96667, half up


def test_what_was_returned_on_the_same_ground_comes_off_the_lines_share() -> None:
    lines = [line(returned={"amount": 7479, "tax": 0})]

    out = quote(case(invoices=[invoice(lines, [payment(refunded=7479)])]))

    assert out["total"] == 90000


def test_payments_fill_in_the_listed_order_and_balance_and_out_of_band_go_back_their_way() -> None:
    payments = [
        payment("pi_1", 20000, refunded=5000),
        payment("pi_2", 30000, refundable=False),
        payment("bal", 30000, method="customer_balance"),
        payment("wire", 40000, method="out_of_band"),
    ]

    out = quote(case(invoices=[invoice(payments=payments)]))

    assert out["total"] == 97479
    assert out["allocation"] == [{"payment": "pi_1", "amount": 15000}]
    assert out["account_credit"] == 30000
    assert out["manual_transfer"] == 97479 - 15000 - 30000


def test_a_mid_cycle_credit_takes_its_span_out_of_the_line_that_it_credits() -> None:
    second_half = {"start": "2026-07-02T12:00:00Z", "end": "2027-01-01T00:00:00Z"}
    first = invoice(number="A", payments=[payment("pi_1", 120000)])
    second = invoice(
        [
            line("il_c", -60000, period=second_half, credits=["il_1"]),
            line("il_2", 90000, period=second_half),
        ],
        [payment("pi_2", 30000)],
        number="B",
    )

    out = quote(case(invoices=[first, second], request={"effective_at": "2026-10-01T18:00:00Z"}))

    assert {x["id"]: x["amount"] for x in out["lines"]} == {"il_1": 0, "il_c": 0, "il_2": 45000}
    assert out["allocation"] == [{"payment": "pi_1", "amount": 45000}]


@pytest.mark.parametrize(
    ("basis", "days", "access_until"),
    [
        pytest.param("day", 297, "2026-03-09T23:00:00Z", id="the day of cancellation goes back"),
        pytest.param("day_inclusive", 296, "2026-03-10T23:00:00Z", id="it counts as used"),
    ],
)
def test_days_are_counted_in_their_zone_and_no_instant_is_refunded_and_usable(
    basis: str, days: int, access_until: str
) -> None:
    overrides = {"proration": {"basis": basis, "time_zone": "Europe/Paris"}}

    out = quote(case(overrides=overrides))

    assert out["amount"] == (120000 * days * 2 + 365) // 730
    assert out["cancellation"]["access_until"] == access_until


def test_a_trial_line_gives_zero() -> None:
    out = quote(case(invoices=[invoice([line(amount=0)], [])]))

    assert (out["outcome"], out["total"]) == ("granted", 0)


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [
        pytest.param("jpy", 1001, 813, id="no decimals"),
        pytest.param("kwd", 10010, 8130, id="three decimals, the last is 0"),
        pytest.param("isk", 100100, 81300, id="counted in hundredths, whole in life"),
        pytest.param("ugx", 100100, 81300, id="likewise"),
        pytest.param("huf", 100101, 81315, id="whole only in payouts"),
    ],
)
def test_amounts_keep_to_the_currencys_grain(currency: str, amount: int, expected: int) -> None:
    invoices = [invoice([line(amount=amount)], [payment(amount=amount)], currency=currency)]

    assert quote(case(invoices=invoices))["amount"] == expected


@pytest.mark.clause("voip.violation")
@pytest.mark.parametrize("finding", ["terms_breach", "customer_misuse", "non_payment"])
def test_a_breach_forces_the_refund_to_zero(finding: str) -> None:
    out = quote(case(request={"findings": [finding]}))

    assert (out["outcome"], out["total"]) == ("denied", 0)
    assert out["reasons"] == [{"clause": "voip.violation", "code": finding}]
    assert out["cancellation"]["access_until"] == "2027-01-01T00:00:00Z"


@pytest.mark.clause("voip.violation")
def test_a_suspended_account_gets_no_refund() -> None:
    out = quote(case(customer={"standing": "suspended"}))

    assert out["reasons"] == [{"clause": "voip.violation", "code": "account_suspended"}]


@pytest.mark.clause("voip.violation")
def test_an_open_invoice_of_another_time_is_no_violation() -> None:
    assert quote(case(customer={"open_invoices": ["A-0007"]}))["outcome"] == "granted"


def test_goodwill_gives_back_no_time_that_a_mid_cycle_credit_took() -> None:
    half = {"start": "2026-07-02T12:00:00Z", "end": "2027-01-01T00:00:00Z"}
    lines = [line(amount=10000), line("il_2", -5000, period=half, credits=["il_1"])]
    invoices = [invoice(lines, [payment(amount=10000)])]

    out = quote(case(invoices=invoices, request={"ground": "goodwill"}))

    assert (out["lines"][0]["fraction"], out["total"]) == ("1/2", 5000)
