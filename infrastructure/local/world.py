"""The small world that a run begins with: five customers, their subscriptions, and staff.

It is made through Stripe's API with the clock at each subscription's start, then the clock moves
on to the instant at which the story begins. With a seed, amounts, currencies, taxes and instants
are drawn; without, they are the ones that the documentation speaks of.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from infrastructure.local.stack import Stack

WORLD_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
STORY_BEGINS = datetime(2026, 3, 10, 12, tzinfo=UTC)
SETTLE_SECONDS = 120

# Drawn subscriptions start and stories begin within these spans; monthly ones have renewed by then.
STARTS_WITHIN = timedelta(days=45)
STORY_EARLIEST = datetime(2026, 3, 1, tzinfo=UTC)
STORY_WITHIN = timedelta(days=90)

# Currency → the range of a month's price in minor units.
PRICES = {
    "usd": (500, 20_000),
    "eur": (500, 20_000),
    "gbp": (500, 20_000),
    "sek": (5_000, 200_000),
    "jpy": (500, 30_000),
    "krw": (5_000, 300_000),
}
WITHOUT_MINOR_UNIT = {"jpy", "krw"}
TAXES = (None, ("19", False), ("20", True), ("7.7", False), ("10", True))


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription to be made; `amount` in minor units a period, `tax` (percent, inclusive)."""

    product: str
    currency: str
    amount: int
    interval: Literal["month", "year"]
    start: datetime
    tax: tuple[str, bool] | None = None

    def __str__(self) -> str:
        """Tell the plan as a price list would."""
        whole = self.currency in WITHOUT_MINOR_UNIT
        major, minor = (self.amount, 0) if whole else divmod(self.amount, 100)
        price = f"{self.currency.upper()} {major:,}" + ("" if whole else f".{minor:02}")
        tax = f", {self.tax[0]} % tax {'in it' if self.tax[1] else 'on top'}" if self.tax else ""
        return f"{self.product}: {price}{tax}"


@dataclass(frozen=True, slots=True)
class Person:
    """A customer: a login, a Stripe customer, and its subscriptions' ids in the plans' order."""

    name: str
    email: str
    plans: tuple[Plan, ...]
    customer: str = ""
    subscriptions: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """Return what the login can be used for."""
        return "; ".join(str(plan) for plan in self.plans)


@dataclass(frozen=True, slots=True)
class Staff:
    """A login of the company's own people, in the group `role`."""

    email: str
    role: str


@dataclass(frozen=True, slots=True)
class World:
    """Everybody, and the instant at which the story begins."""

    ann: Person
    ben: Person
    chiyo: Person
    dev: Person
    eve: Person
    staff: tuple[Staff, ...]
    now: datetime

    def customers(self) -> tuple[Person, ...]:
        """Return the five customers."""
        return self.ann, self.ben, self.chiyo, self.dev, self.eve


STAFF = (
    Staff("agent@example.com", "agent"),
    Staff("approver@example.com", "approver"),
    Staff("admin@example.com", "admin"),
)


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return an instant of 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


PEOPLE = {
    "ann": Person(
        "Ann Archer",
        "ann@example.com",
        (Plan("Calls, a year", "usd", 120_000, "year", WORLD_BEGINS),),
    ),
    "ben": Person(
        "Ben Brandt",
        "ben@example.com",
        (Plan("Calls, a month", "eur", 2_900, "month", at(1, 20, 8, 15), ("19", False)),),
    ),
    "chiyo": Person(
        "Chiyo Chiba",
        "chiyo@example.com",
        (Plan("Calls, a year", "jpy", 36_000, "year", at(2, 1), ("10", True)),),
    ),
    "dev": Person(
        "Dev Desai",
        "dev@example.com",
        (
            Plan("Calls, a month", "usd", 4_900, "month", at(1, 5, 16, 40)),
            Plan("Numbers, a month", "usd", 1_500, "month", at(1, 12, 9, 5)),
        ),
    ),
    "eve": Person(
        "Eve Ekström",
        "eve@example.com",
        (Plan("Calls, a month", "usd", 9_900, "month", at(1, 25, 20, 30)),),
    ),
}


def draw(seed: int) -> tuple[dict[str, Person], datetime]:
    """Draw the figures of everybody, and the story's first instant, from the seed."""
    chance = random.Random(seed)  # noqa: S311 -- a repeatable world, not a secret

    def instant(earliest: datetime, within: timedelta) -> datetime:
        return earliest + timedelta(seconds=chance.randrange(int(within.total_seconds())))

    people = {}
    for key, person in PEOPLE.items():
        # Stripe bills all subscriptions of a customer in one currency.
        currency = chance.choice(list(PRICES))
        plans = []
        for plan in person.plans:
            months = 12 if plan.interval == "year" else 1
            amount = chance.randint(*PRICES[currency]) * months
            start = instant(WORLD_BEGINS, STARTS_WITHIN)
            tax = chance.choice(TAXES)
            drawn = replace(plan, currency=currency, amount=amount, start=start, tax=tax)
            plans.append(drawn)
        people[key] = replace(person, plans=tuple(plans))
    return people, instant(STORY_EARLIEST, STORY_WITHIN)


def load_world(
    stack: Stack, seed: int | None = None, progress: Callable[[str], None] = lambda _: None
) -> World:
    """Make the world on a fresh stack; return it with the clock at its `now` and all quiet."""
    people, now = draw(seed) if seed is not None else (PEOPLE, STORY_BEGINS)
    progress("making the customers")
    people = {key: replace(p, customer=add_customer(stack, p)) for key, p in people.items()}
    people = subscribe_all(stack, people, progress)
    progress(f"moving the clock to {now:%Y-%m-%d %H:%M:%S}Z")
    stack.set_clock(now)
    stack.settle(SETTLE_SECONDS)
    progress("making the sign-ins")
    for person in people.values():
        stack.add_customer_login(person.email, person.customer)
    for member in STAFF:
        stack.logins.create(member.email, member.role)
    return World(**people, staff=STAFF, now=now)


def add_customer(stack: Stack, person: Person) -> str:
    """Make a Stripe customer with a card; return its id."""
    customer = stack.stripe.v1.customers.create(
        {
            "name": person.name,
            "email": person.email,
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )
    return customer.id


def subscribe_all(
    stack: Stack, people: Mapping[str, Person], progress: Callable[[str], None]
) -> dict[str, Person]:
    """Make every subscription at its own start, in the order of time."""
    plans = [(plan, key) for key, person in people.items() for plan in person.plans]
    made: dict[tuple[str, Plan], str] = {}
    for plan, key in sorted(plans, key=lambda pair: pair[0].start):
        progress(f"{plan.start:%Y-%m-%d %H:%M:%S}Z  {people[key].name} subscribes, {plan}")
        if plan.start > stack.now():  # two drawn starts may lie closer than the calls between them
            stack.set_clock(plan.start)
        made[key, plan] = subscribe(stack, people[key].customer, plan)
    return {
        key: replace(person, subscriptions=tuple(made[key, plan] for plan in person.plans))
        for key, person in people.items()
    }


def subscribe(stack: Stack, customer: str, plan: Plan) -> str:
    """Make a subscription whose first period begins now; return its id."""
    api = stack.stripe.v1
    price = api.prices.create(
        {
            "currency": plan.currency,
            "unit_amount": plan.amount,
            "recurring": {"interval": plan.interval},
            "product_data": {"name": plan.product},
        }
    )
    rates = []
    if plan.tax:
        percentage, inclusive = plan.tax
        rate = api.tax_rates.create(
            {"display_name": "VAT", "percentage": float(percentage), "inclusive": inclusive}
        )
        rates = [rate.id]
    subscription = api.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": price.id, "tax_rates": rates} if rates else {"price": price.id}],
        }
    )
    return subscription.id
