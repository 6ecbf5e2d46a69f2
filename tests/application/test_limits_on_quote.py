"""A quote says beforehand what stands between its confirmation and the money."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.application.limits_on_quote import limits_on
from shared.application.quote_cancellation import quote_cancellation
from shared.application.turn_switch import set_caps, turn_switch
from shared.domain.approval_limits import CUSTOMER_PERIOD, Grant, Grants
from shared.domain.cancellation import Timing
from shared.domain.case import parse_case
from shared.domain.controls import RefundCap, Scope, Spent, Window
from shared.domain.records import Quote
from shared.domain.refund import decide_refund, quote_document
from shared.ports import Put
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    paid_invoice,
    services_with_annual_plan,
    subscription_facts,
)
from tests.fakes.services import START, FakeServices

REFUND = 97479
NEXT_HOUR = "2026-03-10T13:00:00Z"


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def quoted(services: FakeServices, timing: Timing = Timing.IMMEDIATELY) -> dict[str, Any]:
    return quote_cancellation(services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=timing)


def cap(services: FakeServices, *caps: RefundCap) -> None:
    set_caps(services, caps=caps, reason="drill", by="admin")


def test_an_entitlement_needs_nobody_and_waits_for_nothing(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.EVERYONE, Window.HOUR, 1, (("usd", REFUND),)))
    shown = quoted(services)
    assert shown["limits"] == {"approval": "nobody", "delays": []}
    stored = services.store.get(Quote, CUSTOMER, shown["id"])
    assert stored is not None
    assert json.loads(stored.record.limits) == shown["limits"]


def test_a_cap_that_is_used_up_shows_until_when(services: FakeServices) -> None:
    cap(
        services,
        RefundCap(Scope.CUSTOMER, Window.HOUR, 5, (("usd", REFUND + 99),)),
        RefundCap(Scope.EVERYONE, Window.DAY, 9),
    )
    spent = Spent(CUSTOMER, Window.HOUR, START.replace(minute=0), 1, (("usd", 100),))
    services.store.commit([Put(spent, 0)])
    assert quoted(services)["limits"]["delays"] == [
        {"lever": "cap", "scope": "customer", "window": "hour", "until": NEXT_HOUR}
    ]


def test_a_refund_above_the_whole_cap_waits_for_a_person(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.EVERYONE, Window.HOUR, 9, (("usd", REFUND - 1),)))
    assert quoted(services)["limits"]["delays"] == [
        {"lever": "cap", "scope": "everyone", "window": "hour", "until": None}
    ]


@pytest.mark.parametrize("turned", [True, False], ids=["stopped", "never opened"])
def test_a_closed_switch_shows(services: FakeServices, turned: bool) -> None:
    if turned:
        turn_switch(services, money_moves=False, reason="drill", by="admin")
    else:
        del services.store.table["CUST#operations", "CONTROLS"]
    assert quoted(services)["limits"]["delays"] == [
        {"lever": "switch", "scope": None, "window": None, "until": None}
    ]


def test_what_returns_nothing_meets_no_limit(services: FakeServices) -> None:
    turn_switch(services, money_moves=False, reason="drill", by="admin")
    shown = quoted(services, Timing.AT_PERIOD_END)
    assert shown["quote"]["total"] == 0
    assert shown["limits"] == {"approval": "nobody", "delays": []}


def discretionary(total: int, agent_limit: int = 20_000) -> dict[str, Any]:
    """The members of a document that the limits look at."""
    entry = {"kind": "approval", "ruled": "needs_person", "saw": {"agent_limit": agent_limit}}
    return {
        "outcome": "needs_approval",
        "total": total,
        "currency": "usd",
        "allocation": [],
        "trace": [entry],
    }


@pytest.mark.parametrize(
    ("total", "agent_limit", "granted_before", "needs"),
    [
        (5_000, 20_000, 0, "one_person"),  # the policy asks a person, whatever the limits say
        (20_000, 20_000, 0, "one_person"),
        (20_000, 19_999, 0, "two_people"),  # the policy's limit binds
        (20_001, 99_999, 0, "two_people"),  # ours does
        (20_000, 20_000, 1, "two_people"),  # with what was granted before
        (200_001, 999_999, 0, "admin"),
    ],
)
def test_discretionary_money_shows_whose_consent_it_needs(
    services: FakeServices, total: int, agent_limit: int, granted_before: int, needs: str
) -> None:
    if granted_before:
        grant = Grant(START - timedelta(days=3), granted_before, "usd")
        services.store.commit([Put(Grants(CUSTOMER).plus(grant, CUSTOMER_PERIOD), 0)])
    document = discretionary(total, agent_limit)
    assert limits_on(services, CUSTOMER, document, START)["approval"] == needs


def test_the_document_of_a_pack_that_leaves_it_to_people_shows_that(
    services: FakeServices,
) -> None:
    services.policy = "rtc"
    start = START - timedelta(days=2)
    services.billing.known_subscriptions[SUBSCRIPTION] = subscription_facts(start=start)
    services.billing.invoices["in_1"] = paid_invoice(start=start)
    stored = services.store.get(Quote, CUSTOMER, quoted(services)["id"])
    assert stored is not None
    asked = json.loads(stored.record.case)
    asked["request"]["evidence"] = ["log"]
    case = parse_case(asked)
    policy = services.policies.load_policy_for(case)
    document = quote_document(decide_refund(policy, case))
    assert document["outcome"] == "needs_approval"
    assert limits_on(services, CUSTOMER, document, START)["approval"] == "two_people"


def test_a_statutory_refund_is_held_by_the_switch_alone(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.EVERYONE, Window.HOUR, 0))
    document = discretionary(100) | {
        "outcome": "granted",
        "allocation": [{"payment": "pi_1", "amount": 100}],
        "trace": [{"kind": "statute", "ruled": "passed", "saw": {}}],
    }
    assert limits_on(services, CUSTOMER, document, START)["delays"] == []
    turn_switch(services, money_moves=False, reason="drill", by="admin")
    assert limits_on(services, CUSTOMER, document, START)["delays"][0]["lever"] == "switch"


def test_several_payments_of_one_refund_count_each(services: FakeServices) -> None:
    cap(services, RefundCap(Scope.CUSTOMER, Window.DAY, 1, (("usd", 99),)))
    parts = [{"payment": f"pi_{number}", "amount": 60} for number in (1, 2)]
    document = discretionary(120) | {"outcome": "granted", "allocation": parts}
    (delay,) = limits_on(services, CUSTOMER, document, START)["delays"]
    assert delay["until"] == "2026-03-11T00:00:00Z"
