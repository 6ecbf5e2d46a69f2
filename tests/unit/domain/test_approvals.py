"""Who may turn a bound into a grant."""

from typing import Any

import pytest

from tests.unit.domain.cases import case, invoice, line, payment, quote


def approval(by: str = "staff-1", **changes: Any) -> dict[str, Any]:
    given = {"by": by, "role": "agent", "at": "2026-03-11T09:00:00Z", "reason": "confirmed"}
    return given | changes


def second(**changes: Any) -> dict[str, Any]:
    return approval("staff-2", role="approver", **changes)


def decided(amount: int, *approvals: dict[str, Any], pack: str = "rtc") -> dict[str, Any]:
    invoices = [
        invoice([line(amount=amount)], [payment(amount=amount)], issued_at="2026-03-01T00:00:00Z")
    ]
    request = {"evidence": ["log", "chat"], "effective_at": "2025-12-31T00:00:00Z"}
    if pack == "moneyback":
        request["ground"] = "dissatisfaction"
    customer = {"purchased_at": "2026-03-01T00:00:00Z"}
    return quote(
        case(pack, invoices=invoices, request=request, approvals=list(approvals), customer=customer)
    )


@pytest.mark.clause("rtc.partial")
@pytest.mark.parametrize(
    ("amount", "approvals", "outcome", "total"),
    [
        pytest.param(20000, [], "needs_approval", 20000, id="nobody"),
        pytest.param(20000, [approval()], "granted", 20000, id="an agent at the limit"),
        pytest.param(20001, [approval()], "needs_approval", 20001, id="a cent above it"),
        pytest.param(20001, [approval(), second()], "granted", 20001, id="with an approver"),
        pytest.param(
            20001,
            [approval(), approval(role="approver")],
            "needs_approval",
            20001,
            id="the same person twice",
        ),
        pytest.param(
            20001, [approval(), approval("staff-2")], "needs_approval", 20001, id="two agents"
        ),
        pytest.param(20000, [approval(reason=None)], "needs_approval", 20000, id="no reason"),
        pytest.param(20000, [approval(reason=" ")], "needs_approval", 20000, id="a blank reason"),
        pytest.param(
            90000,
            [approval(amount=50000), second(amount=30000)],
            "granted",
            30000,
            id="the least amount",
        ),
        pytest.param(90000, [approval(amount=20000)], "granted", 20000, id="as much as alone"),
    ],
)
def test_approvals_grant_what_they_suffice_for(
    amount: int, approvals: list[dict[str, Any]], outcome: str, total: int
) -> None:
    out = decided(amount, *approvals)

    assert (out["outcome"], out["total"]) == (outcome, total)
    assert sum(part["amount"] for part in out["allocation"]) == total


@pytest.mark.clause("moneyback.evidence")
@pytest.mark.parametrize(
    ("reviewed", "outcome"),
    [(["log"], "needs_approval"), (["chat", "log"], "granted"), ([], "needs_approval")],
)
def test_all_present_evidence_must_have_been_reviewed(reviewed: list[str], outcome: str) -> None:
    out = decided(20000, approval(evidence_reviewed=reviewed), pack="moneyback")

    assert out["outcome"] == outcome


USD_EUR_GBP = {"usd": 20000, "eur": 20000, "gbp": 15000}
ALONE = {"usd": 5000, "eur": 5000, "gbp": 4000}
# What an agent may approve alone, by clause, ground and currency.
AGENT_LIMITS = {
    ("rtc.partial", "unused_period"): USD_EUR_GBP | {"inr": 1500000},
    ("rtc.goodwill", "goodwill"): ALONE | {"inr": 400000},
    ("voip.goodwill", "goodwill"): ALONE | {"gbp": 5000, "inr": 400000, "jpy": 7500},
    ("itservices.vendor_fault", "vendor_fault"): USD_EUR_GBP,
    ("itservices.goodwill", "goodwill"): ALONE,
    ("moneyback.evidence", "dissatisfaction"): USD_EUR_GBP,
    ("moneyback.goodwill", "goodwill"): ALONE,
}
GOODWILL_LIMITS = {
    "rtc.goodwill": USD_EUR_GBP | {"inr": 1500000},
    "voip.goodwill": USD_EUR_GBP | {"gbp": 20000, "inr": 1500000, "jpy": 30000},
    "itservices.goodwill": USD_EUR_GBP,
    "moneyback.goodwill": USD_EUR_GBP,
}


def asked(clause: str, ground: str, currency: str, **changes: Any) -> dict[str, Any]:
    """The whole of a paid plan, asked back on its first day."""
    paid = 10**7
    bought = "2026-03-10T12:00:00Z"
    invoices = [invoice([line(amount=paid)], [payment(amount=paid)], currency=currency)]
    request = {"ground": ground, "verified": True, "evidence": ["log"], "effective_at": bought}
    document = case(clause.partition(".")[0], invoices=invoices, now=bought, request=request)
    document["invoices"][0]["issued_at"] = bought
    return document | {"customer": {"purchased_at": bought}} | changes


@pytest.mark.parametrize(
    ("clause", "ground", "currency", "limit"),
    [
        pytest.param(clause, ground, currency, limit, marks=pytest.mark.clause(clause))
        for (clause, ground), limits in AGENT_LIMITS.items()
        for currency, limit in limits.items()
    ],
)
def test_an_agent_alone_approves_up_to_the_limit_and_not_a_cent_more(
    clause: str, ground: str, currency: str, limit: int
) -> None:
    def outcome(amount: int) -> str:
        agreed = approval(amount=amount, evidence_reviewed=["log"])
        out = quote(asked(clause, ground, currency, approvals=[agreed]))
        found: str = out["outcome"]
        return found

    assert [outcome(limit), outcome(limit + 1)] == ["granted", "needs_approval"]


@pytest.mark.parametrize(
    ("clause", "currency", "limit"),
    [
        pytest.param(clause, currency, limit, marks=pytest.mark.clause(clause))
        for clause, limits in GOODWILL_LIMITS.items()
        for currency, limit in limits.items()
    ],
)
def test_goodwill_is_marked_and_has_a_limit_of_its_own(
    clause: str, currency: str, limit: int
) -> None:
    out = quote(asked(clause, "goodwill", currency, deductions=[]))

    assert out["reasons"] == [{"clause": clause, "code": "goodwill"}]
    assert out["caps"][-1] == {"cap": "goodwill_limit", "limit": limit, "applied": True}
    assert out["total"] == limit


@pytest.mark.parametrize(
    ("clause", "ground", "must"),
    [
        pytest.param(
            clause, ground, clause.startswith("moneyback."), marks=pytest.mark.clause(clause)
        )
        for clause, ground in AGENT_LIMITS
    ],
)
def test_only_some_policies_want_the_evidence_reviewed(
    clause: str, ground: str, *, must: bool
) -> None:
    unreviewed = quote(asked(clause, ground, "usd", approvals=[approval(amount=100)]))

    assert unreviewed["outcome"] == ("needs_approval" if must else "granted")


@pytest.mark.parametrize(
    ("clause", "kept"),
    [
        pytest.param(clause, kept, marks=pytest.mark.clause(clause))
        for clause, kept in (
            ("voip.goodwill", False),
            ("rtc.goodwill", True),
            ("itservices.goodwill", False),
            ("moneyback.goodwill", False),
        )
    ],
)
def test_gateway_fees_are_kept_only_where_the_policy_says_so(clause: str, *, kept: bool) -> None:
    invoices = [invoice(payments=[payment(fee=3650)])]

    out = quote(case(clause.partition(".")[0], invoices=invoices, request={"ground": "goodwill"}))

    assert [d["amount"] for d in out["deductions"]] == ([3650] if kept else [])


@pytest.mark.clause("rtc.goodwill")
@pytest.mark.clause("voip.goodwill")
@pytest.mark.clause("itservices.goodwill")
@pytest.mark.clause("moneyback.goodwill")
@pytest.mark.parametrize("pack", ["voip", "rtc", "itservices", "moneyback"])
def test_goodwill_above_an_agents_limit_needs_a_second_person(pack: str) -> None:
    request = {"ground": "goodwill", "amount_asked": 6000}

    alone = quote(case(pack, request=request, approvals=[approval()]))
    both = quote(case(pack, request=request, approvals=[approval(), second()]))

    assert (alone["outcome"], alone["total"]) == ("needs_approval", 6000)
    assert (both["outcome"], both["total"]) == ("granted", 6000)
    assert both["caps"][-1] == {"cap": "amount_asked", "limit": 6000, "applied": True}
