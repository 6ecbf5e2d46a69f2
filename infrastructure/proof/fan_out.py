"""Q11: ten thousand periods end in one second, and somebody cancels in the middle of it."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from infrastructure.proof.goals import Result
from infrastructure.proof.scheduled import scheduled
from infrastructure.proof.simulated.faults import Placed
from infrastructure.proof.simulated.hub import HOUR, MINUTE, SECOND
from infrastructure.proof.simulated.lifetime import Lifetime
from infrastructure.proof.simulated.script import Plan, Script
from shared.domain.cancellation import Timing
from shared.domain.effects import Effect
from shared.domain.invoice import PendingCharge
from shared.domain.subscription import (
    Subscription,
    SubscriptionFacts,
    SubscriptionItem,
    SubscriptionStatus,
)

ENDS, CHARGED = 10_000, 10
LATEST, MOST_POSTS, HOTTEST, LONGEST_WAIT = 520, 20, 50, 5
# Of the schedule, as the template has them.
PARTS = 8
URGENT = Plan("cus_urgent", 100, 365, (120000,), 0, 0)
AT = HOUR


class _Burst:
    """The world in which it happens, and what is counted there."""

    def __init__(self, ends: int) -> None:
        self.life = Lifetime("fan-out", Script("voip", (URGENT,), ()), Placed({}))
        self.world = self.life.world
        self.world.hub.most_steps(100_000_000)
        self.world.plan_sweep = lambda due_at: None  # type: ignore[method-assign]  # noqa: ARG005
        self.life.begin()
        self.posts, self.writes = Counter[int](), Counter[tuple[int, str]]()
        self.cancelled_at: int | None = None
        self._listen()
        for number in range(ends):
            self._subscribe(number)

    def _listen(self) -> None:
        world, posted = self.world, self.world.watch.posted
        written = world.table.watch
        self.last = 0

        def post(name: str, key: str | None, params: object) -> None:
            self.posts[world.hub.now // SECOND] += 1
            self.last = world.hub.now
            if name == "cancel_now" and self.cancelled_at is None:
                self.cancelled_at = world.hub.now
            posted(name, key, params)

        def write(old: Any, new: Any) -> None:
            self.writes[world.hub.now // SECOND, getattr(new, "customer", "")] += 1
            if isinstance(new, Subscription):
                self.last = world.hub.now
            written(old, new)

        world.watch.posted = post  # type: ignore[method-assign]
        world.table.watch = write

    def _subscribe(self, number: int) -> None:
        """Known on both sides; at Stripe it has ended by itself, as it was told."""
        # Names without a pattern, as Stripe's are: they decide on the shard.
        word = hashlib.sha256(str(number).encode()).hexdigest()[:14]
        world, customer, name = self.world, f"cus_{word}", f"sub_{word}"
        end = world.hub.instant() + timedelta(milliseconds=AT - world.hub.now)
        start = end - timedelta(days=30)
        item = SubscriptionItem(f"si_{number}", "p", "pr", 1, 900, "usd", "month", start, end)
        world.table.commit(0, scheduled(customer, name, item), incarnation=1, livemode=False)
        world.stripe.emails[customer] = f"{customer}@example.com"
        world.stripe.subscriptions[name] = SubscriptionFacts(
            id=name,
            customer=customer,
            status=SubscriptionStatus.ENDED,
            items=(item,),
            cancels_at=end,
            ended_at=end,
            created_at=start,
            collection_paused=False,
            livemode=False,
        )
        if number % CHARGED == 0:
            charge = f"ii_{number}"
            later = end + timedelta(days=1)
            world.stripe.pending[charge] = PendingCharge(
                charge, name, 500, "usd", "minutes", end, later
            )

    def run(self, minutes: int) -> None:
        """The schedule every minute; in the second one somebody cancels."""
        hub = self.world.hub
        for minute in range(minutes):
            for part in range(PARTS):
                sweep = partial(self.world.sweep, part=part, parts=PARTS)
                hub.work(AT + minute * MINUTE, sweep, self._ended)
        hub.work(AT + 90 * SECOND, self._cancel, self._ended)
        hub.run(AT + minutes * MINUTE)

    def _cancel(self) -> None:
        self.life.callers.cancel("cus_urgent", URGENT.subscription, Timing.IMMEDIATELY, "urgent")

    def _ended(self, error: BaseException | None) -> None:
        self.world.watch.ended(error)

    def judge(self) -> Iterator[str]:
        """What was dropped, or took too long."""
        table = self.world.table
        late = [s.id for s in table.every(Subscription) if s.ends_at and not s.ended_at]
        still = [e.id for e in table.every(Effect) if e.due_at is not None]
        if late or still:
            yield f"{len(late)} ends and {len(still)} effects were dropped"
        for name, detail in self.world.watch.violations:
            yield f"{name} {detail}"

    def drained(self) -> int:
        """Seconds until every end was stored and all that it changes at Stripe was changed."""
        return (self.last - AT) // SECOND

    def waited(self) -> float:
        """Seconds that whoever cancelled waited until Stripe was told."""
        asked = self.life.callers.asked["urgent"].at
        return (self.cancelled_at - asked) / SECOND if self.cancelled_at else 1e9


def fan_out(ends: int = ENDS) -> Result:
    """Let them end, and look how everything behind it stands the burst."""
    begun, burst = time.monotonic(), _Burst(ends)
    burst.run(minutes=15)
    failures = list(burst.judge())
    posts, hottest = max(burst.posts.values()), max(burst.writes.values())
    return Result(
        "Q11 fan-out",
        f"{ENDS:,} ends in one second: 0 dropped, drained ≤ {LATEST} s, ≤ {MOST_POSTS} POSTs and"
        f" ≤ {HOTTEST} writes of one key a second, an urgent cancellation waits ≤ {LONGEST_WAIT} s",
        f"{ends:,} ends, {len(failures)} wrong, drained in {burst.drained()} s, {posts} POSTs,"
        f" {hottest} writes, {burst.waited():.1f} s",
        not failures
        and burst.drained() <= LATEST
        and posts <= MOST_POSTS
        and hottest <= HOTTEST
        and burst.waited() <= LONGEST_WAIT,
        time.monotonic() - begun,
        failures=failures,
    )
