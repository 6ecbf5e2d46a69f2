"""What the deployed API answers is what openapi.yaml says, status by status."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from infrastructure.local.stack import Stack
from infrastructure.local.world import Person, Plan, add_customer, subscribe
from tests.infrastructure.openapi import assert_answer_fits

pytestmark = pytest.mark.stack

Ask = Callable[..., dict[str, Any]]
SETTLE_SECONDS = 60


@pytest.fixture(scope="module")
def ask(stack: Stack) -> Ask:
    """Sends a request, expects a status, and holds the answer against the document."""

    def send(expected: int, method: str, path: str, token: str | None = None, **sent: Any):
        response = stack.call(method, path, token=token, **sent)
        body: dict[str, Any] = response.json()
        assert response.status_code == expected, body
        assert_answer_fits(method, path, response.status_code, response.headers, body)
        return body

    return send


@pytest.fixture(scope="module")
def customer(stack: Stack) -> Person:
    """A customer with two subscriptions and a login that is not linked yet."""
    plan = Plan("Answers", "usd", 4_900, "month", stack.now(), ("19", False))
    person = Person("Ada Answer", "answers@example.com", (plan, plan))
    customer = add_customer(stack, person)
    made = tuple(subscribe(stack, customer, plan) for plan in person.plans)
    stack.settle(SETTLE_SECONDS)
    return Person(person.name, person.email, person.plans, customer, made)


def test_every_answer_of_a_customers_day_fits(stack: Stack, ask: Ask, customer: Person):
    subject = stack.logins.create(customer.email)
    token, service = stack.sign_in(customer.email).access, stack.service_token()
    identity = {
        "issuer": stack.outputs["Issuer"],
        "subject": subject,
        "customer": customer.customer,
    }
    first, second = customer.subscriptions

    ask(403, "GET", "/v1/account", token)
    ask(201, "POST", "/v1/identities", service, body=identity)
    ask(200, "POST", "/v1/identities", service, body=identity)
    ask(409, "POST", "/v1/identities", service, body=identity | {"customer": "cus_other"})
    ask(200, "GET", "/v1/account", token)
    ask(200, "GET", "/v1/subscriptions", token)
    ask(200, "GET", f"/v1/access/{customer.customer}", service)

    at_end = {"subscription": first, "timing": "at_period_end"}
    quote = ask(201, "POST", "/v1/quotes", token, body=at_end)
    confirmed = {"quote_id": quote["id"], "reason": "too_expensive"}
    key = {"Idempotency-Key": str(uuid4())}
    scheduled = ask(202, "POST", "/v1/cancellations", token, body=confirmed, headers=key)
    ask(202, "POST", "/v1/cancellations", token, body=confirmed, headers=key)
    ask(409, "POST", "/v1/cancellations", token, body=confirmed | {"reason": "x"}, headers=key)
    again = {"Idempotency-Key": str(uuid4())}
    used = ask(409, "POST", "/v1/cancellations", token, body=confirmed, headers=again)
    assert used["cancellation"] == scheduled["id"]
    ask(409, "POST", "/v1/quotes", token, body=at_end)
    ask(200, "GET", f"/v1/cancellations/{scheduled['id']}", token)
    ask(200, "GET", "/v1/subscriptions", token)
    ask(200, "DELETE", f"/v1/cancellations/{scheduled['id']}", token)
    ask(200, "DELETE", f"/v1/cancellations/{scheduled['id']}", token)

    now = {"subscription": second, "timing": "immediately"}
    confirmed = {"quote_id": ask(201, "POST", "/v1/quotes", token, body=now)["id"]}
    ended = ask(202, "POST", "/v1/cancellations", token, body=confirmed, headers=again)
    stack.settle(SETTLE_SECONDS)
    ask(200, "GET", f"/v1/cancellations/{ended['id']}", token)
    ask(200, "GET", "/v1/subscriptions", token)


def test_every_refusal_fits(stack: Stack, ask: Ask):
    email = "refused@example.com"
    identity = {
        "issuer": stack.outputs["Issuer"],
        "subject": stack.logins.create(email),
        "customer": "cus_refused",
    }
    service = stack.service_token()
    ask(201, "POST", "/v1/identities", service, body=identity)
    token = stack.sign_in(email)
    key = {"Idempotency-Key": str(uuid4())}
    absent = "0" * 26
    quote = {"subscription": "sub_absent", "timing": "immediately"}

    ask(400, "POST", "/webhooks/stripe", body={"id": "evt_1"})
    ask(401, "GET", "/v1/account")
    ask(401, "GET", "/v1/subscriptions", token.id)
    ask(400, "POST", "/v1/quotes", token.access, body={"subscription": 1})
    ask(404, "POST", "/v1/quotes", token.access, body=quote)
    ask(400, "POST", "/v1/cancellations", token.access, body={"quote_id": absent})
    ask(400, "POST", "/v1/cancellations", token.access, body={"amount": 1}, headers=key)
    ask(404, "POST", "/v1/cancellations", token.access, body={"quote_id": absent}, headers=key)
    ask(404, "GET", f"/v1/cancellations/{absent}", token.access)
    ask(404, "DELETE", f"/v1/cancellations/{absent}", token.access)
    ask(403, "GET", "/v1/access/cus_refused", token.access)
    ask(404, "GET", "/v1/access/cus_refused", service)
    ask(403, "POST", "/v1/identities", token.access, body=identity)
    ask(400, "POST", "/v1/identities", service, body={})
