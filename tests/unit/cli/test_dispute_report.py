"""The report on disputes: counts, sums, rates by hand; a plot; receivables to hand over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infrastructure.cli.dispute_plot import plot
from infrastructure.cli.dispute_report import by_network, by_reason, told
from infrastructure.cli.disputes_command import receivables
from shared.application.handle_dispute import handle_dispute
from shared.domain.controls import OPERATIONS
from shared.domain.dispute import DisputeKind, DisputeOutcome
from shared.domain.dispute_months import by_month
from shared.domain.dispute_result import DisputeResult
from shared.domain.network_month import MonthOfPayments, network_months
from tests.application.builders import CUSTOMER, chargeback, services_with_annual_plan

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
ONE = DisputeResult(
    customer=OPERATIONS,
    id="du_1",
    kind=DisputeKind.CHARGEBACK,
    outcome=DisputeOutcome.WON,
    network="visa",
    reason="subscription_canceled",
    reason_code="13.2",
    amount=4_900,
    currency="usd",
    opened_at=AT,
    submitted_at=AT + timedelta(days=2),
)
RESULTS = [
    ONE,
    replace(ONE, id="du_2", outcome=DisputeOutcome.LOST, submitted_at=AT + timedelta(days=4)),
    replace(ONE, id="du_3", outcome=DisputeOutcome.LOST, currency="eur", submitted_at=None),
    replace(ONE, id="du_4", kind=DisputeKind.INQUIRY, outcome=DisputeOutcome.CLOSED),
    replace(ONE, id="du_5", kind=DisputeKind.BLOCK, outcome=DisputeOutcome.PREVENTED),
    replace(ONE, id="du_6", opened_at=AT + timedelta(days=31)),
]


def test_a_month_is_counted_summed_and_rated() -> None:
    march, april = by_month(RESULTS, {"2026-03": 200})
    assert (march.month, march.count, march.inquiries) == ("2026-03", 3, 1)
    assert march.amounts == (("eur", 4_900), ("usd", 9_800))
    assert (march.won, march.lost, str(march.win_rate)) == (1, 2, "1/3")
    assert march.answered_after == timedelta(days=2)
    assert str(march.ratio) == "3/200"
    assert (april.count, april.ratio) == (1, None)


def test_a_month_at_the_networks_limit_says_so() -> None:
    lines = list(told(by_month(RESULTS, {"2026-03": 200, "2026-04": 67})))
    assert lines[1].endswith("49.00 EUR, 98.00 USD  OVER 1.50 %")
    assert "1.49 %" in lines[2]
    assert "OVER" not in lines[2]


def test_each_networks_month_stands_against_its_own_limit() -> None:
    results = [replace(ONE, id=f"du_m{number}", network="mastercard") for number in range(100)]
    counted = MonthOfPayments(OPERATIONS, "2026-03", (("mastercard", 6_000), ("visa", 200)), AT)
    _, mastercard, visa = by_network(network_months([*RESULTS, *results], [counted]))
    assert " ".join(mastercard.split()) == "mastercard 2026-03 100 6000 1.67 % 1.50 % 0 OVER"
    # Three of 200 are 1.5 %, and Visa begins at 1,500 in a month.
    assert " ".join(visa.split()) == "visa 2026-03 3 200 1.50 % 1.50 % 1497"


def test_each_reason_has_its_rate() -> None:
    head, row = by_reason(RESULTS)
    assert head.split()[:3] == ["network", "code", "reason"]
    assert row.split() == ["visa", "13.2", "subscription_canceled", "2", "2", "50.00", "%"]


def test_the_plot_is_an_svg_with_every_month(tmp_path: Path) -> None:
    target = tmp_path / "ratio.svg"
    plot(by_month(RESULTS, {"2026-03": 200}), target)
    drawn = target.read_text()
    assert "<svg" in drawn
    assert "2026-03" in drawn
    assert "3 of 200" in drawn


@pytest.mark.clause("rtc.chargeback_contest")
def test_what_a_lost_dispute_leaves_is_exported() -> None:
    services = services_with_annual_plan()
    services.policy = "rtc"
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    services.billing.disputes["du_2"] = replace(chargeback(), id="du_2", customer="cus_other")
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert list(receivables(services)) == [(CUSTOMER, "usd", 121_500, 0, "du_1", "", "")]
