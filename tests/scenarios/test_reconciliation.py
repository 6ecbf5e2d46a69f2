"""Reconciliation on the stack: all that parted is found and typed, and nothing else."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from infrastructure.local.at_stripe import control
from infrastructure.local.stack import Stack
from tests.scenarios.conftest import Fairexit
from tests.scenarios.customers import Customer, ask
from tests.scenarios.divergences import INJECTIONS, Buyer, Injection, Shop, buyers_for

pytestmark = pytest.mark.stack

SETTLE_SECONDS = 120
OLDER_THAN_THE_GRACE = timedelta(hours=2)
LINE = re.compile(r"^ {2}(\w+) +(cus_\w+) {2}(\S+) {2}", re.MULTILINE)
Newcomer = Callable[..., Customer]
Found = dict[tuple[str, str], str]


@pytest.fixture
def shop(schedules_by_hand: Stack) -> Shop:
    """A shop whose divergences no sweep puts right unseen."""
    return Shop(schedules_by_hand)


def reconciled(fairexit: Fairexit, mine: set[str], *more: str) -> tuple[Found, Found, str]:
    """What the command found of my customers: for a person, and repaired; and all it printed."""
    _, printed = fairexit("reconcile", "--everyone", "--rate", "500", *more)
    person, _, repaired = printed.partition("\nRepaired: ")
    return _of(mine, person), _of(mine, repaired), printed


def _of(mine: set[str], printed: str) -> Found:
    found = [match.groups() for match in LINE.finditer(printed)]
    ours = [(kind, customer, subject) for kind, customer, subject in found if customer in mine]
    assert len(ours) == len({(kind, customer) for kind, customer, _ in ours})
    return {(kind, customer): subject for kind, customer, subject in ours}


def part(shop: Shop, planned: list[tuple[Injection, Buyer]], faults: Callable[..., None]) -> None:
    """Let it all happen."""
    for injection, buyer in planned:
        for act in injection.first:
            act(shop, buyer)
    shop.stack.settle(SETTLE_SECONDS)
    faults("dropped")
    for injection, buyer in planned:
        if injection.unheard:
            injection.unheard(shop, buyer)
        if injection.in_table:
            injection.in_table(shop, buyer)
    shop.stack.settle(SETTLE_SECONDS)


def test_a_hundred_divergences_are_found_and_typed_and_none_is_false(
    stack: Stack, shop: Shop, faults: Callable[..., None], fairexit: Fairexit
) -> None:
    planned = buyers_for(shop, INJECTIONS)
    assert (len(planned), len(INJECTIONS)) == (100, 16)
    clean = [shop.buyer() for _ in range(12)]
    for number, buyer in enumerate(clean):
        [Shop.refund, Shop.dispute, Shop.set_to_end][number % 3](shop, buyer)
    stack.settle(SETTLE_SECONDS)
    part(shop, planned, faults)
    stack.advance(OLDER_THAN_THE_GRACE)
    # Refunds while a chargeback is open are refused; the others' are too young to be missed.
    young = [buyer for buyer in clean if not buyer.dispute]
    for buyer in young:
        shop.refund(buyer)
    mine = {buyer.customer for _, buyer in planned} | {buyer.customer for buyer in clean}

    expected = {
        wanted: {(one.kind, buyer.customer) for one, buyer in planned if one.repaired is wanted}
        for wanted in (True, False)
    }
    looked, _, _ = reconciled(fairexit, mine, "--look")
    assert looked.keys() == expected[True] | expected[False]

    person, repaired, printed = reconciled(fairexit, mine)
    assert person.keys() == expected[False]
    assert repaired.keys() == expected[True]
    assert Counter(kind for kind, _ in repaired) == {
        one.kind: one.times for one in INJECTIONS if one.repaired
    }
    assert "moved at Stripe" in printed

    control(stack, "DELETE", "faults")
    stack.settle(SETTLE_SECONDS)
    stack.advance(OLDER_THAN_THE_GRACE)
    again, mended, _ = reconciled(fairexit, mine)
    assert again.keys() == expected[False]
    # The refunds that were too young the first time, and nothing of what was repaired.
    assert mended.keys() == {("refund_unknown_here", one.customer) for one in young}


def test_the_nightly_run_suspends_for_a_chargeback_that_nobody_told_us_of(
    stack: Stack, newcomer: Newcomer, faults: Callable[..., None]
) -> None:
    customer = newcomer()
    shop = Shop(stack)
    buyer = shop.subscribe(customer.id)
    stack.settle(SETTLE_SECONDS)
    faults("dropped")
    shop.dispute(buyer)
    stack.advance(OLDER_THAN_THE_GRACE)
    assert customer.account()["standing"] == "good"
    stack.fire_schedule("reconcile")
    account = customer.account()
    assert (account["standing"], account["causes"][0]["id"]) == ("suspended", buyer.dispute)
    stack.settle(SETTLE_SECONDS)
    assert any("suspended" in mail for mail in customer.mails())
    ask(stack, 200, "GET", f"/v1/access/{customer.id}", stack.service_token())


def test_a_key_that_may_not_read_is_told_in_a_line(
    fairexit: Fairexit, faults: Callable[..., None]
) -> None:
    faults("rate_limited", path="/v1/events")
    assert fairexit("reconcile", "--rate", "500") == (2, "")
