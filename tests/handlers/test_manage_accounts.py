"""Staff and accounts: suspend by the clause, lift, enter costs, end without a refund."""

from typing import Any

import pytest

from functions.manage_accounts.handler import lambda_handler
from shared.application.handle_dispute import handle_dispute
from shared.application.show_account import check_access
from shared.domain.dispute import DisputeKind, DisputeOutcome
from shared.domain.records import AuditEntry
from tests.application.builders import CUSTOMER, SUBSCRIPTION, chargeback
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import claims, http_event
from tests.handlers.twice import answer_of
from tests.infrastructure.openapi import SCHEMAS, validate

BASE = "/v1/staff/accounts/{customer}"
FOUND = {"finding": "terms_breach", "reference": "T-1042"}


def call(
    route: str,
    body: dict[str, Any] | None = None,
    *,
    groups: str = "[approver]",
    key: str = "k",
    **path: str,
) -> tuple[int, dict[str, Any]]:
    event = http_event(
        route,
        body=body,
        jwt=claims(sub="staff-1") | {"cognito:groups": groups},
        path={"customer": CUSTOMER} | path,
        headers={"idempotency-key": key},
    )
    return answer_of(lambda_handler, event)


def suspend(**change: Any) -> tuple[int, dict[str, Any]]:
    return call(f"POST {BASE}/suspensions", FOUND, **change)


def shown() -> dict[str, Any]:
    status, body = call(f"GET {BASE}", groups="[auditor]")
    assert status == 200
    validate(body, SCHEMAS["StaffAccount"])
    return body


@pytest.mark.clause("voip.violation")
def test_staff_suspend_for_a_violation_and_lift_it(services: HandlerServices) -> None:
    status, cause = suspend()
    assert (status, cause["clause"]) == (201, "voip.violation")
    validate(cause, SCHEMAS["Suspension"])
    assert shown()["standing"] == "suspended"
    assert not check_access(services, customer=CUSTOMER)["entitled"]
    services.run_effects()
    assert services.billing.paused == {SUBSCRIPTION}
    status, after = call(f"DELETE {BASE}/suspensions/{{id}}", id=cause["id"])
    assert (status, after["standing"]) == (200, "good")
    services.run_effects()
    assert services.billing.paused == set()
    sent = [mail["template"] for mail in services.mailer.sent]
    assert sent == ["account_suspended_violation", "account_reinstated"]


def test_lifting_one_cause_leaves_the_others(services: HandlerServices) -> None:
    _, cause = suspend()
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    status, after = call(f"DELETE {BASE}/suspensions/{{id}}", id=cause["id"])
    assert (status, after["standing"]) == (200, "suspended")
    assert call(f"DELETE {BASE}/suspensions/{{id}}", id=cause["id"])[0] == 404
    assert call(f"DELETE {BASE}/suspensions/{{id}}", id="du_1")[0] == 404


@pytest.mark.clause("voip.violation")
def test_a_subscription_ends_by_the_clause_without_a_refund(services: HandlerServices) -> None:
    body = FOUND | {"subscription": SUBSCRIPTION}
    status, ended = call(f"POST {BASE}/cancellations", body)
    assert (status, ended["refund"], ended["clause"]) == (202, 0, "voip.violation")
    validate(ended, SCHEMAS["EndedByClause"])
    assert not check_access(services, customer=CUSTOMER)["entitled"]
    services.run_effects()
    assert len(services.billing.called("cancel_now")) == 1
    assert services.billing.refunds == {}
    assert call(f"POST {BASE}/cancellations", body, key="again")[1]["type"].endswith(
        "already-canceled"
    )


@pytest.mark.clause("rtc.chargeback_costs")
@pytest.mark.parametrize(
    ("outcome", "balance"),
    [
        (None, {"owed": 0, "in_dispute": 146_500}),
        (DisputeOutcome.LOST, {"owed": 146_500, "in_dispute": 0}),
        (DisputeOutcome.WON, {"owed": 0, "in_dispute": 0}),
    ],
    ids=["argued", "lost", "won"],
)
@pytest.mark.parametrize("late", [True, False], ids=["entered after", "entered before"])
def test_a_cost_stands_where_its_dispute_does(
    services: HandlerServices, outcome: DisputeOutcome | None, balance: dict[str, int], late: bool
) -> None:
    services.policy = "rtc"  # the pack whose customers bear the costs
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    form = {
        "dispute": "du_1",
        "amount": 25_000,
        "currency": "usd",
        "what": "arbitration_fee",
        "receipt": "R-2026-17",
    }
    for entered in (not late, late):
        if entered:
            status, cost = call(f"POST {BASE}/costs", form, groups="[agent]")
            assert status == 201
            validate(cost, SCHEMAS["Cost"])
        elif outcome:
            services.billing.disputes["du_1"] = chargeback(outcome=outcome)
            handle_dispute(services, dispute="du_1", event="evt_2", event_type="t")
    assert shown()["balances"] == [{"currency": "usd"} | balance]


def test_what_is_sent_again_is_done_once(services: HandlerServices) -> None:
    del services
    first, second = suspend(), suspend()
    assert first == second
    assert len(shown()["causes"]) == 1
    assert suspend(key="another")[1]["id"] != first[1]["id"]
    status, conflict = call(f"POST {BASE}/suspensions", FOUND | {"reference": "T-2"})
    assert (status, conflict["type"]) == (409, "/problems/idempotency-mismatch")


def test_the_trail_names_the_person_and_where_it_is_written_down(
    services: HandlerServices,
) -> None:
    suspend()
    (entry,) = [
        one.record
        for one in services.store.all_of(AuditEntry, CUSTOMER)
        if one.record.what == "suspended"
    ]
    assert entry.actor.endswith("#staff-1")
    assert (entry.why, entry.details["reference"]) == ("terms_breach", "T-1042")


def test_a_policy_that_says_nothing_of_violations_suspends_nobody(
    services: HandlerServices,
) -> None:
    services.policy = "moneyback"
    status, problem = suspend()
    assert (status, problem["type"]) == (409, "/problems/no-clause")
    assert shown()["standing"] == "good"


@pytest.mark.parametrize("groups", ["[agent]", "[auditor]", "[]"])
def test_only_who_may_decide_takes_service_away(services: HandlerServices, groups: str) -> None:
    del services
    assert suspend(groups=groups)[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        FOUND | {"reference": "he said that he is sorry"},
        FOUND | {"finding": "bad_mood"},
        {"finding": "terms_breach"},
        FOUND | {"reason": "free text"},
    ],
    ids=["free text", "unknown finding", "missing", "too many"],
)
def test_a_bad_body_changes_nothing(services: HandlerServices, body: dict[str, Any]) -> None:
    before = dict(services.store.table)
    status, problem = call(f"POST {BASE}/suspensions", body)
    assert (status, problem["type"]) == (400, "/problems/invalid-request")
    # That somebody has looked is noted all the same.
    after = {key: item for key, item in services.store.table.items() if "SEEN#" not in key[1]}
    assert after == before


@pytest.mark.parametrize("customer", ["cus_absent", "operations", "unassigned"])
def test_nobody_is_suspended_whom_we_do_not_know(services: HandlerServices, customer: str) -> None:
    del services
    assert suspend(customer=customer)[0] == 404
    assert call(f"GET {BASE}", customer=customer)[0] == 404


@pytest.mark.clause("rtc.chargeback_suspend")
@pytest.mark.parametrize(
    ("kind", "standing"),
    [(DisputeKind.CHARGEBACK, "suspended"), (DisputeKind.INQUIRY, "good")],
)
def test_a_chargeback_suspends_in_its_own_commit_and_an_inquiry_does_not(
    services: HandlerServices, kind: DisputeKind, standing: str
) -> None:
    services.policy = "rtc"
    services.billing.disputes["du_1"] = chargeback(kind=kind)
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert shown()["standing"] == standing
    assert [one["kind"] for one in shown()["disputes"]] == [kind.value]
    assert services.billing.calls == []
