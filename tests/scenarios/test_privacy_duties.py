"""What else is owed to people about their data: choices, terms, minors, breaches, ends."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.customers import Customer, ask
from tests.scenarios.people import staff_token

pytestmark = pytest.mark.stack

Json = dict[str, Any]


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


@pytest.mark.clause("privacy.restriction")
@pytest.mark.clause("privacy.objection_consent")
@pytest.mark.parametrize("kind", ["restriction", "objection"])
def test_a_choice_is_kept_and_told_to_the_companys_systems(
    newcomer: Callable[..., Customer], bus: Any, kind: str
):
    customer = newcomer()
    stack, agent = customer.stack, staff_token(customer.stack, "agent")
    path = f"/v1/staff/accounts/{customer.id}/privacy-requests"
    body = {"kind": kind, "reason": "T-1042"}

    request = ask(stack, 202, "POST", path, agent, body=body).json()
    stack.settle()

    assert request["state"] == "answered"
    assert customer.ask(200, "GET", "/v1/privacy-requests")["privacy_requests"][0]["done"]
    assert "DataChoicesChanged" in bus.about(customer.id)
    # Duties and the contract go on.
    assert customer.access()["entitled"]
    customer.confirm(customer.quote("at_period_end"))
    stack.settle()
    assert any("will end on" in mail for mail in customer.mails())


@pytest.mark.clause("privacy.children")
@pytest.mark.clause("privacy.deletion")
def test_data_of_a_minor_goes_as_soon_as_nothing_of_the_law_keeps_it(
    newcomer: Callable[..., Customer], bus: Any
):
    customer = newcomer()
    stack = customer.stack
    approver, auditor = staff_token(stack, "approver"), staff_token(stack, "auditor")
    account = f"/v1/staff/accounts/{customer.id}"
    customer.confirm(customer.quote())
    stack.settle()
    hold = {"reference": "court-7/26"}
    placed = ask(stack, 201, "POST", f"{account}/legal-holds", approver, body=hold).json()

    body = {"kind": "erasure", "ground": "minor", "reason": "T-1042"}
    ask(stack, 202, "POST", f"{account}/privacy-requests", approver, body=body)
    stack.fire_schedule()
    stack.settle()
    (request,) = customer.ask(200, "GET", "/v1/privacy-requests")["privacy_requests"]
    assert [one["code"] for one in request["deferred_because"]] == ["legal_hold"]
    assert any("a legal matter obliges us" in mail for mail in customer.mails())

    lifted = f"{account}/legal-holds/{placed['holds'][0]['id']}"
    assert ask(stack, 200, "DELETE", lifted, approver).json() == {"holds": []}
    stack.advance(timedelta(days=1, minutes=1))
    stack.fire_schedule()
    stack.settle()

    found = ask(stack, 200, "GET", f"{account}/privacy-requests", auditor).json()
    (request,) = found["privacy_requests"]
    assert (request["state"], request["ground"]) == ("answered", "minor")
    assert [step["name"] for step in request["open_steps"]] == ["redact_at_stripe"]
    assert "PersonErased" in bus.about(customer.id)
    assert not any("Until" in mail and "take" in mail for mail in customer.mails())
    steps = f"{account}/privacy-requests/{request['id']}/steps"
    step = {"step": "redact_at_stripe"}
    assert ask(stack, 200, "POST", steps, approver, body=step).json()["open_steps"] == []
    log = ask(stack, 200, "GET", f"{account}/access-log", auditor).json()["entries"]
    assert "T-1042" in [entry["reason"] for entry in log]
    ask(stack, 403, "GET", f"{account}/access-log", approver)


@pytest.mark.clause("privacy.breach_contact")
@pytest.mark.clause("privacy.security")
def test_a_suspected_breach_is_acknowledged_and_calls_the_owner(
    newcomer: Callable[..., Customer], bus: Any
):
    customer = newcomer()
    stack, approver = customer.stack, staff_token(customer.stack, "approver")
    body = {"text": "I got somebody else's invoice."}

    report = customer.ask(202, "POST", "/v1/breach-reports", body=body, headers=key())
    stack.settle()

    assert customer.mails()[-1].startswith("We have your report")
    assert "AttentionNeeded" in bus.about(customer.id)
    path = f"/v1/staff/accounts/{customer.id}/breach-reports/{report['id']}"
    assert ask(stack, 200, "GET", path, approver).json()["text"] == body["text"]
    closed = ask(stack, 200, "POST", f"{path}/closure", approver).json()
    assert closed["state"] == "closed"
    stored = stack.aws("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"]
    assert body["text"] not in repr(stored)


@pytest.mark.clause("privacy.change_notice")
@pytest.mark.clause("rtc.policy_change")
@pytest.mark.clause("itservices.policy_change")
def test_new_terms_are_announced_and_hold_a_week_later_at_the_earliest(
    newcomer: Callable[..., Customer], fairexit: Callable[..., tuple[int, str]]
):
    customer = newcomer()
    stack, version = customer.stack, uuid.uuid4().hex[:8]
    announce = ("terms", "announce", "privacy-terms", version, "--from", "2026-01-01")

    assert fairexit(*announce, "--summary", "We name a new processor.")[0] == 0
    stack.settle()

    assert fairexit(*announce, "--summary", "Again.")[0] == 2
    (mail,) = [mail for mail in customer.mails() if version in mail]
    assert "We name a new processor." in mail
    assert f"{stack.now() + timedelta(days=7):%Y-%m-%d}" in mail
    status, shown = fairexit("terms", "show")
    (line,) = [line for line in shown.splitlines() if version in line]
    assert status == 0
    assert line.partition("finished ")[2][:10] == f"{stack.now():%Y-%m-%d}"
    assert f"holds from {stack.now() + timedelta(days=7):%Y-%m-%d}" in line
    assert customer.quote()["quote"]["policy"]["version"] == "2025-01-06"


@pytest.mark.clause("privacy.retention")
def test_what_is_past_its_term_is_purged_over_night(
    newcomer: Callable[..., Customer], fairexit: Callable[..., tuple[int, str]]
):
    customer = newcomer()
    stack, quote = customer.stack, customer.quote()
    stack.advance(timedelta(days=30, minutes=1))

    status, shown = fairexit("purge", "--dry-run", "--largest-share", "100")
    assert (status, "Quote: " in shown, "0 deleted (dry run)" in shown) == (0, True, True)
    customer.confirm(quote, expected=409)
    assert fairexit("purge", "--largest-share", "100")[0] == 0

    customer.confirm(quote, expected=404)
    assert customer.shown()["id"] == customer.subscription
    stack.fire_schedule("purge")


@pytest.mark.clause("privacy.cookies")
def test_no_answer_sets_a_cookie(newcomer: Callable[..., Customer]):
    customer = newcomer()
    for path in ("/v1/account", "/v1/subscriptions", "/v1/privacy-requests"):
        answer = customer.stack.call("GET", path, token=customer.token)
        assert answer.ok
        assert not answer.cookies
