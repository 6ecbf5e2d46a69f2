"""What each pack makes of each ground, cell by cell."""

from typing import Any

import pytest

from tests.unit.domain.cases import YEAR, case, invoice, line, quote

SOON = "2026-01-08T12:00:00Z"  # day 7 of the invoice, of the purchase and of the service
BASE: dict[str, Any] = {
    "now": SOON,
    "invoices": [invoice(issued_at="2026-01-01T12:00:00Z")],
    "customer": {"country": "IN", "consumer": False, "purchased_at": "2026-01-01T12:00:00Z"},
}
REQUEST: dict[str, Any] = {"evidence": ["log"], "service_date": "2026-01-01T12:00:00Z"}
OVERCHARGED = [invoice([line(expected_amount=100000)], issued_at="2026-01-01T12:00:00Z")]
DAY_DOWN = {
    "from": "2026-01-02T00:00:00Z",
    "to": "2026-01-03T00:00:00Z",
    "reported_at": "2026-01-02T08:00:00Z",
}
A_DAY = (120000 * 2 + 365) // 730


def decided(policy: str, ground: str, changes: dict[str, Any], **request: Any) -> dict[str, Any]:
    asked = REQUEST | {"ground": ground} | request
    return quote(case(policy, **(BASE | changes | {"request": asked})))


def incident(attribution: str | None, **changes: Any) -> dict[str, Any]:
    return {"incidents": [DAY_DOWN | {"attribution": attribution} | changes]}


VERIFIED, REFUTED = {"verified": True}, {"verified": False}
ISSUES = {"resolved_issues": ["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"]}
VENDOR = incident("vendor", beyond_sla=True)
HALF_A_MINUTE = incident("vendor", to="2026-01-02T00:00:30Z", beyond_sla=True) | {
    "invoices": [invoice([line(amount=36000000)], [{"id": "pi_1", "amount": 36000000}])]
}
INSIDE = incident("vendor", beyond_sla=False)
SHARED = incident("shared", beyond_sla=True)
THEIRS = incident("third_party", beyond_sla=True)
OWN = incident("customer", beyond_sla=True)
WRONG = {"invoices": OVERCHARGED}
NOBODY = {"customer": {"country": "US", "consumer": True}}
UNKNOWN = {"customer": {"purchased_at": "2026-01-01T12:00:00Z"}}
FRENCH = {"country": "FR", "consumer": True, "purchased_at": "2026-01-01T12:00:00Z"}
CONSUMER = {
    "customer": FRENCH,
    "withdrawal": {"informed": True, "started_on_request": True, "loss_waiver": False},
}

TABLE = [
    # ground, pack, facts, request, outcome, total, the clause that rules and its code
    (
        "unused_period",
        "voip",
        {},
        {},
        "granted",
        117534,
        "voip.unused_prepaid: unused_prepaid_time",
    ),
    ("unused_period", "rtc", {}, {}, "needs_approval", 117534, "rtc.partial: unused_prepaid_time"),
    ("unused_period", "itservices", {}, {}, "denied", 0, "itservices.no_unused: no_unused"),
    ("unused_period", "moneyback", {}, {}, "denied", 0, "moneyback.guarantee: no_unused"),
    *[
        ("billing_error", pack, WRONG, request, outcome, total, f"{clause}: {code}")
        for pack, clause, paid in (
            ("voip", "voip.billing_error", "granted"),
            ("rtc", "rtc.grounds", "granted"),
            ("itservices", "itservices.billing_error", "granted"),
            ("moneyback", "moneyback.billing_error", "needs_approval"),
        )
        for request, outcome, total, code in (
            ({}, "needs_verification", 0, "billing_error_not_verified"),
            (REFUTED, "denied", 0, "billing_error_not_confirmed"),
            (VERIFIED, paid, 20000, "overcharge"),
        )
    ],
    *[
        ("service_disruption", "voip", facts, {}, outcome, total, f"voip.disruption: {code}")
        for facts, outcome, total, code in (
            (VENDOR, "granted", A_DAY, "service_disruption"),
            (INSIDE, "granted", A_DAY, "service_disruption"),
            (SHARED, "denied", 0, "no_qualifying_incident"),
            (THEIRS, "denied", 0, "no_qualifying_incident"),
            ({}, "denied", 0, "no_qualifying_incident"),
        )
    ],
    *[
        ("service_disruption", "rtc", facts, {}, outcome, total, reason)
        for facts, outcome, total, reason in (
            (VENDOR, "granted", A_DAY, "rtc.grounds: service_disruption"),
            (HALF_A_MINUTE, "granted", 34, "rtc.grounds: service_disruption"),
            (INSIDE, "needs_approval", A_DAY, "rtc.grounds: service_disruption_discretionary"),
            (SHARED, "needs_approval", A_DAY, "rtc.grounds: service_disruption_discretionary"),
            (THEIRS, "denied", 0, "rtc.exclusions: third_party_downtime"),
            (OWN, "denied", 0, "rtc.exclusions: customer_misuse"),
            ({}, "needs_verification", 0, "rtc.grounds: service_disruption_not_verified"),
        )
    ],
    *[
        (ground, pack, {}, {}, outcome, 0, reason)
        for ground in ("dissatisfaction", "vendor_fault")
        for pack, outcome, reason in (
            ("voip", "referred", "voip.returns: support_case"),
            ("rtc", "denied", "rtc.grounds: not_a_ground"),
        )
    ],
    *[
        (ground, "itservices", VENDOR, request, outcome, total, f"itservices.vendor_fault: {code}")
        for ground in ("service_disruption", "dissatisfaction", "vendor_fault")
        for request, outcome, total, code in (
            (VERIFIED, "needs_approval", 120000, "vendor_fault"),
            ({}, "needs_verification", 0, "vendor_fault_not_verified"),
            (REFUTED, "denied", 0, "vendor_fault_not_confirmed"),
        )
    ],
    *[
        (
            ground,
            "moneyback",
            facts,
            {},
            "needs_approval",
            total,
            "moneyback.unresolved: money_back",
        )
        for ground in ("service_disruption", "dissatisfaction", "vendor_fault")
        for facts, total in (({}, 120000), (ISSUES, 120000 - 2 * 2999))
    ],
    *[
        ("withdrawal", pack, facts, {}, outcome, total, f"eu.withdrawal: {code}")
        for pack in ("voip", "rtc", "itservices", "moneyback")
        for facts, outcome, total, code in (
            (CONSUMER, "granted", 117534, "statutory_withdrawal"),
            (NOBODY, "denied", 0, "no_right_of_withdrawal"),
            (UNKNOWN, "needs_verification", 0, "country_unknown"),
        )
    ],
    ("withdrawal", "rtc", NOBODY, {}, "denied", 0, "rtc.grounds: not_a_ground"),
    *[
        ("goodwill", pack, {}, {}, "needs_approval", 20000, f"{pack}.goodwill: goodwill")
        for pack in ("voip", "rtc", "itservices", "moneyback")
    ],
]
# Which clauses give time back, so that the service ends with it.
ENDING = {"voip.unused_prepaid", "rtc.partial", "moneyback.unresolved", "eu.withdrawal"}


@pytest.mark.parametrize(
    ("ground", "pack", "facts", "request_", "outcome", "total", "reason"),
    [
        pytest.param(
            *row,
            marks=pytest.mark.clause(row[6].partition(":")[0]),
            id=f"{row[0]}-{row[1]}-{row[4]}-{row[6]}-{n}",
        )
        for n, row in enumerate(TABLE)
    ],
)
def test_a_pack_makes_of_a_ground_what_the_table_says(
    ground: str,
    pack: str,
    facts: dict[str, Any],
    request_: dict[str, Any],
    outcome: str,
    total: int,
    reason: str,
) -> None:
    out = decided(pack, ground, facts, **request_)

    clause, code = reason.split(": ")
    assert (out["outcome"], out["total"], out["settle_as"]) == (outcome, total, "refund")
    assert {"clause": clause, "code": code} in out["reasons"]
    access_until = out["cancellation"] and out["cancellation"]["access_until"]
    assert access_until == end_of_service(ground, clause, outcome)


def end_of_service(ground: str, clause: str, outcome: str) -> str | None:
    if clause in ENDING and outcome in ("granted", "needs_approval"):
        return SOON
    return YEAR["end"] if ground == "unused_period" else None


@pytest.mark.parametrize(
    ("ground", "clause", "allowed"),
    [
        pytest.param(ground, clause, allowed, marks=pytest.mark.clause(clause))
        for ground, clause, allowed in (
            ("unused_period", "voip.unused_prepaid", "refund"),
            ("billing_error", "voip.billing_error", "credit"),
            ("service_disruption", "voip.disruption", "refund"),
            ("goodwill", "voip.goodwill", "credit"),
            ("unused_period", "rtc.partial", "refund"),
            ("billing_error", "rtc.grounds", "refund"),
            ("service_disruption", "rtc.grounds", "refund"),
            ("goodwill", "rtc.goodwill", "credit"),
            ("billing_error", "itservices.billing_error", "credit"),
            ("vendor_fault", "itservices.vendor_fault", "credit"),
            ("goodwill", "itservices.goodwill", "credit"),
            ("billing_error", "moneyback.billing_error", "refund"),
            ("dissatisfaction", "moneyback.unresolved", "refund"),
            ("goodwill", "moneyback.goodwill", "credit"),
        )
    ],
)
def test_money_becomes_credit_only_where_the_clause_allows_it_and_the_customer_asks(
    ground: str, clause: str, allowed: str
) -> None:
    def settled(**request: Any) -> dict[str, Any]:
        return decided(clause.partition(".")[0], ground, WRONG | VENDOR, verified=True, **request)

    out = settled(settle_as="credit")

    assert settled()["settle_as"] == "refund"
    assert out["settle_as"] == allowed
    assert out["account_credit"] == (out["total"] if allowed == "credit" else 0)
    assert out["total"]


def test_a_statutory_withdrawal_stands_over_every_clause_of_a_pack() -> None:
    facts = CONSUMER | {"customer": FRENCH | {"standing": "suspended"}}

    out = decided("voip", "withdrawal", facts, findings=["terms_breach"])

    assert out["outcome"] == "granted"
    assert out["reasons"] == [{"clause": "eu.withdrawal", "code": "statutory_withdrawal"}]
    assert {e["ruled"] for e in out["trace"] if e["kind"] != "statute"} == {"not_applicable"}
