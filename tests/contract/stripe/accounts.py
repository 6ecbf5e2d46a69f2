"""Two accounts at Stripe that a test cannot tell apart: one simulated, one served over HTTP.

Each arranges what companies and customers arrange, and does what happens at Stripe by itself.
What a test asserts it asks of `billing` alone.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from infrastructure.local.stripe.clock import format_instant
from infrastructure.proof.simulated.faults import Fault, Placed
from infrastructure.proof.simulated.hub import EPOCH, MINUTE
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import Plan, Script
from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.domain.errors import OutcomeUnknownError
from shared.domain.invoice import LineFacts
from shared.ports import Billing

MAIL = "ann@example.com"
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bought:
    """A subscription whose first period was paid (minor units)."""

    customer: str
    subscription: str
    invoice: str
    line: str
    payments: tuple[str, ...]
    end: datetime

    def charge(self, **other: Any) -> dict[str, Any]:
        """A charge of 500 for the day after the period, as `add_charge` takes it."""
        return {
            "customer": self.customer,
            "subscription": self.subscription,
            "amount": 500,
            "currency": "usd",
            "description": "minutes",
            "period_start": self.end.isoformat(),
            "period_end": (self.end + DAY).isoformat(),
            "tax_rates": [],
            "discountable": True,
            **other,
        }

    @property
    def payment(self) -> str:
        """Its first payment."""
        return self.payments[0]


class Account(Protocol):
    """What a test may do besides asking `billing`.

    `buy` pays in parts, some of it from the customer's balance; with `pends` its refunds pend.
    `bill_ahead` bills 300 for the time after the period, and leaves it `draft` or `open`.
    `trouble` is one of cut_before, cut_after, error_done and busy, and befalls changes until the
    end of its block. `held_up` is a change that Stripe has taken and not yet carried out; at the
    end of its block it has.
    """

    @property
    def billing(self) -> Billing: ...
    def now(self) -> datetime: ...
    def until(self, instant: datetime) -> None: ...
    def buy(self, *parts: int, from_balance: int = 0, pends: bool = False) -> Bought: ...
    def bill_ahead(self, bought: Bought, status: str) -> str: ...
    def refund_by_hand(self, payment: str, amount: int) -> str: ...
    def settle(self, refund: str, status: str) -> None: ...
    def dispute(self, payment: str, *, inquiry: bool = False) -> str: ...
    def decide(self, dispute: str, outcome: str) -> None: ...
    def trouble(self, kind: str) -> Any: ...
    def held_up(self, change: Callable[[], object]) -> Any: ...


def bought(account: Account, customer: str, subscription: str) -> Bought:
    """A subscription with its first invoice, as the port shows them."""
    seen = account.billing.subscription(subscription)
    assert seen is not None
    start = seen.items[0].period_start
    (invoice,) = account.billing.subscription_invoices(subscription, start)
    payments = tuple(one.id for one in invoice.payments if one.method == "card")
    end = seen.items[0].period_end
    return Bought(customer, subscription, invoice.id, invoice.lines[0].id, payments, end)


class _Blind:
    """Judges nothing: here nothing was promised."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class _Weather:
    """One fault at each kind of place, while it is set."""

    def __init__(self) -> None:
        self.now: dict[str, Fault] = {}
        self.fired: dict[int, Fault] = {}
        self.number = 0

    def draw(self, place: str) -> Fault | None:
        return self.now.get(place)

    def stop(self) -> None:
        self.now.clear()


class Simulated:
    """The account of a world in which nothing but Stripe lives."""

    faults: ClassVar = {
        "cut_before": Fault.STRIPE_CUT_BEFORE,
        "cut_after": Fault.STRIPE_CUT_AFTER,
        "error_done": Fault.STRIPE_500_DONE,
        "busy": Fault.STRIPE_BUSY,
    }
    steps: ClassVar = {"escalated": "needs_response", "closed": "warning_closed"}

    def __init__(self) -> None:
        self._life = Lifetime("contract", Script("voip", (), ()), Placed({}))
        self._world = self._life.world
        self._stripe = self._world.stripe
        self._weather = _Weather()
        self._world.watch = _Blind()  # type: ignore[assignment]
        self._world.oracle = self._stripe.oracle = self._weather
        self._stripe.deliver = lambda _: None
        self._customers = 0

    @property
    def billing(self) -> Billing:
        """As the next run of a function would have it."""
        return self._world.ports().billing  # type: ignore[no-any-return]

    def now(self) -> datetime:
        return self._world.hub.instant()

    def until(self, instant: datetime) -> None:
        hub = self._world.hub
        hub.run(hub.now + int((instant - hub.instant()) / timedelta(milliseconds=1)))

    def buy(self, *parts: int, from_balance: int = 0, pends: bool = False) -> Bought:
        if pends:
            self._weather.now["refund"] = Fault.REFUND_PENDS
        self._customers += 1
        today = (self.now() - EPOCH) // DAY
        plan = Plan(f"cus_{self._customers}", -today, 30, parts, from_balance, 0)
        self._life.subscribe(plan)
        self._stripe.emails[plan.customer] = MAIL
        return bought(self, plan.customer, plan.subscription)

    def bill_ahead(self, bought: Bought, status: str) -> str:
        facts = self._stripe.subscriptions[bought.subscription]
        end = bought.end
        ahead = LineFacts(f"il_{status}", "subscription", 300, 0, end, end + 30 * DAY, "")
        return self._stripe.add_invoice(facts, (ahead,), status=status, paid=[])

    def refund_by_hand(self, payment: str, amount: int) -> str:
        return self._stripe.refund(payment, amount).id

    def settle(self, refund: str, status: str) -> None:
        self._stripe.settle(refund, status)

    def dispute(self, payment: str, *, inquiry: bool = False) -> str:
        opened = self._stripe.open_dispute(payment, inquiry=inquiry)
        assert opened is not None
        return opened

    def decide(self, dispute: str, outcome: str) -> None:
        assert self._stripe.move_dispute(dispute, self.steps.get(outcome, outcome))

    @contextmanager
    def trouble(self, kind: str) -> Iterator[None]:
        self._weather.now["mutate"] = self.faults[kind]
        yield
        del self._weather.now["mutate"]

    @contextmanager
    def held_up(self, change: Callable[[], object]) -> Iterator[None]:
        self._weather.now["mutate"] = Fault.STRIPE_LATE
        try:
            change()
        except OutcomeUnknownError:
            del self._weather.now["mutate"]
        yield
        self._world.hub.run(self._world.hub.now + 5 * MINUTE)


class Served:
    """The local Stripe through our adapter and the pinned SDK."""

    faults: ClassVar = {
        "cut_before": "cut_before_commit",
        "cut_after": "commit_then_cut",
        "error_done": "error_after_commit",
        "busy": "rate_limited",
    }

    def __init__(self, shop: Any) -> None:
        self._shop = shop
        self._api = shop.client.v1
        self.billing: Billing = StripeBilling(stripe_client("sk_test_local", shop.server.url))

    def now(self) -> datetime:
        return datetime.fromisoformat(self._shop.local("GET", "clock")["now"])

    def until(self, instant: datetime) -> None:
        self._shop.until(format_instant(instant.timestamp()))

    def buy(self, *parts: int, from_balance: int = 0, pends: bool = False) -> Bought:
        method = "pm_card_pendingRefund" if pends else "pm_card_visa"
        customer = self._shop.customer(method, email=MAIL).id
        if from_balance:
            given = {"amount": -from_balance, "currency": "usd"}
            self._api.customers.balance_transactions.create(customer, given)
        by_hand: dict[str, Any] = {"collection_method": "send_invoice", "days_until_due": 30}
        made = self._shop.subscribe(
            sum(parts) + from_balance, customer=customer, **(by_hand if len(parts) > 1 else {})
        )
        if len(parts) > 1:
            self._pay_in_parts(customer, made.latest_invoice, parts)
        return bought(self, customer, made.id)

    def _pay_in_parts(self, customer: str, invoice: str, parts: tuple[int, ...]) -> None:
        self._api.invoices.finalize_invoice(invoice)
        for part in parts:
            method = {"payment_method": "pm_card_visa", "confirm": True}
            intent = self._api.payment_intents.create(
                {"amount": part, "currency": "usd", "customer": customer, **method}
            )
            self._api.invoices.attach_payment(invoice, {"payment_intent": intent.id})

    def bill_ahead(self, bought: Bought, status: str) -> str:
        start = int(bought.end.timestamp())
        whose = {"customer": bought.customer, "subscription": bought.subscription}
        period = {"start": start, "end": start + 30 * 24 * 3600}
        self._api.invoice_items.create(
            {**whose, "amount": 300, "currency": "usd", "period": period}
        )
        invoice = self._api.invoices.create({**whose, "auto_advance": True}).id
        if status == "open":
            self._api.invoices.finalize_invoice(invoice, {"auto_advance": True})
        return str(invoice)

    def refund_by_hand(self, payment: str, amount: int) -> str:
        return str(self._api.refunds.create({"payment_intent": payment, "amount": amount}).id)

    def settle(self, refund: str, status: str) -> None:
        self._shop.local("POST", f"refunds/{refund}", status=status)

    def dispute(self, payment: str, *, inquiry: bool = False) -> str:
        charge = self._api.payment_intents.retrieve(payment).latest_charge
        kind = "inquiry" if inquiry else "chargeback"
        return str(self._shop.local("POST", "disputes", charge=charge, kind=kind)["id"])

    def decide(self, dispute: str, outcome: str) -> None:
        more = {"refunds_fail": True} if outcome == "escalated" else {}
        self._shop.local("POST", f"disputes/{dispute}", outcome=outcome, **more)

    @contextmanager
    def trouble(self, kind: str) -> Iterator[None]:
        self._shop.local("POST", "faults", kind=self.faults[kind], method="POST", times=9)
        yield
        self._shop.local("DELETE", "faults")

    @contextmanager
    def held_up(self, change: Callable[[], object]) -> Iterator[None]:
        self._shop.local("POST", "faults", kind="latency", method="POST", times=1, seconds=0.8)
        under_way = threading.Thread(target=change)
        under_way.start()
        while not self._shop.local("GET", "faults")[0]["fired"]:
            threading.Event().wait(0.01)
        yield
        under_way.join()
        self._shop.local("DELETE", "faults")
