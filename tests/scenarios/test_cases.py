"""A refund case per policy pack over HTTP, from the request to the money, through its deadlines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from operator import itemgetter
from threading import Barrier
from typing import Any

import pytest
import requests

from infrastructure.local.at_stripe import control
from infrastructure.local.stack import ESCALATION_TO, Stack, start_stack
from infrastructure.local.world import Person, Plan, add_customer, subscribe
from tests.scenarios.customers import SETTLE_SECONDS, ask

pytestmark = pytest.mark.stack

Json = dict[str, Any]
PNG = b"\x89PNG\r\n\x1a\nwhat the screen showed"
PRICE = 120_000
EMAIL = "ann@example.com"


@pytest.fixture(params=["rtc", "voip", "itservices", "moneyback"])
def office(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator["Office"]:
    """A stack under one pack, with a customer on an annual plan and staff."""
    directory = tmp_path_factory.mktemp(request.param)
    running = start_stack(directory=directory, policy=request.param)
    try:
        yield Office(running)
    finally:
        running.stop()


class Office:
    """Ann, an agent, an approver, and what they can ask."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        plan = Plan("Calls", "usd", PRICE, "year", stack.now())
        self.customer = add_customer(stack, Person("Ann", EMAIL, (plan,)))
        subscribe(stack, self.customer, plan)
        stack.settle(SETTLE_SECONDS)
        stack.add_customer_login(EMAIL, self.customer)
        for role in ("agent", "approver"):
            stack.logins.create(f"{role}@example.com", role)
        stack.logins.create("rival@example.com", "approver")
        self.invoice = stack.stripe.v1.invoices.list({"customer": self.customer}).data[0]
        self.line = self.invoice.lines.data[0].id
        self.id = ""

    def ann(self, expected: int, method: str, path: str, body: Any = None) -> Json:
        return self._ask(EMAIL, expected, method, path, body)

    def staff(self, role: str, expected: int, method: str, path: str, body: Any = None) -> Json:
        return self._ask(f"{role}@example.com", expected, method, path, body)

    def _ask(self, email: str, expected: int, method: str, path: str, body: Any) -> Json:
        token = self.stack.sign_in(email).access
        answer: Json = ask(self.stack, expected, method, path, token, body=body).json()
        return answer

    @property
    def place(self) -> str:
        return f"/v1/staff/cases/{self.customer}/{self.id}"

    def open(self, ground: str, **more: Any) -> Json:
        body = {"invoice": self.invoice.number, "ground": ground, "statement": "please"} | more
        opened = self.ann(201, "POST", "/v1/refund-requests", body)
        self.id = opened["id"]
        again = self.ann(200, "POST", "/v1/refund-requests", body)
        assert (again["id"], again["joined"]) == (self.id, True)
        return opened

    def upload(self) -> Json:
        path = f"/v1/refund-requests/{self.id}/evidence"
        wanted = {"kind": "screenshot", "content_type": "image/png", "size": len(PNG)}
        form = self.ann(201, "POST", path, wanted)
        sent = {"file": ("screen.png", PNG, "image/png")}
        assert requests.post(form["url"], data=form["fields"], files=sent, timeout=30).ok
        return self.ann(200, "POST", f"{path}/{form['id']}")

    def at(self, instant: str) -> None:
        """Move to an instant and let the schedule run."""
        self.stack.set_clock(datetime.fromisoformat(instant))
        self.stack.fire_schedule()
        self.stack.settle(SETTLE_SECONDS)

    def clock(self, kind: str) -> Json:
        case = self.staff("agent", 200, "GET", self.place)
        found: Json = next(c for c in case["clocks"] if c["kind"] == kind)
        return found

    def decide(self, role: str, digest: str, **more: Any) -> Json:
        body = {"decide": "approve", "reason": "it is right", "digest": digest} | more
        return self.staff(role, 200, "POST", f"{self.place}/decision", body)

    def at_once(self, people: tuple[str, str], body: Json) -> list[tuple[int, Json]]:
        """Two decide in the same moment: what each was answered, the winner first."""
        tokens = [self.stack.sign_in(f"{person}@example.com").access for person in people]
        path = f"{self.place}/decision"
        both = Barrier(2)

        def decide(token: str) -> tuple[int, Json]:
            both.wait()
            answer = self.stack.call("POST", path, token=token, body=body)
            return answer.status_code, answer.json()

        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(decide, tokens), key=itemgetter(0))

    def subjects(self, to: str) -> list[str]:
        return [mail.subject for mail in self.stack.mails() if mail.to == to]


def bring(office: Office) -> tuple[Json, int, Json]:
    """The pack's own case, as far as its decision: the case, what it is worth, more to decide."""
    evidence: Json = {}
    match office.stack.policy:
        case "rtc" | "voip":
            office.open("billing_error")
            found: Json = {"verified": True, "lines": {office.line: {"expected_amount": 70_000}}}
            # Of rtc's, the gateway's fee for that part stays: 35.10 × 5/12, half up.
            worth = 48_537 if office.stack.policy == "rtc" else 50_000
        case "itservices":
            office.open("vendor_fault", service_date=office.stack.now().isoformat())
            found, worth = {"verified": True}, PRICE
        case _:
            office.open("dissatisfaction")
            office.upload()
            found = {"resolved_issues": [office.stack.now().isoformat()]}
            worth, evidence = PRICE - 2999, {"evidence_reviewed": ["screenshot"]}
    if office.stack.policy == "rtc":
        waiting = office.clock("evidence")
        office.at((datetime.fromisoformat(waiting["due_at"]) - timedelta(days=9)).isoformat())
        assert "Your refund request is waiting for you" in office.subjects(EMAIL)
        assert office.upload()["state"] == "under_review"
    reviewed = office.staff(
        "agent", 200, "POST", f"{office.place}/findings", found | {"reason": "y"}
    )
    assert reviewed["quote"]["total"] == worth
    return reviewed, worth, evidence


@pytest.mark.clause("rtc.review_sla")
@pytest.mark.clause("rtc.payout_sla")
@pytest.mark.clause("rtc.documentation")
@pytest.mark.clause("itservices.resolution")
@pytest.mark.clause("moneyback.intake")
@pytest.mark.clause("moneyback.callback")
@pytest.mark.clause("moneyback.evidence")
@pytest.mark.clause("voip.billing_error")
@pytest.mark.clause("voip.returns")
@pytest.mark.clause("itservices.request")
@pytest.mark.clause("moneyback.own_account")
def test_a_case_from_the_request_to_the_money_through_every_deadline(office: Office) -> None:
    """In time, warned, late; then two people agree, and the money goes back the way it came."""
    reviewed, worth, evidence = bring(office)
    if reviewed["callback"]:
        office.at(reviewed["callback"]["to"])
        assert office.clock("callback")["late_at"]
        said = {"message": "called"}
        office.staff("agent", 200, "POST", f"{office.place}/callback", said)
    due = datetime.fromisoformat(office.clock("review")["due_at"])
    office.at((due - timedelta(days=1)).isoformat())
    assert office.clock("review")["warned_at"]
    assert not office.clock("review")["late_at"]
    office.at(due.isoformat())
    assert office.clock("review")["late_at"]
    assert "A case is late: review" in office.subjects(ESCALATION_TO)
    (row,) = office.staff("approver", 200, "GET", "/v1/staff/cases")["data"]
    assert (row["id"], row["late"]) == (office.id, True)

    four_eyes(office, reviewed["digest"], evidence)
    office.stack.settle(SETTLE_SECONDS)

    paid = office.ann(200, "GET", f"/v1/refund-requests/{office.id}")
    assert (paid["state"], paid["amount"]) == ("paid", worth)
    (refund,) = office.stack.stripe.v1.refunds.list({}).data
    assert (refund.amount, refund.status) == (worth, "succeeded")
    assert office.clock("payout")["stopped_at"]
    assert not office.clock("payout")["late_at"]
    told = office.subjects(EMAIL)
    assert told.count(f"Your refund of {worth / 100:.2f} USD is on its way") == 1
    late = {"decide": "decline", "reason": "too late"}
    problem = office.staff("agent", 409, "POST", f"{office.place}/decision", late)
    assert (problem["type"], problem["state"]) == ("/problems/already-decided", "paid")
    came_back(office, refund.id)
    on_behalf(office)
    of_nobody_else(office)


def four_eyes(office: Office, digest: str, evidence: Json) -> None:
    """The same person twice is one consent; of two that each suffice one pays, once."""
    agreed = {"decide": "approve", "reason": "it is right", "digest": digest} | evidence
    (first, shown), (second, problem) = office.at_once(("agent", "agent"), agreed)
    assert (first, shown.get("missing")) == (200, "two_people"), (shown, problem)
    assert (second, problem["type"]) == (409, "/problems/same-person")
    (won, case), (lost, problem) = office.at_once(("approver", "rival"), agreed)
    assert (won, case["missing"], len(case["approvals"])) == (200, None, 2), (case, problem)
    assert (lost, problem["type"]) == (409, "/problems/already-decided")
    assert problem["state"] in ("approved", "paying", "paid")
    assert problem["decided_by"] == case["decided_by"] == case["approvals"][1]["by"]


def came_back(office: Office, refund: str) -> None:
    """A refund that fails after it was sent brings the case to a person, who transfers it."""
    failure = {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    control(office.stack, "POST", f"refunds/{refund}", failure)
    office.stack.settle(SETTLE_SECONDS)
    case = office.ann(200, "GET", f"/v1/refund-requests/{office.id}")
    assert case["state"] == "needs_person"
    assert any("did not arrive" in subject for subject in office.subjects(EMAIL))
    (failed,) = [r for r in case["refunds"] if r["problem"] == "did_not_arrive"]
    body = {"refund": failed["id"], "amount": failed["amount"], "reason": "sent at the bank"}
    body["reference"] = "SEPA 4711"
    path = f"{office.place}/transfers"
    assert office.staff("agent", 200, "POST", path, body)["missing"] == "two_people"
    assert office.staff("approver", 200, "POST", path, body)["state"] == "paid"
    problem = office.staff("approver", 409, "POST", path, body)
    assert problem["type"] == "/problems/already-transferred"
    assert (problem["reference"], len(problem["recorded_by"])) == ("SEPA 4711", 2)
    (note,) = office.stack.stripe.v1.credit_notes.list({}).data
    assert note.post_payment_amount == failed["amount"]


def on_behalf(office: Office) -> None:
    """Staff open a case for who called; a policy that wants it in writing takes no calls."""
    grounds = {"voip": "dissatisfaction", "rtc": "service_disruption"}
    body = {
        "customer": office.customer,
        "invoice": office.invoice.number,
        "ground": grounds.get(office.stack.policy, "billing_error"),
        "channel": "phone",
        "statement": "she says that it was too much",
    }
    if office.stack.policy == "rtc":
        problem = office.staff("agent", 409, "POST", "/v1/staff/cases", body)
        assert (problem["type"], problem["clause"]) == ("/problems/channel-not-taken", "rtc.intake")
        return
    opened = office.staff("agent", 201, "POST", "/v1/staff/cases", body)
    assert opened["channel"] == "phone"
    assert opened["state"] == ("referred" if office.stack.policy == "voip" else "under_review")


def of_nobody_else(office: Office) -> None:
    """Another customer's case and an absent one get the same answer."""
    office.stack.add_customer_login("eve@example.com", "cus_eve")
    eve = office.stack.sign_in("eve@example.com").access
    answers = [
        ask(office.stack, 404, method, f"/v1/refund-requests/{case}", eve).json()
        for method in ("GET", "DELETE")
        for case in (office.id, "0" * 26)
    ]
    assert all(answer == answers[0] for answer in answers)
    assert ask(office.stack, 200, "GET", "/v1/refund-requests", eve).json() == {"data": []}
