"""Q7: twenty thousand deliveries of five thousand events, in no order, and some never."""

from __future__ import annotations

import time
from statistics import quantiles
from typing import Any

from infrastructure.proof.crowd import Crowd
from infrastructure.proof.goals import Result
from infrastructure.proof.simulated.functions import SECRET
from infrastructure.proof.simulated.verdict import judge
from infrastructure.proof.simulated.webhooks import delivery
from shared.adapters.stripe_events import envelope, parse_event, unusable
from shared.adapters.stripe_signature import verify_signature
from shared.application.process_stripe_event import process_stripe_event
from shared.domain.errors import FairexitError

EVENTS, DELIVERIES, LOST = 5000, 20_000, 0.1
CUSTOMERS = 900
SLOWEST, LEAST_A_SECOND = 0.025, 500


def storm(events: int = EVENTS, deliveries: int = DELIVERIES) -> Result:
    """Deliver, reconcile once, and look whether both sides agree."""
    begun = time.monotonic()
    crowd = Crowd(max(20, CUSTOMERS * events // EVENTS), "storm")
    crowd.live(events)
    kept = [one for one in crowd.events if crowd.random.random() >= LOST]
    order = [one for one in kept for _ in range(deliveries // len(kept))]
    order += crowd.random.choices(kept, k=deliveries - len(order))
    crowd.random.shuffle(order)
    times = [_received(one) for one in order]
    world, errors = crowd.life.world, 0
    for one in order:
        try:
            process_stripe_event(world.ports(), one)
        except FairexitError:
            errors += 1
    crowd.settle()
    report = crowd.life.compare(repair=True)
    crowd.settle()
    report = crowd.life.compare(repair=False)
    failures = [f"{name} {detail}" for name, detail in judge(crowd.life, report)]
    failures += [f"{name} {detail}" for name, detail in world.watch.violations]
    slow, rate = quantiles(times, n=100)[-1], len(times) / sum(times)
    return Result(
        "Q7 webhook storm",
        f"{EVENTS:,} events, {DELIVERIES:,} deliveries, 10 % lost: as Stripe has it;"
        f" p99 ≤ {SLOWEST * 1000:.0f} ms, ≥ {LEAST_A_SECOND}/s",
        f"{len(crowd.events):,} events, {len(order):,} deliveries, {len(crowd.events) - len(kept)}"
        f" lost, {len(failures)} differences; p99 {slow * 1000:.2f} ms, {rate:,.0f}/s",
        not failures and not errors and slow <= SLOWEST and rate >= LEAST_A_SECOND,
        time.monotonic() - begun,
        failures=failures,
    )


def _received(one: dict[str, Any]) -> float:
    """How long it takes to trust a delivery and to make its message."""
    sent = delivery(one, 1000)
    body, signature = sent["body"].encode(), sent["headers"]["stripe-signature"]
    begun = time.perf_counter()
    verify_signature(body, signature, [SECRET], now_seconds=1000)
    known = parse_event(body)
    assert unusable(known, envelope(known), livemode=False) is None
    return time.perf_counter() - begun
