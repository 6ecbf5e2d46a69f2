"""Lives of customers in which a function dies once, at a place that is planned beforehand."""

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from infrastructure.local.at_stripe import control, open_dispute, paying_charge, settle_dispute
from infrastructure.local.errors import LaunchError
from infrastructure.local.stack import Stack
from tests.scenarios.customers import Customer, join

Json = dict[str, Any]

# A hundred lives and as many deaths at once take their time on two cores.
SETTLE_SECONDS = 600
TRIES = 5
SWEEPS = 12
LONGER_THAN_THE_SWEEP = timedelta(minutes=3)
DASHBOARD_REFUND = 700


@dataclass(frozen=True, slots=True)
class Death:
    """Which call of which function a worker dies before or after; see `crash_points.py`."""

    when: str
    call: str | None = None
    holding: str = ""
    function: str | None = None
    nth: int = 1

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.function, self.call, self.holding)))
        return f"{self.when} {place or 'change'} {self.nth}"


@dataclass(slots=True)
class Life:
    """One customer with one planned death, in the course of a flow."""

    customer: Customer
    flow: "Flow"
    death: Death
    plan: Path
    cancellation: str = ""
    notes: Json = field(default_factory=dict)

    def deaths(self) -> int:
        """How often the planned place was come to."""
        counter = self.plan.with_suffix(".count")
        return counter.stat().st_size if counter.exists() else 0

    def confirm(self, timing: str) -> None:
        """Cancel, as a client does that gets no answer: again with its key."""
        wanted = {"subscription": self.customer.subscription, "timing": timing}
        quote = self.ask("POST", "/v1/quotes", body=wanted)
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        path, body = "/v1/cancellations", {"quote_id": quote["id"]}
        self.cancellation = self.ask("POST", path, body=body, headers=headers)["id"]

    def ask(self, method: str, path: str, **sent: Any) -> Json:
        """Ask again while the answer is that something has broken."""
        for _ in range(TRIES):
            answer = self.customer.stack.call(method, path, token=self.customer.token, **sent)
            if answer.status_code < requests.codes.server_error:
                break
        assert answer.ok, f"{self.death}: {answer.status_code} {answer.text}"
        document: Json = answer.json()
        return document

    def shown(self) -> Json:
        """The cancellation as it stands."""
        return self.ask("GET", f"/v1/cancellations/{self.cancellation}")

    def refunds(self) -> list[Json]:
        """The refunds at Stripe that have not failed."""
        found = self.customer.stack.stripe.v1.refunds.list(
            {"payment_intent": self.customer.payment()}
        )
        plain = [one.to_dict() for one in found.data]
        return [one for one in plain if one["status"] not in ("failed", "canceled")]

    def credit_notes(self) -> int:
        """How many credit notes there are at Stripe."""
        found = self.customer.stack.stripe.v1.credit_notes.list({"customer": self.customer.id})
        return len(found.data)


Step = Callable[[Life], None]


@dataclass(frozen=True, slots=True)
class Flow:
    """What happens in a life, step by step, and when it has come to its end."""

    name: str
    steps: tuple[Step, ...]
    is_done: Callable[[Life], bool]
    refunds: int = 0
    credit_notes: int = 0
    interval: str = "year"


def _late_failure(life: Life) -> None:
    [refund] = life.shown()["refunds"]
    failure = {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    control(life.customer.stack, "POST", f"refunds/{refund['stripe_refund']}", failure)


def _dispute(life: Life) -> None:
    stack = life.customer.stack
    charge = paying_charge(stack, life.customer.subscription)
    life.notes["dispute"] = open_dispute(stack, charge, "chargeback")


def _win(life: Life) -> None:
    settle_dispute(life.customer.stack, life.notes["dispute"], "won")


def _refund_in_dashboard(life: Life) -> None:
    api = life.customer.stack.stripe.v1
    params: Any = {"payment_intent": life.customer.payment(), "amount": DASHBOARD_REFUND}
    api.refunds.create(params)


def _take_back(life: Life) -> None:
    life.ask("DELETE", f"/v1/cancellations/{life.cancellation}")


def _state(*states: str) -> Callable[[Life], bool]:
    return lambda life: life.shown()["state"] in states


def _stripe_renews(life: Life) -> bool:
    withdrawn = life.shown()["state"] == "withdrawn"
    return withdrawn and not life.customer.at_stripe()["cancel_at_period_end"]


def _set_to_end(life: Life) -> bool:
    scheduled = life.shown()["state"] == "scheduled"
    return scheduled and bool(life.customer.at_stripe()["cancel_at_period_end"])


def _standing(wanted: str, *, paused: bool) -> Callable[[Life], bool]:
    def is_done(life: Life) -> bool:
        held = life.customer.at_stripe()["pause_collection"] is not None
        return bool(life.ask("GET", "/v1/account")["standing"] == wanted and held is paused)

    return is_done


def _failed(life: Life) -> bool:
    [refund] = life.shown()["refunds"]
    return bool(life.shown()["state"] == "needs_person" and refund["problem"] == "did_not_arrive")


CANCEL_NOW = Flow(
    "cancel now",
    (lambda life: life.confirm("immediately"),),
    _state("executed"),
    refunds=1,
    credit_notes=1,
)
FLOWS = (
    CANCEL_NOW,
    Flow("cancel at the end", (lambda life: life.confirm("at_period_end"),), _set_to_end),
    Flow("take back", (lambda life: life.confirm("at_period_end"), _take_back), _stripe_renews),
    Flow("suspend", (_dispute,), _standing("suspended", paused=True)),
    Flow("reinstate", (_dispute, _win), _standing("good", paused=False)),
    Flow("dashboard refund", (_refund_in_dashboard,), lambda _: True, refunds=1),
    Flow(
        "late failure",
        (lambda life: life.confirm("immediately"), _late_failure),
        _failed,
        credit_notes=1,
    ),
)


def born(stack: Stack, flow: Flow, deaths: Sequence[Death]) -> list[Life]:
    """A new customer for each death, whose functions will die as planned."""
    customers = [join(stack, interval=flow.interval, settle=False) for _ in deaths]
    stack.settle(SETTLE_SECONDS)
    return [
        Life(customer, flow, death, _plan(customer, flow, death))
        for customer, death in zip(customers, deaths, strict=True)
    ]


def _plan(customer: Customer, flow: Flow, death: Death) -> Path:
    """Let the functions that work for a customer know of the death."""
    invoice = str(customer.at_stripe()["latest_invoice"])
    about = [customer.id, customer.subscription, customer.payment(), invoice]
    name = f"{flow.name.replace(' ', '_')}_{uuid.uuid4().hex[:8]}"
    plan = customer.stack.directory / "crashes" / f"{name}.json"
    document = {
        "function": death.function,
        "call": death.call,
        "about": about,
        "holding": death.holding,
        "nth": death.nth,
        "when": death.when,
    }
    unfinished = plan.with_suffix(".new")
    unfinished.write_text(json.dumps(document))
    unfinished.rename(plan)
    return plan


def live(stack: Stack, lives: list[Life]) -> None:
    """Let all lives run to their ends, each step of all of them before the next."""
    for step in range(max(len(life.flow.steps) for life in lives)):
        for life in lives:
            if step < len(life.flow.steps):
                life.flow.steps[step](life)
        last = step == max(len(life.flow.steps) for life in lives) - 1
        _calm(stack, [] if not last else lives)
    for life in lives:
        life.plan.unlink()


def _calm(stack: Stack, lives: list[Life]) -> None:
    """Wait until all is quiet; sweep as often as it takes for the lives to be done."""
    for _ in range(SWEEPS):
        stack.settle(SETTLE_SECONDS)
        if lives and all(life.flow.is_done(life) for life in lives):
            return
        stack.advance(LONGER_THAN_THE_SWEEP)
        _sweep(stack)
        stack.settle(SETTLE_SECONDS)
        if not lives:
            return


def _sweep(stack: Stack) -> None:
    for _ in range(TRIES):
        try:
            stack.fire_schedule()
        except LaunchError:
            continue  # it died as planned; the next minute does the same work
        return
