"""Lives of customers on a local stack whose workers may die at any moment.

They come by Stripe's API and act by the deployed one as clients do that get no answer: again, under
the same key, until there is one.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

import requests

from infrastructure.local.at_stripe import open_dispute, paying_charge, settle_dispute
from infrastructure.local.stack import Stack
from infrastructure.local.world import Person, Plan, add_customer, subscribe
from infrastructure.proof.wire.promises import Promise

Json = dict[str, Any]

PRICES = {"year": 120_000, "month": 2_900}
# A subscription is known here once its webhook has come through.
PATIENT_SECONDS, WAIT_SECONDS = 120.0, 0.3
NOT_YET = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(slots=True)
class Life:
    """One customer with one subscription."""

    stack: Stack
    kind: Kind
    customer: str
    subscription: str
    token: str
    begun: datetime
    has_acted: bool = False
    cancellation: Json = field(default_factory=dict)

    def quote(self, timing: str) -> Json:
        """What cancelling would bring, as soon as the subscription is known here."""
        wanted = {"subscription": self.subscription, "timing": timing}
        return self.ask("POST", "/v1/quotes", body=wanted)

    def confirm(self, timing: str) -> None:
        """Cancel as quoted."""
        quote = self.quote(timing)
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"quote_id": quote["id"]}
        self.cancellation = self.ask("POST", "/v1/cancellations", body=body, headers=headers)

    def take_back(self) -> None:
        """Take the cancellation back."""
        self.ask("DELETE", f"/v1/cancellations/{self.cancellation['id']}")

    def charge_back(self, outcome: str | None = None) -> None:
        """See the quote, and let the bank take the money instead; it decides if it is told how."""
        self.quote("at_period_end")
        dispute = open_dispute(
            self.stack, paying_charge(self.stack, self.subscription), "chargeback"
        )
        if outcome:
            settle_dispute(self.stack, dispute, outcome)

    def ask(self, method: str, path: str, **sent: Any) -> Json:
        """The answer of the API with the customer's token."""
        return ask(self.stack, self.token, method, path, **sent)

    def promises(self) -> list[Promise]:
        """What the customer was told would come back, at the confirmation."""
        return [
            Promise(self.customer, "", one["id"], one["payment"], one["amount"])
            for one in self.cancellation.get("refunds", ())
        ]

    def shown(self) -> Json:
        """The cancellation as it stands."""
        return self.ask("GET", f"/v1/cancellations/{self.cancellation['id']}")

    def at_stripe(self) -> Json:
        """The subscription at Stripe."""
        plain: Json = self.stack.stripe.v1.subscriptions.retrieve(self.subscription).to_dict()
        return plain


@dataclass(frozen=True, slots=True)
class Kind:
    """What a customer does, and what has become of it in the end: the expected equals the seen."""

    name: str
    interval: Literal["month", "year"]
    act: Callable[[Life], None]
    end: tuple[object, ...]
    seen: Callable[[Life], tuple[object, ...]]


def _now(life: Life) -> None:
    life.confirm("immediately")


def _at_the_end(life: Life) -> None:
    life.confirm("at_period_end")


def _and_back(life: Life) -> None:
    life.confirm("at_period_end")
    life.take_back()


def _ended(life: Life) -> tuple[object, ...]:
    return life.shown()["state"], life.at_stripe()["status"]


def _refunded(life: Life) -> tuple[object, ...]:
    shown = life.shown()
    notes = life.stack.stripe.v1.credit_notes.list({"customer": life.customer})
    named = [one["credit_note"] for one in shown["refunds"]]
    states = {one["status"] for one in shown["refunds"]}
    return *_ended(life), states, [one.id for one in notes.data] == named


def _renewing(life: Life) -> tuple[object, ...]:
    at_stripe = life.at_stripe()
    return life.shown()["state"], at_stripe["status"], at_stripe["cancel_at_period_end"]


def _standing(life: Life) -> tuple[object, ...]:
    paused = life.at_stripe()["pause_collection"] is not None
    return life.ask("GET", "/v1/account")["standing"], paused


NOW = Kind("now", "year", _now, ("executed", "canceled", {"succeeded"}, True), _refunded)
# In the order in which they come.
KINDS = (
    NOW,
    Kind("at the end", "month", _at_the_end, ("executed", "canceled"), _ended),
    NOW,
    Kind("taken back", "month", _and_back, ("withdrawn", "active", False), _renewing),
    NOW,
    Kind("charged back", "month", Life.charge_back, ("suspended", True), _standing),
    Kind("won", "month", lambda life: life.charge_back("won"), ("good", False), _standing),
)


def begin(stack: Stack, kind: Kind) -> Life:
    """A new customer who pays, signed in."""
    email = f"{uuid.uuid4().hex}@example.com"
    begins = stack.now().replace(microsecond=0)
    plan = Plan("Calls", "usd", PRICES[kind.interval], kind.interval, begins)
    customer = add_customer(stack, Person("Ann Archer", email, (plan,)))
    subscription = subscribe(stack, customer, plan)
    link = {
        "issuer": stack.outputs["Issuer"],
        "subject": stack.logins.create(email),
        "customer": customer,
    }
    ask(stack, stack.service_token(), "POST", "/v1/identities", body=link)
    return Life(stack, kind, customer, subscription, stack.sign_in(email).access, begins)


def ask(stack: Stack, token: str, method: str, path: str, **sent: Any) -> Json:
    """Ask again while something has broken or has not come through; raise what stays refused."""
    deadline = time.monotonic() + PATIENT_SECONDS
    while True:
        try:
            answer = stack.call(method, path, token=token, **sent)
            status, text = answer.status_code, answer.text
        except requests.RequestException as lost:
            status, text = int(HTTPStatus.GATEWAY_TIMEOUT), str(lost)
        if status < HTTPStatus.BAD_REQUEST:
            document: Json = json.loads(text)
            return document
        again = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in NOT_YET
        if not again or time.monotonic() > deadline:
            message = f"{method} {path} answered {status}: {text}"
            raise RuntimeError(message)
        time.sleep(WAIT_SECONDS)
