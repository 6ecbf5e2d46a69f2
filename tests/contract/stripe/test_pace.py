"""A burst of refunds against Stripe's limit of an endpoint: none is turned away."""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import stripe_client
from shared.runtime.settings import Pace

BURST, WORKERS, LIMIT = 60, 10, 25


def test_a_burst_of_refunds_below_the_limit_of_the_endpoint(shop: Any) -> None:
    subscription = shop.subscribe(120000, "year")
    (invoice,) = shop.client.v1.invoice_payments.list({"limit": 1}).data
    payment = invoice.payment.payment_intent
    pace = Pace(stripe_calls_per_second=20, workers=WORKERS)
    shop.local("POST", "settings", rate_limit={"endpoint": LIMIT})

    def worker(numbers: list[int]) -> int:
        """One Lambda worker: it has a client of its own and one call at a time."""
        client = stripe_client(
            "sk_test_local", shop.server.url, seconds_per_change=pace.seconds_per_change
        )
        billing = StripeBilling(client)
        for number in numbers:
            billing.refund_payment(
                payment=payment,
                amount=1,
                operation=f"op_{number}",
                customer=subscription.customer,
                key=f"refund:{number}",
            )
        return len(numbers)

    shares = [list(range(start, BURST, WORKERS)) for start in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        made = sum(pool.map(worker, shares, timeout=60))

    asked = [one for one in shop.local("GET", "requests") if one["path"] == "/v1/refunds"]
    assert made == BURST
    assert [one["status"] for one in asked] == list(repeat(200, BURST))
