"""Unpaid invoices: past due, reminded, suspended, ended; each cause lifts on its own."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.application.dun import refresh_invoice
from shared.application.handle_dispute import handle_dispute
from shared.application.show_account import check_access, show_account
from shared.domain.arrears import Arrears, DunningFacts
from shared.domain.dispute import DisputeOutcome
from shared.domain.effects import EffectKind
from shared.domain.records import AuditEntry
from shared.domain.subscription import Subscription
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    chargeback,
    services_with_annual_plan,
)
from tests.application.test_dispute_lives import LIVES, end_of, facts, look, world
from tests.fakes.services import FakeServices


def bill(**change: Any) -> DunningFacts:
    facts = DunningFacts(
        id="in_late",
        number="A-0002",
        customer=CUSTOMER,
        subscription=SUBSCRIPTION,
        status="open",
        due=4_900,
        paid=0,
        currency="usd",
        failed=True,
        first=False,
        page="https://pay.example.com/in_late",
    )
    return replace(facts, **change)


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def hear(services: FakeServices, **change: Any) -> str:
    services.billing.unpaid["in_late"] = bill(**change)
    return refresh_invoice(services, customer=CUSTOMER, invoice="in_late")


def pass_days(services: FakeServices, days: int) -> None:
    for _ in range(days):
        services.clock.advance(days=1)
        services.billing.now = services.clock.now()
        services.run_due_work()
        services.run_effects(rounds=200)


def standing(services: FakeServices) -> tuple[str, list[str]]:
    shown = show_account(services, customer=CUSTOMER)
    return shown["standing"], [cause["kind"] for cause in shown["causes"]]


def mails(services: FakeServices) -> list[str]:
    return [mail["template"] for mail in services.mailer.sent]


def entitled(services: FakeServices) -> bool:
    return bool(check_access(services, customer=CUSTOMER)["entitled"])


def test_a_failed_collection_is_past_due_and_service_goes_on(services: FakeServices) -> None:
    assert hear(services) == "past_due"
    assert standing(services) == ("past_due", ["past_due"])
    assert entitled(services)


@pytest.mark.clause("voip.violation")
def test_the_ladder_of_the_policy_is_climbed_rung_by_rung(services: FakeServices) -> None:
    hear(services)
    pass_days(services, 2)
    assert mails(services) == []
    pass_days(services, 1)
    assert mails(services) == ["payment_reminder"]
    pass_days(services, 6)
    assert mails(services) == ["payment_reminder"]
    pass_days(services, 1)
    assert mails(services) == ["payment_reminder"] * 2
    pass_days(services, 3)
    assert entitled(services)
    pass_days(services, 1)
    assert mails(services)[2:] == ["account_suspended_unpaid"]
    assert standing(services) == ("suspended", ["past_due", "non_payment"])
    assert not entitled(services)
    pass_days(services, 15)
    assert services.billing.called("cancel_now") == []
    pass_days(services, 1)
    ended = services.store.get(Subscription, CUSTOMER, SUBSCRIPTION)
    assert ended is not None
    assert ended.record.ended_at is not None
    assert len(services.billing.called("cancel_now")) == 1
    assert services.billing.refunds == {}
    (cited,) = [
        one.record.details
        for one in services.store.all_of(AuditEntry, CUSTOMER)
        if one.record.what == "ended_without_refund"
    ]
    assert (cited["clause"], cited["refund"]) == ("voip.violation", 0)


def test_collection_goes_on_while_an_account_is_suspended_for_not_paying(
    services: FakeServices,
) -> None:
    hear(services)
    pass_days(services, 14)
    assert services.effects(CUSTOMER, EffectKind.PLAN_COLLECTION) == []


@pytest.mark.parametrize("status", ["paid", "void"])
def test_paying_reinstates_and_ends_the_ladder(services: FakeServices, status: str) -> None:
    hear(services)
    pass_days(services, 14)
    assert hear(services, status=status, due=0) == "settled"
    assert standing(services) == ("good", [])
    assert entitled(services)
    pass_days(services, 30)
    assert services.billing.called("cancel_now") == []
    assert mails(services)[-1] == "account_reinstated"


def test_a_payment_whose_event_was_lost_is_seen_before_anything_follows(
    services: FakeServices,
) -> None:
    hear(services)
    services.billing.unpaid["in_late"] = bill(status="paid", due=0)
    pass_days(services, 3)
    assert (standing(services), mails(services)) == (("good", []), [])


def test_causes_add_up_and_lift_one_by_one(services: FakeServices) -> None:
    hear(services)
    pass_days(services, 14)
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert standing(services) == ("suspended", ["past_due", "non_payment", "dispute"])
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.WON)
    handle_dispute(services, dispute="du_1", event="evt_2", event_type="t")
    assert standing(services) == ("suspended", ["past_due", "non_payment"])
    services.run_effects(rounds=200)
    # Only the dispute had stopped collection, so it goes on though service is still off.
    assert services.billing.paused == set()
    assert "account_reinstated" not in mails(services)
    hear(services, status="paid", due=0)
    assert standing(services) == ("good", [])


def test_the_ladder_stands_still_while_nothing_may_be_charged(services: FakeServices) -> None:
    hear(services)
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    pass_days(services, 10)
    assert "payment_reminder" not in mails(services)
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.WON)
    handle_dispute(services, dispute="du_1", event="evt_2", event_type="t")
    pass_days(services, 1)
    assert mails(services).count("payment_reminder") == 1
    assert not any(cause == "non_payment" for cause in standing(services)[1])


@pytest.mark.parametrize(
    "change",
    [{"first": True}, {"failed": False}, {"due": 0}, {"status": "draft"}, {"receivable": "usd"}],
    ids=str,
)
def test_what_was_not_asked_for_in_vain_is_not_past_due(
    services: FakeServices, change: dict[str, Any]
) -> None:
    assert hear(services, **change) == "nothing_new"
    assert standing(services) == ("good", [])


def test_an_invoice_that_the_customer_pays_by_themselves_is_late_after_its_day(
    services: FakeServices,
) -> None:
    due = services.clock.now()
    assert hear(services, failed=False, pay_by=due) == "nothing_new"
    services.clock.advance(seconds=1)
    assert hear(services, failed=False, pay_by=due) == "past_due"


def test_a_policy_without_a_ladder_only_notes_it(services: FakeServices) -> None:
    services.policy = "rtc"
    hear(services)
    pass_days(services, 60)
    assert (standing(services)[0], mails(services)) == ("past_due", [])


def test_an_invoice_of_somebody_else_is_not_followed(services: FakeServices) -> None:
    assert hear(services, customer="cus_other") == "nothing_new"
    assert services.store.get(Arrears, CUSTOMER, "in_late") is None


def test_the_same_news_twice_climbs_no_rung_twice(services: FakeServices) -> None:
    for _ in range(3):
        hear(services)
    pass_days(services, 3)
    for _ in range(3):
        hear(services)
    services.run_effects(rounds=50)
    assert mails(services) == ["payment_reminder"]


Seen = dict[str, Any]
OPEN: Seen = {}
PAID: Seen = {"status": "paid", "due": 0}
VOID: Seen = {"status": "void", "due": 0}
RETRIED: Seen = {"due": 4_900, "failed": True}
BILLS: dict[str, tuple[Seen, ...]] = {
    "never paid": (OPEN, RETRIED),
    "paid after all": (OPEN, RETRIED, PAID),
    "void": (OPEN, VOID),
    "written off": (OPEN, {"status": "uncollectible"}),
}


@settings(max_examples=150)
@given(
    life=st.sampled_from(sorted(LIVES)),
    bills=st.sampled_from(sorted(BILLS)),
    order=st.permutations([0] * 5 + [1] * 3),
    again=st.lists(st.integers(0, 7), max_size=4),
    carried=st.booleans(),
)
def test_a_dispute_and_an_unpaid_invoice_end_alike_in_any_order(
    life: str, bills: str, order: list[int], again: list[int], carried: bool
) -> None:
    """Deliveries of both are mixed, doubled and late; the end is that of the last states alone."""
    services, names = world(), ("du_1", "in_late")
    left: list[list[dict[str, Any]]] = [list(LIVES[life]), list(BILLS[bills])]
    for number, which in enumerate(order):
        if left[which]:
            state = left[which].pop(0)
            if which:
                services.billing.unpaid[names[1]] = bill(**state)
            else:
                services.billing.disputes[names[0]] = facts(state)
        # A delivery says only "look", and may come again at any later time.
        for _ in range(1 + again.count(number)):
            if names[0] in services.billing.disputes:
                look(services, names[0], number)
            refresh_invoice(services, customer=CUSTOMER, invoice=names[1])
        if carried:
            services.run_effects(rounds=500)
    look(services, names[0], len(order))
    at_once = world()
    at_once.billing.disputes[names[0]] = facts(LIVES[life][-1])
    at_once.billing.unpaid[names[1]] = bill(**BILLS[bills][-1])
    refresh_invoice(at_once, customer=CUSTOMER, invoice=names[1])
    look(at_once, names[0], 0)
    assert end_of(services) == end_of(at_once)
