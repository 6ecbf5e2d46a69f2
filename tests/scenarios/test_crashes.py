"""The crash table: a worker dies at each step, and everything still happens exactly once.

`make test` kills at each step of a cancellation with a refund; `make crash` before and after every
call, of whatever function, that may change something, in every flow.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from infrastructure.local.redelivery import quick_redelivery
from infrastructure.local.stack import Stack
from tests.scenarios.conftest import Fairexit
from tests.scenarios.crash_flows import (
    CANCEL_NOW,
    FLOWS,
    Death,
    Flow,
    Life,
    born,
    live,
)

pytestmark = pytest.mark.stack

WRITE, WAKE, ANSWER = "TransactWriteItems", "SendMessageBatch", "answer"
API, MONEY, MAIL = "cancel_subscription", "perform_money_effect", "perform_notification"

# The table of steps: what is killed, in the words of one refund's way. Either the answer or the
# event tells of the refund first, so its adoption dies wherever it happens.
STEPS = (
    Death("before", WRITE, function=API),  # nothing yet
    Death("after", WRITE, function=API),  # reserved, and the answer of the table is lost
    Death("before", WAKE, function=API),  # reserved, before its wake-up
    Death("before", ANSWER, function=API),  # woken, before the customer hears of it
    Death("before", WRITE, function=MONEY, holding="refund_payment:"),  # before the key is stored
    Death("after", WRITE, function=MONEY, holding="refund_payment:"),  # the key is stored
    Death("before", "POST /v1/refunds", function=MONEY),  # before the request
    Death("after", "POST /v1/refunds", function=MONEY),  # Stripe has it, the answer is lost
    Death("before", WRITE, holding="refund_succeeded"),  # before it is adopted
    Death("after", WRITE, holding="refund_succeeded"),  # adopted
    Death("before", WAKE, nth=3),  # before the wake-up of what follows
    Death("after", "POST /v1/credit_notes", function=MONEY),  # documented, the answer is lost
    Death("after", "POST /v2/email/outbound-emails", function=MAIL),  # mailed, not noted
    Death("before", ANSWER, function=MONEY),  # done, before the message is deleted
)


@pytest.fixture(autouse=True)
def _quick_redelivery(stack: Stack) -> Iterator[None]:
    with quick_redelivery(stack):
        yield


def agree(lives: list[Life], fairexit: Fairexit) -> None:
    """Each life came to its end, with one refund an operation, and the ledger is Stripe's."""
    _, report = fairexit("reconcile", "--look", "--everyone", "--grace", "0", "--rate", "1000")
    for life in lives:
        told = f"{life.flow.name}, {life.death}"
        assert life.flow.is_done(life), told
        made = Counter(one["metadata"].get("fairexit_operation") for one in life.refunds())
        assert sum(made.values()) == life.flow.refunds, told
        assert max(made.values(), default=0) <= 1, told
        assert life.credit_notes() == life.flow.credit_notes, told
        differing = [line for line in report.splitlines() if life.customer.id in line]
        assert differing == [], told


def test_a_cancellation_with_a_refund_survives_a_death_at_each_step(
    stack: Stack, fairexit: Fairexit
):
    lives = born(stack, CANCEL_NOW, STEPS)
    live(stack, lives)
    agree(lives, fairexit)
    assert [str(life.death) for life in lives if life.deaths() < life.death.nth] == []


@pytest.mark.skipif("CRASH" not in os.environ, reason="minutes long; run make crash")
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_flow_survives_a_death_before_and_after_every_change(
    stack: Stack, fairexit: Fairexit, flow: Flow
):
    [unharmed] = born(stack, flow, [Death("before", nth=0)])
    live(stack, [unharmed])
    changes = unharmed.deaths()
    places = [Death(when, nth=nth) for nth in range(1, changes + 1) for when in ("before", "after")]
    lives = born(stack, flow, places)
    live(stack, lives)
    agree([unharmed, *lives], fairexit)
    died = sum(life.deaths() >= life.death.nth for life in lives)
    print(f"{flow.name}: {changes} changes, {died} of {len(lives)} lives had a death")  # noqa: T201 -- `make crash` shows it
    assert 5 * died >= 4 * len(lives)  # a count differs with who hears of what first
