"""Money, cancellations and notifications wait for nobody but their own kind."""

import time
from collections.abc import Callable

import pytest

from infrastructure.local.stack import EFFECTS_QUEUES, Stack
from infrastructure.local.story_tools import held_back
from tests.scenarios.customers import SETTLE_SECONDS, Customer

pytestmark = pytest.mark.stack

Newcomer = Callable[..., Customer]
Settle = Callable[[], None]
NOTIFICATIONS = "NotificationEffectsQueue"


def test_stuck_notifications_delay_no_refund(
    stack: Stack, newcomer: Newcomer, settle: Settle
) -> None:
    """Mails and domain events pile up; cancellation, refund and credit note are done meanwhile."""
    customer = newcomer()
    quote = customer.quote()
    others = tuple(queue for queue in EFFECTS_QUEUES if queue != NOTIFICATIONS)
    with held_back(stack, NOTIFICATIONS):
        cancellation = customer.confirm(quote)
        deadline = time.monotonic() + SETTLE_SECONDS
        while any(where.startswith(others) for where in stack.waiting()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert customer.cancellation(cancellation)["state"] == "executed"
        assert customer.refunds() == [quote["quote"]["total"]]
        assert NOTIFICATIONS in stack.waiting()
        assert customer.mails() == ()
    settle()
    assert len(customer.mails()) == 2
