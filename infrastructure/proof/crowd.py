"""Many customers at once, with a history of refunds and disputes, for storms and comparisons."""

from __future__ import annotations

import random
from typing import Any

from infrastructure.proof.simulated.faults import Placed
from infrastructure.proof.simulated.hub import DAY, HOUR
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import Plan, Script
from shared.domain.errors import RefusedError


class Crowd:
    """A world of so many customers; `events` are held back instead of being delivered."""

    def __init__(self, customers: int, seed: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a seed is the point
        plans = tuple(
            Plan(f"cus_{number:04d}", 100, 365, (12000,), 0, 0) for number in range(customers)
        )
        self.life = Lifetime(seed, Script("voip", plans, ()), Placed({}))
        self.life.world.hub.most_steps(50_000_000)
        self.life.begin()
        self.events: list[dict[str, Any]] = []
        self.life.world.stripe.deliver = self.events.append

    def live(self, events: int) -> None:
        """Refunds and disputes of all kinds until Stripe has as many events to tell of."""
        stripe, hub = self.life.world.stripe, self.life.world.hub
        payments = list(stripe.payments())
        while len(self.events) < events:
            payment = self.random.choice(payments)
            self._happen(payment)
            hub.run(hub.now + self.random.randrange(20_000))
        hub.run(hub.now + HOUR)

    def _happen(self, payment: str) -> None:
        stripe, chance = self.life.world.stripe, self.random.random()
        mine = [one for one in stripe.disputes.values() if one.payment == payment]
        try:
            if mine:
                status = self.random.choice(("needs_response", "won", "lost", "warning_closed"))
                stripe.move_dispute(mine[0].id, status)
            elif chance < 0.3:  # noqa: PLR2004 - chances of this crowd
                stripe.open_dispute(payment, inquiry=chance < 0.1)  # noqa: PLR2004
            elif chance < 0.9:  # noqa: PLR2004
                made = stripe.refund(payment, 1 + self.random.randrange(900))
                if self.random.random() < 0.2:  # noqa: PLR2004
                    stripe.settle(made.id, "failed")
            else:
                name = payment.removeprefix("pi_").removesuffix("_0")
                subscription = stripe.subscriptions[f"sub_{name}"]
                stripe.set_subscription(subscription, "updated")
        except RefusedError:
            return

    def settle(self) -> None:
        """Let everything that the events have led to be carried out."""
        hub = self.life.world.hub
        hub.run(hub.now + 2 * DAY)
