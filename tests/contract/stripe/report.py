"""What the local Stripe covers, holds and does in a second: `make report-stripe`.

`python tests/contract/stripe/report.py --unmodelled` lists the endpoints that it knows and refuses.
"""
# ruff: noqa: T201 -- it reports to a terminal

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.families import SERVICES
from infrastructure.local.stripe.faults import KINDS
from infrastructure.local.stripe.routes import Router
from infrastructure.local.stripe.sdk import Sdk
from infrastructure.local.stripe.server import Server
from infrastructure.local.stripe.service import LocalStripe
from tests.contract.stripe.conftest import START, Inbox, Shop
from tests.contract.stripe.test_examples import EXAMPLES, accept, with_bogus_parameter
from tests.contract.stripe.test_invariants import Operator, operations

SEED, OPERATIONS = 7, 200
READS, REFUNDS = 1000, 300
# Rare enough that work gets done; a cut without an end would be one.
PROBABILITY = 0.03


@contextmanager
def running(sdk: Sdk, retries: int = 0) -> Iterator[Shop]:
    server = Server(0, LocalStripe(Clock(start=START), sdk))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    client = stripe.StripeClient(
        "sk_test_local",
        base_addresses={"api": server.url, "files": server.url},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=5),
    )
    try:
        yield Shop(server, client)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def coverage(sdk: Sdk) -> None:
    router = Router(sdk, SERVICES)
    modelled = [route for route in router.routes if route.modelled]
    print(f"stripe {sdk.version}, API {sdk.api_version}")
    print(
        f"endpoints: {len(router.routes)} declared by these families, {len(modelled)} modelled,"
        f" {len(router.routes) - len(modelled)} refused as not modelled"
    )
    refused = 0
    for example in EXAMPLES:
        accept(sdk, router, example)
        method, path, text = example
        for wrong in (with_bogus_parameter(example), (method, f"{path}/bogus/bogus", text)):
            try:
                accept(sdk, router, wrong)
            except Refusal:
                refused += 1
    print(
        f"examples of the SDK's own tests: {len(EXAMPLES)} accepted;"
        f" {refused} of {2 * len(EXAMPLES)} bogus ones refused"
    )


def operate(shop: Shop, *, faults: bool) -> Counter[str]:
    operator, names, ends = Operator(shop, SEED), operations(), Counter[str]()
    operator.subscribe()
    allowed = (stripe.StripeError,) if faults else ()
    for seed, kind in enumerate(KINDS if faults else ()):
        more = {"probability": PROBABILITY, "seed": seed, "seconds": 0.02}
        shop.local("POST", "faults", kind=kind, **more)
    for _ in range(OPERATIONS):
        try:
            getattr(operator, operator.draw.choice(names))()
            ends["accepted"] += 1
        except (stripe.InvalidRequestError, stripe.CardError):
            ends["refused"] += 1
        except allowed:
            ends["lost to a fault"] += 1
    return ends


def soundness(sdk: Sdk) -> None:
    with running(sdk) as shop:
        ends = operate(shop, faults=False)
        health = shop.local("GET", "health")
    made = ", ".join(f"{count} {kind}" for kind, count in sorted(health["objects"].items()))
    print(f"random operations: {dict(ends)}, invariants broken: {len(health['violations'])}")
    print(f"  they left {made}")


def misbehaviour(sdk: Sdk) -> None:
    inbox = Inbox()
    threading.Thread(target=inbox.serve_forever, daemon=True).start()
    with running(sdk, retries=1) as shop:
        endpoint: Any = {"url": inbox.url, "enabled_events": ["*"]}
        shop.client.v1.webhook_endpoints.create(endpoint)
        ends = operate(shop, faults=True)
        fired = Counter(entry["kind"] for entry in shop.local("GET", "audit"))
        shop.local("DELETE", "faults")
        counts = shop.settle()
        violations = shop.local("GET", "health")["violations"]
    inbox.shutdown()
    print(f"under all {len(KINDS)} faults at {PROBABILITY:.0%}: {dict(ends)}")
    print(f"  invariants broken: {len(violations)}; deliveries: {counts}")
    print(f"  audit: {', '.join(f'{kind} {fired[kind]}' for kind in KINDS)}")


def speed(sdk: Sdk) -> None:
    def measured(name: str, times: int, call: Callable[[], object]) -> None:
        begin = time.perf_counter()
        for _ in range(times):
            call()
        print(f"{name}: {times / (time.perf_counter() - begin):.0f} a second")

    with running(sdk) as shop:
        v1 = shop.client.v1
        payment = shop.paid(REFUNDS)
        part: Any = {"payment_intent": payment.id, "amount": 1}
        measured("plain reads", READS, lambda: v1.charges.retrieve(payment.latest_charge.id))
        measured("refunds", REFUNDS, lambda: v1.refunds.create(part))


def main() -> int:
    logging.disable()
    sdk = Sdk()
    if sys.argv[1:] == ["--unmodelled"]:
        for route in Router(sdk, SERVICES).routes:
            if not route.modelled:
                print(route.endpoint.method, route.endpoint.path)
        return 0
    for part in (coverage, soundness, misbehaviour, speed):
        part(sdk)
    return 0


if __name__ == "__main__":
    sys.exit(main())
