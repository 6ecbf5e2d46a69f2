"""What happens to the customers of a lifetime, apart from faults: a list of steps in time."""

from __future__ import annotations

import random
from dataclasses import dataclass

from infrastructure.proof.simulated.hub import DAY, HOUR, MINUTE

POLICIES = ("voip", "voip", "rtc", "itservices", "moneyback")
GROUNDS = (
    *("billing_error", "unused_period", "service_disruption"),
    *("dissatisfaction", "vendor_fault", "withdrawal"),
)
FINDINGS = (
    *("verified", "verified", "goodwill", "goodwill"),
    *("goodwill_credit", "misuse", "unfounded", "other_ground"),
)
STAFF = ("agent-1", "agent-1", "agent-2", "approver-1", "approver-2", "admin-1")
# How long a lifetime goes on, until faults stop; at least fourteen days.
LENGTH = 15 * DAY


@dataclass(frozen=True, slots=True)
class Plan:
    """A customer's subscription: when its period began, how long it is, how it was paid.

    `pending` charges wait for the next invoice; `unpaid`: it has been billed ahead, not paid yet.
    """

    customer: str
    days_ago: int
    days: int
    parts: tuple[int, ...]
    from_balance: int
    pending: int
    unpaid: bool = False

    @property
    def subscription(self) -> str:
        """Its id at Stripe."""
        return f"sub_{self.customer}"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody does at a time."""

    at: int
    what: str
    customer: str = ""
    detail: str = ""
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """A whole lifetime without its faults."""

    policy: str
    plans: tuple[Plan, ...]
    steps: tuple[Step, ...]


def draw_script(seed: str) -> Script:
    """A lifetime by chance."""
    rng = random.Random(f"script {seed}")  # noqa: S311 - a seed is the point
    names = ["ann", "bob"][: rng.choice((1, 1, 2))]
    plans = tuple(_plan(rng, f"cus_{name}") for name in names)
    steps: list[Step] = []
    for plan in plans:
        steps += _customer(rng, plan)
    steps += _operators(rng, steps[0].at)
    # By a chance of their own, so that what else happens to a seed stays as it is.
    asks = random.Random(f"claims {seed}")  # noqa: S311
    if asks.random() < 0.18:  # noqa: PLR2004
        steps += _claims(asks, asks.choice(plans), steps[0].at)
    steps.sort(key=lambda step: step.at)
    return Script(rng.choice(POLICIES), plans, tuple(steps))


def _plan(rng: random.Random, customer: str) -> Plan:
    days = rng.choice((30, 30, 90, 365))
    days_ago = rng.randrange(1, days - 1) if days > 30 else rng.randrange(14, 29)  # noqa: PLR2004
    whole = rng.choice((999, 4900, 12000, 120000))
    parts: tuple[int, ...] = (whole,)
    if rng.random() < 0.3:  # noqa: PLR2004 - chances of this world
        first = rng.randrange(1, whole)
        parts = (first, whole - first)
    from_balance = rng.choice((0, 0, 0, whole // 3))
    return Plan(
        customer,
        days_ago,
        days,
        parts,
        from_balance,
        rng.choice((0, 0, 0, 1)),
    )


def _customer(rng: random.Random, plan: Plan) -> list[Step]:
    who = plan.customer
    at = rng.randrange(HOUR, 10 * DAY)
    timing = rng.choice(("immediately", "immediately", "at_period_end"))
    steps = [Step(at, "cancel", who, timing)]
    for _ in range(rng.choice((0, 0, 1, 2))):
        near = at + rng.choice((0, 100, 3000, MINUTE, HOUR, DAY))
        steps.append(Step(near, "cancel", who, rng.choice(("immediately", "at_period_end"))))
    if timing == "at_period_end" and rng.random() < 0.5:  # noqa: PLR2004
        back = at + rng.choice((500, 20_000, 5 * MINUTE, DAY, 3 * DAY))
        steps.append(Step(back, "withdraw", who))
        if rng.random() < 0.5:  # noqa: PLR2004
            steps.append(Step(back + rng.choice((200, HOUR)), "cancel", who, "at_period_end"))
    if rng.random() < 0.3:  # noqa: PLR2004
        steps += _dispute(rng, plan, at)
    if rng.random() < 0.2:  # noqa: PLR2004
        when = max(0, at + rng.choice((-DAY, -5000, 1000, 30_000, DAY)))
        steps.append(Step(when, "dashboard_refund", who, amount=rng.randrange(1, 100)))
    if rng.random() < 0.3:  # noqa: PLR2004
        steps.append(Step(at + rng.randrange(DAY), "look", who))
    return steps


def _dispute(rng: random.Random, plan: Plan, around: int) -> list[Step]:
    who = plan.customer
    at = max(0, around + rng.choice((-DAY, -HOUR, -1000, 500, 2000, 10_000, HOUR, 2 * DAY)))
    kind = rng.choice(("inquiry", "chargeback", "chargeback"))
    steps = [Step(at, "dispute", who, kind)]
    at += rng.choice((1000, HOUR, DAY))
    if kind == "inquiry":
        steps.append(
            Step(at, "move_dispute", who, rng.choice(("warning_closed", "needs_response")))
        )
        at += rng.choice((1000, DAY))
    if rng.random() < 0.7:  # noqa: PLR2004
        steps.append(Step(at, "move_dispute", who, rng.choice(("won", "lost"))))
        if rng.random() < 0.3:  # noqa: PLR2004
            steps.append(Step(at + rng.choice((1000, DAY)), "move_dispute", who, "won"))
    return steps


def _operators(rng: random.Random, around: int) -> list[Step]:
    steps = [
        Step(day * DAY + 3 * HOUR, "reconcile")
        for day in range(1, 15)
        if rng.random() < 0.15  # noqa: PLR2004
    ]
    if rng.random() < 0.2:  # noqa: PLR2004
        at = rng.randrange(10 * DAY)
        steps.append(Step(at, "stop"))
        steps.append(Step(at + rng.choice((MINUTE, 20 * MINUTE, 2 * HOUR)), "open"))
    if rng.random() < 0.2:  # noqa: PLR2004
        steps.append(Step(0, "caps", amount=rng.choice((1, 2, 5))))
    chance = rng.random()
    if chance < 0.08:  # noqa: PLR2004
        steps.append(Step(rng.randrange(9 * DAY), "outage", amount=5 * DAY))
    elif chance < 0.16:  # noqa: PLR2004
        length = rng.choice((10 * MINUTE, 3 * HOUR, 5 * DAY))
        steps.append(Step(rng.randrange(9 * DAY), "stripe_outage", amount=length))
    elif chance < 0.30:  # noqa: PLR2004
        at = rng.choice((rng.randrange(HOUR, 12 * DAY), around + rng.randrange(3000)))
        steps.append(Step(at, "backup"))
        steps.append(
            Step(at + rng.choice((MINUTE, HOUR, 30 * HOUR, rng.randrange(3 * DAY))), "restore")
        )
    return steps


def _claims(rng: random.Random, plan: Plan, around: int) -> list[Step]:
    """A customer asks for money back, and staff make of it what they do: beside all the rest."""
    who = plan.customer
    at = max(0, around + rng.choice((-3 * DAY, -HOUR, -1000, 500, 30_000, HOUR, DAY)))
    steps = []
    for _ in range(rng.choice((1, 1, 1, 1, 2))):
        steps.append(_claim(rng, who, at))
        steps += _looked_into(rng, who, at)
        at += rng.choice((100, MINUTE, HOUR, 2 * DAY))
    return steps


def _claim(rng: random.Random, who: str, at: int) -> Step:
    ground = rng.choice(GROUNDS)
    how = rng.random()
    if how < 0.15:  # noqa: PLR2004
        return Step(at, "claim_by_quote", who)
    if how < 0.3:  # noqa: PLR2004
        return Step(at, "claim_by_phone", who, f"agent-1 {ground}")
    return Step(at, "claim", who, ground)


def _looked_into(rng: random.Random, who: str, at: int) -> list[Step]:
    """What staff find out, and who of them decides; some requests wait until they are late."""
    steps = []
    if rng.random() < 0.2:  # noqa: PLR2004
        at += rng.choice((MINUTE, HOUR))
        steps.append(Step(at, "ask", who, "agent-1"))
        if rng.random() < 0.7:  # noqa: PLR2004
            steps.append(Step(at + rng.choice((MINUTE, DAY)), "reply", who))
    at += rng.choice((MINUTE, HOUR, DAY))
    for found in rng.choices(FINDINGS, k=rng.choice((0, 1, 1, 1, 2))):
        steps.append(Step(at, "find", who, f"{rng.choice(STAFF)} {found}", rng.randrange(1, 101)))
        at += rng.choice((1000, MINUTE, HOUR))
    at += rng.choice((0, MINUTE, HOUR, DAY))
    for _ in range(rng.choice((0, 1, 2, 2))):
        decision = rng.choice(("approve", "approve", "approve", "approve", "decline", "refer"))
        part = rng.choice((100, 100, 100, rng.randrange(1, 100)))
        steps.append(Step(at, "decide", who, f"{rng.choice(STAFF)} {decision}", part))
        at += rng.choice((0, 0, 100, 2000, MINUTE, DAY))
    if rng.random() < 0.1:  # noqa: PLR2004
        steps.append(Step(at, "take_claim_back", who))
    return steps
