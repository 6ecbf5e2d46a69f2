"""A burst of refunds against Stripe's limit of an endpoint: each waits its turn, and is made once.

That turns keep all workers below the rate is a matter of time, and proven in virtual time
(`tests/unit/adapters/test_stripe_client.py`). A slow machine may bunch what was sent apart, so
here a 429 is taken as the queue takes it: the same key later.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.adapters.stripe_billing import StripeBilling
from shared.adapters.stripe_client import Turns, stripe_client
from shared.domain.errors import UnavailableError
from shared.runtime.settings import Pace

BURST, WORKERS, LIMIT = 60, 10, 25


def test_each_refund_of_a_burst_waits_for_its_turn_and_is_made_once(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = shop.subscribe(120000, "year")
    (invoice,) = shop.client.v1.invoice_payments.list({"limit": 1}).data
    payment = invoice.payment.payment_intent
    pace = Pace(stripe_calls_per_second=20, workers=WORKERS)
    shop.local("POST", "settings", rate_limit={"endpoint": LIMIT})
    turns, wait = list[Turns](), Turns.wait

    def counted(turn: Turns) -> None:
        turns.append(turn)
        wait(turn)

    monkeypatch.setattr(Turns, "wait", counted)

    def worker(numbers: list[int]) -> None:
        """One Lambda worker: it has a client of its own and one call at a time."""
        client = stripe_client(
            "sk_test_local", shop.server.url, seconds_per_change=pace.seconds_per_change
        )
        billing = StripeBilling(client)
        left = list(numbers)
        while left:
            number = left.pop(0)
            try:
                billing.refund_payment(
                    payment=payment,
                    amount=1,
                    operation=f"op_{number}",
                    customer=subscription.customer,
                    key=f"refund:{number}",
                )
            except UnavailableError:
                left.append(number)

    shares = [list(range(start, BURST, WORKERS)) for start in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(worker, shares, timeout=60))

    asked = [one for one in shop.local("GET", "requests") if one["path"] == "/v1/refunds"]
    answered = Counter(one["status"] for one in asked)
    assert set(answered) <= {200, 429}
    assert answered[200] == BURST
    assert len(turns) == len(asked)
    assert len(set(turns)) == WORKERS
    made = shop.client.v1.refunds.list({"payment_intent": payment, "limit": 100}).data
    assert Counter(one.metadata["fairexit_operation"] for one in made) == {
        f"op_{number}": 1 for number in range(BURST)
    }
