"""People for the scenarios: each test makes its own, through Stripe's API and the deployed one."""

import itertools
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import requests

from infrastructure.local.at_stripe import paying_charge
from infrastructure.local.stack import Stack
from infrastructure.local.story_tools import sales_of
from infrastructure.local.world import Person, Plan, add_customer, subscribe
from tests.infrastructure.openapi import assert_answer_fits
from tests.verifier.arithmetic import Sale

Json = dict[str, Any]
Tax = tuple[str, bool] | None

SETTLE_SECONDS = 60
NAMES = itertools.count(1)
# What everybody gets who pays for the first time.
WELCOME = "Your account is active"


def ask(
    stack: Stack, expected: int, method: str, path: str, token: str | None = None, **sent: Any
) -> requests.Response:
    """Send a request, demand a status, and hold the answer against openapi.yaml."""
    response = stack.call(method, path, token=token, **sent)
    assert expected == response.status_code, response.text
    assert_answer_fits(method, path, response.status_code, response.headers, response.json())
    return response


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with subscriptions, a login and a link between them."""

    stack: Stack
    email: str
    id: str
    sales: tuple[Sale, ...]
    token: str

    @property
    def subscription(self) -> str:
        """The first subscription."""
        return self.sales[0].subscription

    @property
    def sale(self) -> Sale:
        """What was sold first."""
        return self.sales[0]

    def ask(self, expected: int, method: str, path: str, **sent: Any) -> Json:
        """Send a request with the customer's token; return the checked answer's body."""
        body: Json = ask(self.stack, expected, method, path, self.token, **sent).json()
        return body

    def quote(self, timing: str = "immediately", *, expected: int = 201) -> Json:
        """Ask what cancelling the first subscription would bring."""
        body = {"subscription": self.subscription, "timing": timing}
        return self.ask(expected, "POST", "/v1/quotes", body=body)

    def confirm(self, quote: Json, *, expected: int = 202, key: str | None = None) -> Json:
        """Confirm a quote, with a fresh key unless one is given."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        body = {"quote_id": quote["id"]}
        return self.ask(expected, "POST", "/v1/cancellations", body=body, headers=headers)

    def withdraw(self, cancellation: Json, *, expected: int = 200) -> Json:
        """Take a cancellation back."""
        return self.ask(expected, "DELETE", f"/v1/cancellations/{cancellation['id']}")

    def cancellation(self, cancellation: Json) -> Json:
        """A cancellation as it stands."""
        return self.ask(200, "GET", f"/v1/cancellations/{cancellation['id']}")

    def account(self) -> Json:
        """Standing and balances."""
        return self.ask(200, "GET", "/v1/account")

    def shown(self) -> Json:
        """The first subscription as the customer sees it."""
        data: list[Json] = self.ask(200, "GET", "/v1/subscriptions")["data"]
        return next(one for one in data if one["id"] == self.subscription)

    def access(self) -> Json:
        """What the company's service is told."""
        token = self.stack.service_token()
        body: Json = ask(self.stack, 200, "GET", f"/v1/access/{self.id}", token).json()
        return body

    def at_stripe(self) -> Json:
        """The first subscription at Stripe."""
        found = self.stack.stripe.v1.subscriptions.retrieve(self.subscription)
        plain: Json = found.to_dict()
        return plain

    def payment(self) -> str:
        """The payment intent that paid the first subscription's latest invoice."""
        charge = paying_charge(self.stack, self.subscription)
        return str(self.stack.stripe.v1.charges.retrieve(charge).payment_intent)

    def refunds(self) -> list[int]:
        """What has gone back on that payment."""
        found = self.stack.stripe.v1.refunds.list({"payment_intent": self.payment()})
        return sorted(refund.amount for refund in found.data)

    def mails(self) -> tuple[str, ...]:
        """The mails that came after the welcome, subject and text."""
        return tuple(mail for mail in self.all_mails() if not mail.startswith(WELCOME))

    def all_mails(self) -> tuple[str, ...]:
        """The mails that came, subject and text."""
        return tuple(
            f"{mail.subject}\n{mail.text}" for mail in self.stack.mails() if mail.to == self.email
        )

    def waiting(self) -> list[tuple[str | None, int]]:
        """What waits to be billed, as (description, amount)."""
        params: Any = {"customer": self.id, "pending": True}
        found = self.stack.stripe.v1.invoice_items.list(params)
        return sorted((item.description, item.amount) for item in found.data)

    def let_wait(self, what: str, amount: int, start: datetime, end: datetime, **more: Any) -> None:
        """Add a charge that waits for the next invoice, with any `more` of Stripe's parameters."""
        period = {"start": int(start.timestamp()), "end": int(end.timestamp())}
        params: Any = {
            "customer": self.id,
            "subscription": self.subscription,
            "amount": amount,
            "currency": self.sale.currency,
            "description": what,
            "period": period,
            **more,
        }
        self.stack.stripe.v1.invoice_items.create(params)


def join(
    stack: Stack,
    *,
    amount: int = 120_000,
    currency: str = "usd",
    interval: Any = "year",
    tax: Tax = None,
    subscriptions: int = 1,
    settle: bool = True,
) -> Customer:
    """Make a customer whose subscriptions begin now, with a login that is linked.

    Who makes many lets the stack settle once, after the last.
    """
    number = next(NAMES)
    email = f"customer-{number}-{uuid.uuid4().hex[:8]}@example.com"
    plans = tuple(
        Plan(f"Plan {n + 1}", currency, amount, interval, stack.now().replace(microsecond=0), tax)
        for n in range(subscriptions)
    )
    person = Person(f"Customer {number}", email, plans)
    customer = add_customer(stack, person)
    made = tuple(subscribe(stack, customer, plan) for plan in plans)
    stack.add_customer_login(email, customer)
    if settle:
        stack.settle(SETTLE_SECONDS)
    begun = _as_begun(stack, plans, made)
    sales = sales_of(replace(person, plans=begun, customer=customer, subscriptions=made))
    return Customer(stack, email, customer, sales, stack.sign_in(email).access)


def _as_begun(
    stack: Stack, plans: tuple[Plan, ...], subscriptions: tuple[str, ...]
) -> tuple[Plan, ...]:
    """The plans with the second at which Stripe began each."""
    return tuple(
        replace(plan, start=datetime.fromtimestamp(_start(stack, subscription), UTC))
        for plan, subscription in zip(plans, subscriptions, strict=True)
    )


def _start(stack: Stack, subscription: str) -> int:
    return stack.stripe.v1.subscriptions.retrieve(subscription).start_date
