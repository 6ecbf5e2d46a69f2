"""Every path of a dispute's life over HTTP, and an answer to one: prepared, contested, won."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from infrastructure.local.at_stripe import control, paying_charge, settle_dispute
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import Json, leave_unpaid
from tests.scenarios.customers import Customer, ask
from tests.scenarios.people import staff_token
from tests.verifier.reader import Reader

pytestmark = pytest.mark.stack

Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
MONTHLY = {"interval": "month", "amount": 4_900}
CANADIAN = {"amount": 2_000, "settlement": {"currency": "cad", "rate": "1.4"}}


def opened(customer: Customer, kind: str, **about: Any) -> str:
    charge = paying_charge(customer.stack, customer.subscription)
    wanted = {"charge": charge, "kind": kind, **about}
    return str(control(customer.stack, "POST", "disputes", wanted)["id"])


def taken(reader: Reader, dispute: str) -> dict[str, int]:
    """What a dispute has cost the company's balance so far, by currency, as Stripe shows it."""
    found: dict[str, int] = {}
    for row in reader.stripe(f"disputes/{dispute}")["balance_transactions"]:
        found[row["currency"]] = found.get(row["currency"], 0) - int(row["net"])
    return found


@pytest.mark.parametrize(
    ("kind", "about", "outcomes", "standing", "where"),
    [
        ("lost", {}, (), "suspended", "owed"),
        ("prevented", {}, (), "good", None),
        ("block", {}, (), "good", None),
        ("compliance", {}, (), "suspended", "in_dispute"),
        ("chargeback", {}, ("lost", "appealed"), "suspended", "in_dispute"),
        ("chargeback", {}, ("lost", "appealed", "lost"), "suspended", "owed"),
        ("chargeback", CANADIAN, ("lost",), "suspended", "owed"),
    ],
    ids=["lost on arrival", "prevented", "block", "compliance", "appeal", "appeal lost", "partial"],
)
def test_each_path_ends_in_the_right_cents(
    newcomer: Newcomer,
    settle: Settle,
    reader: Reader,
    kind: str,
    about: Json,
    outcomes: tuple[str, ...],
    standing: str,
    where: str | None,
):
    customer = newcomer(**MONTHLY)
    dispute = opened(customer, kind, **about)
    for outcome in outcomes:
        settle_dispute(customer.stack, dispute, outcome)
    settle()
    account = customer.account()
    assert account["standing"] == standing
    assert customer.access()["entitled"] is (standing == "good")
    assert (customer.at_stripe()["pause_collection"] is None) is (standing == "good")
    shown = {
        b["currency"]: {"owed": b["owed"], "in_dispute": b["in_dispute"]}
        for b in account["balances"]
    }
    cost = taken(reader, dispute) if where else {}
    assert shown == {c: {"owed": 0, "in_dispute": 0, str(where): a} for c, a in cost.items()}


@pytest.fixture
def countering_costs(stack: Stack) -> Iterator[None]:
    control(stack, "POST", "settings", {"counter_fee": True})
    yield
    control(stack, "POST", "settings", {"counter_fee": False})


@pytest.mark.clause("rtc.chargeback_contest")
@pytest.mark.clause("rtc.chargeback_costs")
@pytest.mark.usefixtures("countering_costs")
def test_a_chargeback_is_answered_from_own_records_and_won(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader
):
    customer = newcomer(**MONTHLY)
    used = {"at": "2026-02-01T08:00:00Z", "what": "call", "ip": "203.0.113.7"}
    keyed = {"headers": {"Idempotency-Key": str(uuid.uuid4())}}
    body = {"customer": customer.id, "events": [used]}
    ask(stack, 201, "POST", "/v1/activity", stack.service_token(), body=body, **keyed)
    dispute = opened(customer, "chargeback", reason="subscription_canceled")
    settle()

    auditor, approver = staff_token(stack, "auditor"), staff_token(stack, "approver")
    path = f"/v1/staff/accounts/{customer.id}/disputes/{dispute}"
    case: Json = ask(stack, 200, "GET", path, auditor).json()
    assert (case["evidence"]["state"], case["evidence"]["about"]) == ("staged", "canceled")
    held = reader.stripe(f"disputes/{dispute}")
    assert (held["status"], held["evidence_details"]["submission_count"]) == ("needs_response", 0)
    assert "203.0.113.7" in held["evidence"]["access_activity_log"]

    decided = {"body": {"decision": "contest"}}
    ask(stack, 403, "POST", f"{path}/decisions", auditor, **decided, **keyed)
    for _ in range(2):
        ask(stack, 202, "POST", f"{path}/decisions", approver, **decided, **keyed)
    settle()
    sent = reader.stripe(f"disputes/{dispute}")
    assert (sent["status"], sent["evidence_details"]["submission_count"]) == ("under_review", 1)
    assert sent["evidence"]["cancellation_policy"] == case["evidence"]["file"]
    (balance,) = customer.account()["balances"]
    # The amount, the fee of receiving it, and the fee of countering it.
    assert balance["in_dispute"] == taken(reader, dispute)["usd"] + 1_500

    settle_dispute(stack, dispute, "won")
    settle()
    assert customer.account()["standing"] == "good"
    assert customer.account()["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    booked = {p["what"]: p for p in ask(stack, 200, "GET", path, auditor).json()["booked"]}
    # What receiving it cost stays with the company; what countering cost came back.
    assert (booked["fee"]["absorbed"], booked["countering"]["returned"]) == (1_500, 1_500)


def keyed() -> Json:
    return {"Idempotency-Key": str(uuid.uuid4())}


def test_who_does_not_pay_is_reminded_suspended_and_cured_by_paying(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer, api = newcomer(**MONTHLY), stack.stripe.v1
    broken = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    default: Any = {"invoice_settings": {"default_payment_method": broken.id}}
    api.customers.update(customer.id, default)
    invoice = leave_unpaid(stack, customer.id, "usd", 800)
    stack.advance(timedelta(hours=2))
    settle()
    assert customer.account()["standing"] == "past_due"
    assert customer.access()["entitled"]

    # Two reminders by day 10, suspension on day 14, as the policy's clause says.
    for days in (4, 7, 4):
        stack.advance(timedelta(days=days))
        settle()
    account = customer.account()
    assert [cause["kind"] for cause in account["causes"]] == ["past_due", "non_payment"]
    assert not customer.access()["entitled"]
    subjects = [mail.splitlines()[0] for mail in customer.mails()]
    assert len(subjects) == 3

    api.invoices.pay(invoice, {"payment_method": "pm_card_visa"})
    settle()
    assert (customer.account()["standing"], customer.account()["causes"]) == ("good", [])
    assert customer.access()["entitled"]


def test_what_a_lost_dispute_has_left_is_paid_by_the_customer_and_a_person_lifts_it(
    stack: Stack, newcomer: Newcomer, settle: Settle, reader: Reader
):
    customer = newcomer(**MONTHLY)
    dispute = opened(customer, "lost")
    settle()
    charges = len(reader.stripe_list("charges", customer=customer.id))
    wanted = {"body": {"currency": "usd"}, "headers": keyed()}
    asked = customer.ask(202, "POST", "/v1/receivables", **wanted)
    assert asked["amount"] == taken(reader, dispute)["usd"]
    settle()
    (receivable,) = customer.account()["receivables"]
    assert receivable["page"]
    stack.advance(timedelta(days=1))
    settle()
    # An invoice to be paid by its reader: no card is charged for it, however long it waits.
    assert len(reader.stripe_list("charges", customer=customer.id)) == charges

    stack.stripe.v1.invoices.pay(receivable["invoice"], {"payment_method": "pm_card_visa"})
    settle()
    account = customer.account()
    assert account["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    assert account["standing"] == "suspended"
    path = f"/v1/staff/accounts/{customer.id}/suspensions/{dispute}"
    ask(stack, 200, "DELETE", path, staff_token(stack, "approver"))
    settle()
    assert customer.access()["entitled"]
    assert customer.at_stripe()["pause_collection"] is None


def test_a_suspected_payment_goes_back_by_a_persons_word_once(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(**MONTHLY)
    charge = paying_charge(stack, customer.subscription)
    control(stack, "POST", "early_fraud_warnings", {"charge": charge})
    settle()
    assert customer.refunds() == []
    approver = staff_token(stack, "approver")
    path = f"/v1/staff/accounts/{customer.id}"
    (warned,) = ask(stack, 200, "GET", path, approver).json()["early_warnings"]
    assert (warned["kind"], warned["state"]) == ("fraud_warning", "asked")
    decide = f"{path}/early-warnings/{charge}/decisions"
    ask(stack, 202, "POST", decide, approver, body={"decision": "refund"}, headers=keyed())
    settle()
    ask(stack, 409, "POST", decide, approver, body={"decision": "refund"}, headers=keyed())
    assert customer.refunds() == [4_900]
    # What the bank disputes all the same is known to have left twice.
    dispute = opened(customer, "chargeback")
    settle()
    shown = ask(stack, 200, "GET", f"{path}/disputes/{dispute}", approver).json()
    assert shown["exposure"] == 4_900
