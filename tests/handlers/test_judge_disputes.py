"""Staff and disputes: see, contest, give up; activity comes in; what is owed is asked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.judge_disputes.handler import lambda_handler as staff
from functions.record_activity.handler import lambda_handler as service
from shared.application.case_document import instant
from shared.application.dun import refresh_invoice
from shared.application.handle_dispute import handle_dispute
from shared.application.show_account import show_account
from shared.domain.arrears import DunningFacts
from shared.domain.controls import OPERATIONS
from shared.domain.dispute import DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.dispute_result import DisputeResult
from shared.domain.evidence import ChargeStory
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.network_month import MonthOfPayments
from shared.ports import Put
from tests.application.builders import CUSTOMER, YEAR_START, chargeback
from tests.fakes.services import START
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import claims, http_event
from tests.handlers.twice import answer_of
from tests.infrastructure.openapi import SCHEMAS, validate

BASE = "/v1/staff/accounts/{customer}"
DUE = START + timedelta(days=8)
USED = {"at": "2026-02-01T08:00:00Z", "what": "call", "ip": "203.0.113.7"}


def ask(
    route: str,
    body: Any = None,
    *,
    groups: str = "[approver]",
    key: str = "k",
    **path: str,
) -> tuple[int, dict[str, Any]]:
    event = http_event(
        route,
        body=body,
        jwt=claims(sub="staff-1") | {"cognito:groups": groups},
        path={"customer": CUSTOMER, "id": "du_1"} | path,
        headers={"idempotency-key": key},
    )
    return answer_of(staff, event)


def report(body: Any, *, scope: str = "service", key: str = "k") -> tuple[int, dict[str, Any]]:
    event = http_event(
        "POST /v1/activity",
        body=body,
        jwt=claims(scope=scope),
        headers={"idempotency-key": key},
    )
    return answer_of(service, event)


def see(services: HandlerServices, number: int = 1, **change: Any) -> None:
    about: dict[str, Any] = {"respond_by": DUE, "network": "visa", "reason_code": "13.2"}
    services.billing.disputes["du_1"] = replace(chargeback(), **(about | change))
    handle_dispute(services, dispute="du_1", event=f"evt_{number}", event_type="t")
    services.run_effects(rounds=200)


@pytest.fixture(autouse=True)
def story(services: HandlerServices) -> None:
    services.policy = "rtc"
    services.billing.stories["ch_1"] = ChargeStory(
        "ch_1", YEAR_START, 120_000, "usd", "Annual plan", None, "ann@example.com", None, None
    )


def shown(services: HandlerServices) -> dict[str, Any]:
    del services
    status, body = ask(f"GET {BASE}/disputes/{{id}}", groups="[auditor]")
    assert status == 200
    validate(body, SCHEMAS["StaffDispute"])
    return body


@pytest.mark.clause("rtc.chargeback_contest")
def test_staff_see_the_case_and_contest_it(services: HandlerServices) -> None:
    assert report({"customer": CUSTOMER, "events": [USED]})[0] == 201
    see(services)
    case = shown(services)
    assert (case["evidence"]["state"], case["evidence"]["missing"]) == ("staged", [])
    use = next(s for s in case["evidence"]["sections"] if s["subject"] == "activity")
    assert use["rows"][0][2] == "203.0.113.7"
    # As the clause has it: how the terms were shown, and our own margin before the bank's deadline.
    terms = next(s for s in case["evidence"]["sections"] if s["subject"] == "terms")
    assert "shown before the first payment" in str(terms)
    assert case["evidence"]["submit_by"] == instant(DUE - timedelta(hours=48))
    status, judged = ask(f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "contest"})
    assert (status, judged["state"]) == (202, "approved")
    services.run_effects()
    assert shown(services)["evidence"]["state"] == "submitted"
    (submitted,) = [c for c in services.billing.called("send_evidence") if c["submit"]]
    assert submitted["fields"]["cancellation_policy"]


def test_a_key_is_not_the_answer_of_another_dispute(services: HandlerServices) -> None:
    see(services)
    route, wanted = f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "contest"}
    first = ask(route, wanted)
    assert ask(route, wanted) == first
    status, problem = ask(route, wanted, id="du_2")
    assert (status, problem["type"]) == (409, "/problems/idempotency-mismatch")


def test_the_arithmetic_is_shown_with_every_figure(services: HandlerServices) -> None:
    see(services)
    weighed = shown(services)["weighing"]
    assert (weighed["win_rate"], weighed["won_before"], weighed["lost_before"]) == ("1/2", 0, 0)
    # Half of 1,200.00 is won, half of the 15.00 for countering is lost.
    assert (weighed["contest"], weighed["accept"], weighed["best"]) == (59_250, 0, "contest")


def test_the_own_past_of_the_same_reason_counts(services: HandlerServices) -> None:
    see(services)
    for number, outcome in enumerate([DisputeOutcome.LOST] * 3 + [DisputeOutcome.WON]):
        name = f"du_past{number}"
        past = replace(chargeback(outcome=outcome), id=name, network="visa", reason_code="13.2")
        services.billing.disputes[name] = past
        handle_dispute(services, dispute=name, event=f"evt_p{number}", event_type="t")
    services.run_effects(rounds=300)
    weighed = shown(services)["weighing"]
    assert (weighed["won_before"], weighed["lost_before"]) == (1, 3)
    assert weighed["win_rate"] == "1/3"
    assert weighed["contest"] == 39_000


def test_of_an_inquiry_a_refund_is_weighed_too(services: HandlerServices) -> None:
    see(services, kind=DisputeKind.INQUIRY, withdrawn=0, fee=0, amount=1_000)
    weighed = shown(services)["weighing"]
    assert (weighed["contest"], weighed["refund"], weighed["best"]) == (1_250, 1_500, "refund")


def test_above_the_networks_limit_one_chargeback_more_has_a_price(
    services: HandlerServices,
) -> None:
    kind, lost = DisputeKind.CHARGEBACK, DisputeOutcome.LOST
    past = DisputeResult(OPERATIONS, "", kind, lost, "mastercard", "", "", 1, "usd", START)
    counted = MonthOfPayments(OPERATIONS, "2026-03", (("mastercard", 6_000),), START)
    services.store.commit([Put(counted, 0)])
    for number in range(99):
        services.store.commit([Put(replace(past, id=f"du_past{number}"), 0)])
    asked: dict[str, Any] = {"kind": DisputeKind.INQUIRY, "withdrawn": 0, "fee": 0}
    see(services, network="mastercard", amount=1_000, **asked)
    weighed = shown(services)["weighing"]
    # 1.5 % of 6,000 payments are 90, and Mastercard begins at 100 chargebacks.
    assert (weighed["refund"], weighed["case_cost"]) == (1_500, 0)
    assert weighed["network"] == {
        "name": "mastercard",
        "month": "2026-03",
        "disputes": 99,
        "payments": 6_000,
        "ratio": "33/2000",
        "limit": "3/200",
        "left": 1,
    }
    services.store.commit([Put(replace(past, id="du_past99"), 0)])
    weighed = shown(services)["weighing"]
    assert (weighed["network"]["left"], weighed["case_cost"]) == (0, 800)
    # The fee of the chargeback and the network's: 15.00 + 8.00; half of these and 10.00 is won.
    assert (weighed["refund"], weighed["contest"]) == (2_300, 1_650)


def test_giving_up_is_for_good(services: HandlerServices) -> None:
    see(services)
    status, judged = ask(f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "accept"})
    assert (status, judged["state"]) == (202, "accepted")
    services.run_effects()
    assert len(services.billing.called("accept_dispute")) == 1
    again = ask(f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "contest"}, key="other")
    assert (again[0], again[1]["type"]) == (409, "/problems/not-answerable")


def test_after_the_deadline_nothing_is_decided(services: HandlerServices) -> None:
    see(services)
    services.clock.advance(days=9)
    status, problem = ask(f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "contest"})
    assert (status, problem["type"]) == (409, "/problems/too-late")


def test_new_activity_goes_into_a_pack_prepared_anew(services: HandlerServices) -> None:
    see(services)
    assert shown(services)["evidence"]["missing"] == ["activity"]
    report({"customer": CUSTOMER, "events": [USED]})
    ask(f"POST {BASE}/disputes/{{id}}/decisions", {"decision": "prepare"})
    services.run_effects()
    assert shown(services)["evidence"]["missing"] == []


@pytest.mark.parametrize("groups", ["[agent]", "[auditor]"])
def test_only_who_may_decide_decides(services: HandlerServices, groups: str) -> None:
    see(services)
    route = f"POST {BASE}/disputes/{{id}}/decisions"
    assert ask(route, {"decision": "accept"}, groups=groups)[0] == 403


def test_activity_is_kept_sealed_and_once(services: HandlerServices) -> None:
    first = report({"customer": CUSTOMER, "events": [USED]})
    assert report({"customer": CUSTOMER, "events": [USED]}) == first
    validate(first[1], SCHEMAS["ActivityBatch"])
    stored = [item for key, item in services.store.table.items() if "ACTIVITY" in key[1]]
    assert len(stored) == 1
    assert "203.0.113.7" not in str(stored)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"customer": "cus_absent", "events": [USED]}, 404),
        ({"customer": CUSTOMER, "events": []}, 400),
        ({"customer": CUSTOMER, "events": [USED] * 101}, 400),
        ({"customer": CUSTOMER, "events": [USED | {"at": "2026-02-01T08:00:00"}]}, 400),
        ({"customer": "operations", "events": [USED]}, 400),
    ],
    ids=["unknown", "none", "too many", "naive", "nobody's"],
)
def test_what_does_not_fit_is_not_kept(
    services: HandlerServices, body: dict[str, Any], status: int
) -> None:
    before = dict(services.store.table)
    assert report(body)[0] == status
    assert services.store.table == before


def test_only_services_report_activity(services: HandlerServices) -> None:
    del services
    assert report({"customer": CUSTOMER, "events": [USED]}, scope="customer")[0] == 403


def paid(services: HandlerServices, invoice: str, receivable: str, status: str = "paid") -> None:
    services.billing.unpaid[invoice] = DunningFacts(
        id=invoice,
        number="A-9",
        customer=CUSTOMER,
        subscription=None,
        status=status,
        due=0,
        paid=121_500,
        currency="usd",
        failed=False,
        first=False,
        receivable=receivable,
    )
    refresh_invoice(services, customer=CUSTOMER, invoice=invoice)


@pytest.mark.clause("rtc.chargeback_contest")
@pytest.mark.clause("rtc.chargeback_costs")
def test_what_is_owed_is_asked_for_by_an_invoice_and_charged_to_nobody(
    services: HandlerServices,
) -> None:
    see(services)
    assert ask(f"POST {BASE}/collections", {"currency": "usd"})[1]["type"].endswith("nothing-owed")
    see(services, 2, outcome=DisputeOutcome.LOST, phase=DisputePhase.ENDED)
    status, asked = ask(f"POST {BASE}/collections", {"currency": "usd"}, key="2")
    assert (status, asked["amount"]) == (202, 121_500)
    validate(asked, SCHEMAS["Receivable"])
    services.run_effects()
    ((invoice, debt),) = services.billing.debts.items()
    assert (debt["customer"], debt["receivable"]) == (CUSTOMER, asked["id"])
    assert (debt["amount"], debt["sent"]) == (121_500, True)
    again = ask(f"POST {BASE}/collections", {"currency": "usd"}, key="3")
    assert again[1]["type"] == "/problems/already-asked"
    for _ in range(2):
        paid(services, invoice, asked["id"])
    balances = show_account(services, customer=CUSTOMER)["balances"]
    assert balances == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    entries = [s.record for s in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert [e.amount for e in entries if e.target is Book.PAID] == [121_500]


def test_a_late_win_after_the_customer_has_paid_is_the_customers(
    services: HandlerServices,
) -> None:
    see(services)
    see(services, 2, outcome=DisputeOutcome.LOST, phase=DisputePhase.ENDED)
    asked = ask(f"POST {BASE}/collections", {"currency": "usd"})[1]
    services.run_effects()
    (invoice,) = services.billing.debts
    paid(services, invoice, asked["id"])
    won = {"outcome": DisputeOutcome.WON, "phase": DisputePhase.ENDED, "returned": 120_000}
    see(services, 3, **won)
    balances = show_account(services, customer=CUSTOMER)["balances"]
    assert balances == [{"currency": "usd", "owed": -121_500, "in_dispute": 0}]
    alerts = [d["what"] for name, d in services.bus.published if name == "AttentionNeeded"]
    assert "customer_is_owed" in alerts


def test_a_void_invoice_leaves_it_owed_and_may_be_asked_again(services: HandlerServices) -> None:
    see(services)
    see(services, 2, outcome=DisputeOutcome.LOST, phase=DisputePhase.ENDED)
    asked = ask(f"POST {BASE}/collections", {"currency": "usd"})[1]
    services.run_effects()
    (invoice,) = services.billing.debts
    paid(services, invoice, asked["id"], status="void")
    assert show_account(services, customer=CUSTOMER)["balances"][0]["owed"] == 121_500
    assert ask(f"POST {BASE}/collections", {"currency": "usd"}, key="new")[0] == 202
