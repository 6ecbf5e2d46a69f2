"""Bad cases and bad packs: every fault at once, where it is, and what is allowed."""

from typing import Any

import pytest

from shared.domain.case import CaseFaultsError, parse_case
from shared.domain.policy import PolicyFaultsError, parse_policy
from tests.unit.domain.cases import YEAR, case, invoice, line, payment


def paths(document: dict[str, Any]) -> list[str]:
    with pytest.raises(CaseFaultsError) as error:
        parse_case(document)
    assert all(fault.found and fault.allowed for fault in error.value.faults)
    return [fault.path for fault in error.value.faults]


L = "$.invoices[0].lines[0]"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"now": "2026-03-10T12:00:00"}, "$.now", id="a naive instant"),
        pytest.param({"now": "2026-02-30T12:00:00Z"}, "$.now", id="no such day"),
        pytest.param({"now": "9999-12-31T23:59:59Z"}, "$.now", id="the end of time"),
        pytest.param({"now": "0001-01-01T00:00:00+14:00"}, "$.now", id="its beginning"),
        pytest.param({"nwo": 1}, "$.nwo", id="an unknown key"),
        pytest.param({"request": {"ground": "mood"}}, "$.request.ground", id="an unknown ground"),
        pytest.param({"request": None}, "$.request", id="no object"),
        pytest.param(
            {"overrides": {"proration": {"time_zone": "Mars/Base"}}},
            "$.overrides.proration.time_zone",
            id="an unknown zone",
        ),
        pytest.param(
            {"overrides": {"rounding": "up"}}, "$.overrides.rounding", id="an unknown rounding"
        ),
        pytest.param(
            {"invoices": [invoice([line(amount=True)])]}, f"{L}.amount", id="true is no amount"
        ),
        pytest.param(
            {"invoices": [invoice([line(amount=10**15 + 1)])]}, f"{L}.amount", id="too much"
        ),
        pytest.param(
            {"invoices": [invoice([line() | {"amount": 12.5}])]},
            f"{L}.amount",
            id="a fraction of a cent",
        ),
        pytest.param(
            {"invoices": [invoice([line(period={"start": YEAR["end"], "end": YEAR["start"]})])]},
            f"{L}.period",
            id="a period that ends before it starts",
        ),
        pytest.param(
            {"invoices": [invoice(payments=[payment(), payment()])]},
            "$.invoices[0].payments[1].id",
            id="a payment twice",
        ),
        pytest.param(
            {"invoices": [invoice([line(), line("il_2", credits=["il_1"])])]},
            "$.invoices[0].lines[1].credits",
            id="a positive line that credits another",
        ),
        pytest.param(
            {"invoices": [invoice([line(), line("il_2", -5, period=None, credits=["il_1"])])]},
            "$.invoices[0].lines[1].period",
            id="a credit without its span",
        ),
        pytest.param(
            {"invoices": [invoice([line(tax=-1)])]}, f"{L}.tax", id="tax of the other sign"
        ),
        pytest.param(
            {"invoices": [invoice([line(amount=-5)])]},
            f"{L}.credits",
            id="a negative line that credits nothing",
        ),
        pytest.param(
            {"invoices": [invoice([line(amount=-5, credits=["il_9"])])]},
            f"{L}.credits[0]",
            id="a credit of a line that is not there",
        ),
        pytest.param(
            {"invoices": [invoice([line(kind="usage")])]},
            f"{L}.used_amount",
            id="usage across the request without its used amount",
        ),
        pytest.param(
            {"invoices": [invoice(), invoice([line("il_2")], currency="eur")]},
            "$.invoices[1].currency",
            id="mixed currencies",
        ),
        pytest.param(
            {"invoices": [invoice(currency="USD")]}, "$.invoices[0].currency", id="capitals"
        ),
        pytest.param(
            {"invoices": [invoice(payments=[payment(amount=5, refunded=6)])]},
            "$.invoices[0].payments[0].refunded",
            id="refunds above payments",
        ),
        pytest.param(
            {"invoices": [invoice([line(), line()])]},
            "$.invoices[0].lines[1].id",
            id="one id twice",
        ),
        pytest.param(
            {"invoices": [invoice([line(used_amount=120001)])]}, f"{L}.used_amount", id="overused"
        ),
        pytest.param(
            {"invoices": [invoice([line(returned={"amount": 120001})])]},
            f"{L}.returned.amount",
            id="more returned than charged",
        ),
        pytest.param(
            {"incidents": [{"from": YEAR["end"], "to": YEAR["start"]}]},
            "$.incidents[0]",
            id="an incident that ends before it begins",
        ),
    ],
)
def test_a_fault_is_named_with_its_path(changes: dict[str, Any], path: str) -> None:
    assert paths(case() | changes) == [path]


def test_all_faults_are_reported_at_once() -> None:
    lines = [line(amount=-5, tax="x", colour="red"), line("il_2", kind="usage")]
    document = case(
        invoices=[invoice(lines, [payment(refunded=120001)]), invoice([], currency="eur")]
    )
    document |= {"now": "noon", "request": {"received_at": "2026-03-10T12:00:00Z"}}

    assert paths(document) == [
        "$.now",
        f"{L}.colour",
        f"{L}.tax",
        f"{L}.credits",
        "$.invoices[0].payments[0].refunded",
        "$.request.ground",
        "$.invoices[1].currency",
        "$.invoices[0].lines[1].used_amount",
    ]


@pytest.mark.parametrize("document", [None, [], "case", 5])
def test_what_is_no_object_is_refused(document: Any) -> None:
    assert paths(document) == ["$"]


PACK = """
id = "mine"
version = "1"
title = "Mine"
effective_at = 2026-01-01T00:00:00Z
time_zone = "UTC"
"""
WINDOW = """
[[clause]]
id = "mine.window"
kind = "window"
days = 5
since = "purchase"
code = "late"
text = "Five days."
"""
WARNING = """
[[clause]]
id = "mine.fraud"
kind = "consequence"
on = "fraud_warning"
action = "refund"
text = "Refunded."
"""


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("id = ", "mine", id="not TOML"),
        pytest.param(PACK.replace("UTC", "Mars"), "$.time_zone", id="an unknown zone"),
        pytest.param(PACK + 'calendar = "mars"\nclause = []', "$.calendar", id="no calendar"),
        pytest.param(PACK.replace("00Z", "00") + "clause = []", "$.effective_at", id="naive"),
        pytest.param(PACK + WINDOW + "color = 1", "$.clause[0].color", id="an unknown key"),
        pytest.param(
            PACK + WINDOW.replace("window", "widow"), "$.clause[0].kind", id="an unknown kind"
        ),
        pytest.param(
            PACK + WARNING.replace("refund", "contest"),
            "$.clause[0].action",
            id="a suspicion cannot be contested",
        ),
        pytest.param(
            PACK + WARNING,
            "$.clause[0].refund_at_most",
            id="a refund without a bound",
        ),
        pytest.param(
            PACK + WARNING.replace("refund", "ask") + "refund_at_most = { usd = 5 }",
            "$.clause[0].refund_at_most",
            id="a bound without a refund",
        ),
        pytest.param(
            PACK + WINDOW + WINDOW.replace("= 5", "= 6"), "$.clause[1]", id="windows contradict"
        ),
    ],
)
def test_a_pack_with_a_fault_is_refused_with_its_path(text: str, path: str) -> None:
    with pytest.raises(PolicyFaultsError) as error:
        parse_policy(text, name="mine")

    assert path in {fault.path for fault in error.value.faults}
