"""What the story's people and the world around them can do: sign in, ask, wait, deliver."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from infrastructure.local.errors import LaunchError
from infrastructure.local.stack import STRIPE_KEY, Stack
from infrastructure.local.story_voice import Voice
from infrastructure.local.world import Person, Plan
from tests.verifier.arithmetic import Sale
from tests.verifier.reader import Reader
from tests.verifier.table import Table

Json = dict[str, Any]

PATIENT_SECONDS, LOST_SECONDS = 45.0, 1.0
MONTHS = {"month": 1, "year": 12}


class Visitor:
    """A customer who is signed in."""

    def __init__(self, stack: Stack, email: str) -> None:
        """Sign in."""
        self._stack = stack
        self.token = stack.sign_in(email).access

    def get(self, path: str) -> Json:
        """Return a document of the API."""
        return self._call("GET", path, None, {})

    def post(self, path: str, body: Json) -> Json:
        """Send a document to the API, under a key of its own; its answer."""
        return self._call("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def quote(self, subscription: str, timing: str) -> Json:
        """Ask what a cancellation would bring."""
        body = {"subscription": subscription, "timing": timing}
        return self._call("POST", "/v1/quotes", body, {})

    def confirm(self, quote: Json) -> Json:
        """Cancel as quoted."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return self._call("POST", "/v1/cancellations", {"quote_id": quote["id"]}, key)

    def withdraw(self, cancellation: str) -> Json:
        """Take a cancellation back."""
        return self._call("DELETE", f"/v1/cancellations/{cancellation}", None, {})

    def _call(self, method: str, path: str, body: object, headers: dict[str, str]) -> Json:
        answer = self._stack.call(method, path, token=self.token, body=body, headers=headers)
        if not answer.ok:
            raise LaunchError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        document: Json = answer.json()
        return document


@dataclass(slots=True)
class Scene:
    """Everything that a part of the story needs."""

    stack: Stack
    voice: Voice
    reader: Reader
    table: Table = field(default_factory=Table)
    patience: float = PATIENT_SECONDS

    def until(self, what: str, happened: Callable[[], bool]) -> None:
        """Wait for something, for a limited time; what does not come is told and shown later.

        Once something did not come there is no point in waiting long for all that follows from it.
        """
        deadline = time.monotonic() + self.patience
        while not happened():
            if time.monotonic() > deadline:
                self._give_up(f"{what} did not come within {self.patience:g} s")
                return
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until nothing is under way, as long as there is hope."""
        try:
            self.stack.settle(self.patience)
        except TimeoutError as trouble:
            self._give_up(str(trouble))

    def mails_to(self, email: str) -> tuple[str, ...]:
        """Return the texts of the mails that somebody has got."""
        return tuple(f"{m.subject}\n{m.text}" for m in self.stack.mails() if m.to == email)

    def _give_up(self, trouble: str) -> None:
        self.stack.check()
        self.voice.trouble(trouble)
        self.patience = LOST_SECONDS


def reader_for(stack: Stack) -> Reader:
    """Return the verifier's eyes on a running stack."""
    return Reader(
        api=stack.api_url,
        stripe=stack.stripe_url,
        stripe_key=STRIPE_KEY,
        service_token=stack.service_token(),
    )


def sales_of(person: Person) -> tuple[Sale, ...]:
    """Return what a person has bought, in the verifier's words."""
    first_name = person.name.split()[0]
    pairs = zip(person.plans, person.subscriptions, strict=True)
    return tuple(_sale(first_name, person.customer, plan, bought) for plan, bought in pairs)


def _sale(name: str, customer: str, plan: Plan, subscription: str) -> Sale:
    percent, inclusive = plan.tax or (None, False)
    return Sale(
        name=name,
        customer=customer,
        subscription=subscription,
        currency=plan.currency,
        price=plan.amount,
        months=MONTHS[plan.interval],
        start=plan.start,
        percent=percent,
        inclusive=inclusive,
    )


# ------------------------------------------------------------------ the world around them


def leave_unpaid(stack: Stack, customer: str, currency: str, amount: int) -> str:
    """Make an invoice that Stripe will collect within the hour; return its id."""
    api = stack.stripe.v1
    api.invoice_items.create(
        {"customer": customer, "amount": amount, "currency": currency, "description": "A number"}
    )
    invoice = api.invoices.create(
        {
            "customer": customer,
            "currency": currency,
            "auto_advance": True,
            "pending_invoice_items_behavior": "include",
        }
    )
    api.invoices.finalize_invoice(invoice.id)
    return invoice.id


def signed(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers with which Stripe delivers `body`."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": f"t={timestamp},v1={mac.hexdigest()}",
    }


def deliver(stack: Stack, event: Json) -> requests.Response:
    """Deliver an event as Stripe does, signed now."""
    body = json.dumps(event).encode()
    headers = signed(stack.webhook_secret, body, int(stack.now().timestamp()))
    return requests.post(stack.webhook_url, data=body, headers=headers, timeout=30)


def switch_consumer(stack: Stack, queue: str, *, on: bool) -> None:
    """Switch the consumer of a queue on or off."""
    url = stack.outputs[f"{queue}Url"]
    attributes = stack.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    functions = stack.aws("lambda")
    [mapping] = functions.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


@contextmanager
def held_back(stack: Stack, *queues: str) -> Iterator[None]:
    """Keep the consumers of queues from their messages for a while, as an outage would."""
    for queue in queues:
        switch_consumer(stack, queue, on=False)
    try:
        yield
    finally:
        for queue in queues:
            switch_consumer(stack, queue, on=True)
