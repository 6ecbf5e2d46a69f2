"""Other ways in, on the stack: a mail that is paid, an outage for many, a guest's declaration."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from infrastructure.local.redelivery import quick_redelivery
from infrastructure.local.stack import Stack
from tests.scenarios.customers import Customer, ask
from tests.scenarios.people import (
    OUTAGE_SIZE,
    deliver_mail,
    mail,
    plan_death,
    refunds_of,
    report_on_the_bus,
    settle_in_sight,
    staff_token,
    subscribe_many,
)

pytestmark = pytest.mark.stack

Json = dict[str, Any]
Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
PRICE = 3_100


def number_of(customer: Customer) -> tuple[str, str]:
    """Number and id of the customer's invoice."""
    invoices: Any = customer.stack.stripe.v1.invoices
    invoice = invoices.list({"customer": customer.id}).data[0]
    return invoice.number, invoice.id


def pay_again(customer: Customer, amount: int) -> str:
    """Pay once more, past the invoice."""
    api: Any = customer.stack.stripe.v1
    owner = api.customers.retrieve(customer.id)
    return str(
        api.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": owner.invoice_settings.default_payment_method,
                "confirm": True,
            }
        ).id
    )


@pytest.mark.clause("rtc.intake")
@pytest.mark.clause("voip.billing_error")
@pytest.mark.clause("itservices.request")
def test_a_mail_becomes_a_case_with_its_facts_and_is_paid(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(interval="month", amount=4_900)
    number, _ = number_of(customer)
    twice = pay_again(customer, 4_900)
    subject = f"Re: Refund Request: {number}"

    # Nobody else's mail opens anything, proven or not; a wrong subject is answered.
    stranger = "stranger@example.org"
    assert deliver_mail(stack, mail(stranger, subject), stranger) == {"not_matched": 1}
    forged = deliver_mail(stack, mail(customer.email, subject), "x@evil.example", dmarc="FAIL")
    assert forged == {"unproven": 1}
    wrong = deliver_mail(stack, mail(customer.email, "My bill"), customer.email)
    assert wrong == {"without_number": 1}
    assert customer.ask(200, "GET", "/v1/refund-requests")["data"] == []

    raw = mail(customer.email, subject)
    assert deliver_mail(stack, raw, customer.email) == {"case_opened": 1}
    settle()
    (case,) = customer.ask(200, "GET", "/v1/refund-requests")["data"]
    assert (case["state"], case["channel"]) == ("under_review", "email")
    assert not case["ground_stated"]
    assert [e["state"] for e in case["evidence"]] == ["stored"]

    agent = staff_token(stack, "agent")
    path = f"/v1/staff/cases/{customer.id}/{case['id']}"
    seen: Json = ask(stack, 200, "GET", path, agent).json()
    assert twice in seen["invoices"]
    found = {"verified": True, "reason": "paid twice, as the statement shows"}
    found |= {"ground": "billing_error"}
    seen = ask(stack, 200, "POST", f"{path}/findings", agent, body=found).json()
    assert (seen["quote"]["outcome"], seen["quote"]["total"]) == ("granted", 4_900)
    because = [e["saw"]["because"] for e in seen["quote"]["trace"] if "because" in e["saw"]]
    assert [one[0]["kind"] for one in because] == ["double_payment"]
    consent = {"decide": "approve", "digest": seen["digest"], "reason": "it is right"}
    ask(stack, 200, "POST", f"{path}/decision", agent, body=consent)
    settle()

    assert customer.ask(200, "GET", f"/v1/refund-requests/{case['id']}")["state"] == "paid"
    refunds: Any = stack.stripe.v1.refunds
    assert [r.amount for r in refunds.list({"payment_intent": twice}).data] == [4_900]
    assert customer.refunds() == []
    answers = [m.to for m in stack.mails() if "could not match" in m.subject]
    assert answers == [stranger]


@pytest.mark.clause("voip.disruption")
def test_an_outage_is_made_good_to_everybody_once_though_workers_die(stack: Stack):
    product, customers = subscribe_many(stack, OUTAGE_SIZE, PRICE)
    settle_in_sight(stack, f"{OUTAGE_SIZE} subscriptions")
    invoices: Any = stack.stripe.v1.invoices
    period = invoices.list({"customer": customers[0]}).data[0].lines.data[0].period
    stack.advance(timedelta(hours=12))
    started = stack.now().replace(microsecond=0) - timedelta(hours=8)
    ended = started + timedelta(hours=6)
    report = {
        "reference": f"noc-{product[-8:]}",
        "services": [product],
        "started_at": started.isoformat(),
        "ended_at": ended.isoformat(),
        "attribution": "vendor",
        "beyond_sla": True,
        "source": "monitoring",
    }
    agent, approver = staff_token(stack, "agent"), staff_token(stack, "approver")
    # Heard of on the bus while it lasts; its end over the API, and again, which is the same.
    report_on_the_bus(stack, report | {"ended_at": None, "attribution": None, "beyond_sla": None})
    for _ in range(2):
        ask(stack, 200, "POST", "/v1/incidents", stack.service_token(), body=report)
    shown: Json = ask(stack, 200, "GET", f"/v1/staff/incidents/{report['reference']}", agent).json()
    assert [r["by"].partition(":")[0] for r in shown["revisions"]] == ["bus", "service"]
    batches = f"/v1/staff/incidents/{report['reference']}/credit-batches"
    batch: Json = ask(stack, 202, "POST", batches, agent, body={}).json()
    settle_in_sight(stack, "proposals")

    exact = Fraction(PRICE * 6 * 3600, period.end - period.start)
    credit = int(exact + Fraction(1, 2))
    path = f"/v1/staff/credit-batches/{batch['id']}"
    batch = ask(stack, 200, "GET", path, agent).json()
    assert batch["complete"]
    assert batch["counts"] == [{"state": "proposed", "count": OUTAGE_SIZE}]
    assert batch["totals"] == [{"currency": "usd", "amount": OUTAGE_SIZE * credit}]
    assert refunds_of(stack, customers) == {customer: [] for customer in customers}

    plan_death(stack, customers[1], function="perform_effect", call="TransactWriteItems")
    plan_death(stack, customers[2], function="perform_effect", call="POST /v1/refunds")
    consent = {"digest": batch["digest"], "reason": "outage confirmed"}
    with quick_redelivery(stack):
        for token in (agent, approver):
            batch = ask(stack, 202, "POST", f"{path}/approvals", token, body=consent).json()
            if batch["state"] != "proposed":
                break
            assert batch["needs"] == "two_people"
        for _ in range(4):
            settle_in_sight(stack, "credits")
            stack.advance(timedelta(minutes=3))
            stack.fire_schedule()
        settle_in_sight(stack, "what workers had left behind")

    batch = ask(stack, 200, "GET", path, agent).json()
    assert batch["counts"] == [{"state": "carried_out", "count": OUTAGE_SIZE}]
    assert (batch["state"], batch["carried_out"]) == ("released", batch["totals"])
    paid = refunds_of(stack, customers)
    assert paid == {customer: [credit] for customer in customers}
    assert sum(sum(one) for one in paid.values()) == batch["totals"][0]["amount"]


@pytest.mark.clause("eu.withdrawal")
def test_a_guests_declaration_is_confirmed_becomes_a_case_and_is_refunded(
    stack: Stack, newcomer: Newcomer, settle: Settle
):
    customer = newcomer(interval="month", amount=4_900)
    number, _ = number_of(customer)
    body = {"kind": "withdrawal", "name": "A", "contract": number, "email": customer.email}
    declared: Json = ask(stack, 202, "POST", "/v1/declarations", body=body).json()
    settle()
    receipt = next(m for m in customer.mails() if declared["id"] in m)
    assert datetime.fromisoformat(declared["received_at"]).strftime("%Y-%m-%d %H:%M:%S") in receipt
    assert customer.ask(200, "GET", "/v1/refund-requests")["data"] == []
    (code,) = (c for c in re.findall(r"\b[0-9A-Z]{26}\b", receipt) if c != declared["id"])
    path = f"/v1/declarations/{declared['id']}/confirmations"
    ask(stack, 404, "POST", path, body={"code": "WRONG"})
    confirmed: Json = ask(stack, 200, "POST", path, body={"code": code}).json()
    assert confirmed["state"] == "matched"
    settle()
    (case,) = customer.ask(200, "GET", "/v1/refund-requests")["data"]
    assert (case["ground"], case["opened_at"]) == ("withdrawal", declared["received_at"])
    assert customer.refunds() == []

    agent = staff_token(stack, "agent")
    staff_path = f"/v1/staff/cases/{customer.id}/{case['id']}"
    who = {"country": "FR", "consumer": True}
    law = {"informed": True, "started_on_request": False, "loss_waiver": False}
    found = {"customer": who, "withdrawal": law, "reason": "a consumer in France"}
    seen: Json = ask(stack, 200, "POST", f"{staff_path}/findings", agent, body=found).json()
    assert (seen["quote"]["outcome"], seen["quote"]["total"]) == ("granted", 4_900)
    consent = {"decide": "approve", "digest": seen["digest"], "reason": "withdrawn in time"}
    ask(stack, 200, "POST", f"{staff_path}/decision", agent, body=consent)
    settle()
    assert customer.refunds() == [4_900]
