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


@pytest.mark.clause("itservices.goodwill")
@pytest.mark.parametrize("pack", ["voip", "rtc", "itservices", "moneyback"])
def test_goodwill_is_marked_capped_and_needs_a_second_person_above_the_agents_limit(
    pack: str,
) -> None:
    request = {"ground": "goodwill", "amount_asked": 6000}

    bound = quote(case(pack, request=request))
    alone = quote(case(pack, request=request, approvals=[approval()]))
    both = quote(case(pack, request=request, approvals=[approval(), second()]))

    assert {reason["code"] for reason in bound["reasons"]} == {"goodwill"}
    assert [(c["cap"], c["limit"]) for c in bound["caps"][1:]] == [
        ("goodwill_limit", 20000),
        ("amount_asked", 6000),
    ]
    assert [x["outcome"] for x in (bound, alone, both)] == [
        "needs_approval",
        "needs_approval",
        "granted",
    ]
    assert both["total"] == 6000
