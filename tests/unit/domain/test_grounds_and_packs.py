"""What each pack makes of each ground, cell by cell."""

from typing import Any

import pytest

from tests.unit.domain.cases import case, invoice, line, quote

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
    # ground, pack, facts, request, outcome, total, code
    ("unused_period", "voip", {}, {}, "granted", 117534, "unused_prepaid_time"),
    ("unused_period", "rtc", {}, {}, "needs_approval", 117534, "unused_prepaid_time"),
    ("unused_period", "itservices", {}, {}, "denied", 0, "no_unused"),
    ("unused_period", "moneyback", {}, {}, "denied", 0, "no_unused"),
    *[
        ("billing_error", pack, WRONG, request, outcome, total, code)
        for pack in ("voip", "rtc", "itservices", "moneyback")
        for request, outcome, total, code in (
            ({}, "needs_verification", 0, "billing_error_not_verified"),
            (REFUTED, "denied", 0, "billing_error_not_confirmed"),
        )
    ],
    ("billing_error", "voip", WRONG, VERIFIED, "granted", 20000, "overcharge"),
    ("billing_error", "rtc", WRONG, VERIFIED, "granted", 20000, "overcharge"),
    ("billing_error", "itservices", WRONG, VERIFIED, "granted", 20000, "overcharge"),
    ("billing_error", "moneyback", WRONG, VERIFIED, "needs_approval", 20000, "overcharge"),
    ("service_disruption", "voip", VENDOR, {}, "granted", A_DAY, "service_disruption"),
    ("service_disruption", "voip", INSIDE, {}, "granted", A_DAY, "service_disruption"),
    ("service_disruption", "voip", SHARED, {}, "denied", 0, "no_qualifying_incident"),
    ("service_disruption", "voip", THEIRS, {}, "denied", 0, "no_qualifying_incident"),
    ("service_disruption", "voip", {}, {}, "denied", 0, "no_qualifying_incident"),
    ("service_disruption", "rtc", VENDOR, {}, "granted", A_DAY, "service_disruption"),
    (
        *("service_disruption", "rtc", INSIDE, {}),
        *("needs_approval", A_DAY, "service_disruption_discretionary"),
    ),
    (
        *("service_disruption", "rtc", SHARED, {}),
        *("needs_approval", A_DAY, "service_disruption_discretionary"),
    ),
    ("service_disruption", "rtc", THEIRS, {}, "denied", 0, "third_party_downtime"),
    ("service_disruption", "rtc", OWN, {}, "denied", 0, "customer_misuse"),
    (
        "service_disruption",
        "rtc",
        {},
        {},
        "needs_verification",
        0,
        "service_disruption_not_verified",
    ),
    ("dissatisfaction", "voip", {}, {}, "referred", 0, "support_case"),
    ("dissatisfaction", "rtc", {}, {}, "denied", 0, "not_a_ground"),
    ("vendor_fault", "voip", {}, {}, "referred", 0, "support_case"),
    ("vendor_fault", "rtc", {}, {}, "denied", 0, "not_a_ground"),
    *[
        (ground, "itservices", VENDOR, request, outcome, total, code)
        for ground in ("service_disruption", "dissatisfaction", "vendor_fault")
        for request, outcome, total, code in (
            (VERIFIED, "needs_approval", 120000, "vendor_fault"),
            ({}, "needs_verification", 0, "vendor_fault_not_verified"),
            (REFUTED, "denied", 0, "vendor_fault_not_confirmed"),
        )
    ],
    *[
        (ground, "moneyback", facts, {}, "needs_approval", total, "money_back")
        for ground in ("service_disruption", "dissatisfaction", "vendor_fault")
        for facts, total in (({}, 120000), (ISSUES, 120000 - 2 * 2999))
    ],
    *[
        ("withdrawal", pack, facts, {}, outcome, total, code)
        for pack in ("voip", "rtc", "itservices", "moneyback")
        for facts, outcome, total, code in (
            (CONSUMER, "granted", 117534, "statutory_withdrawal"),
            (NOBODY, "denied", 0, "no_right_of_withdrawal"),
            (UNKNOWN, "needs_verification", 0, "country_unknown"),
        )
    ],
    *[
        ("goodwill", pack, {}, {}, "needs_approval", 20000, "goodwill")
        for pack in ("voip", "rtc", "itservices", "moneyback")
    ],
]


@pytest.mark.clause("voip.billing_error")
@pytest.mark.clause("voip.disruption")
@pytest.mark.clause("voip.returns")
@pytest.mark.clause("voip.goodwill")
@pytest.mark.clause("rtc.grounds")
@pytest.mark.clause("rtc.partial")
@pytest.mark.clause("rtc.exclusions")
@pytest.mark.clause("rtc.goodwill")
@pytest.mark.clause("itservices.no_unused")
@pytest.mark.clause("itservices.billing_error")
@pytest.mark.clause("itservices.vendor_fault")
@pytest.mark.clause("itservices.goodwill")
@pytest.mark.clause("moneyback.guarantee")
@pytest.mark.clause("moneyback.billing_error")
@pytest.mark.clause("moneyback.unresolved")
@pytest.mark.clause("moneyback.per_issue")
@pytest.mark.clause("moneyback.goodwill")
@pytest.mark.parametrize(
    ("ground", "pack", "facts", "request_", "outcome", "total", "code"),
    TABLE,
    ids=[f"{row[0]}-{row[1]}-{row[4]}-{row[6]}-{n}" for n, row in enumerate(TABLE)],
)
def test_a_pack_makes_of_a_ground_what_the_table_says(
    ground: str,
    pack: str,
    facts: dict[str, Any],
    request_: dict[str, Any],
    outcome: str,
    total: int,
    code: str,
) -> None:
    out = decided(pack, ground, facts, **request_)

    assert (out["outcome"], out["total"]) == (outcome, total)
    assert code in {reason["code"] for reason in out["reasons"]}


@pytest.mark.parametrize(
    ("pack", "allowed"),
    [("voip", "credit"), ("itservices", "credit"), ("rtc", "refund"), ("moneyback", "refund")],
)
def test_an_overcharge_is_credited_where_the_pack_allows_it(pack: str, allowed: str) -> None:
    out = decided(pack, "billing_error", WRONG, verified=True, settle_as="credit")

    assert out["settle_as"] == allowed
    assert out["account_credit"] == (20000 if allowed == "credit" else 0)


def test_a_statutory_withdrawal_stands_over_every_clause_of_a_pack() -> None:
    facts = CONSUMER | {"customer": FRENCH | {"standing": "suspended"}}

    out = decided("voip", "withdrawal", facts, findings=["terms_breach"])

    assert out["outcome"] == "granted"
    assert out["reasons"] == [{"clause": "eu.withdrawal", "code": "statutory_withdrawal"}]
    assert {e["ruled"] for e in out["trace"] if e["kind"] != "statute"} == {"not_applicable"}
