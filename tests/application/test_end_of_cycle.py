"""Cancel at the end of the cycle, take it back, and the end itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.do_due_work import spread
from shared.application.quote_cancellation import quote_cancellation
from shared.application.refresh_subscription import refresh_subscription
from shared.application.show_account import check_access, show_subscriptions
from shared.application.withdraw_cancellation import withdraw_cancellation
from shared.domain.cancellation import Timing
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.invoice import InvoiceFacts, PendingCharge
from shared.domain.records import AuditEntry
from shared.domain.subscription import Subscription, SubscriptionStatus
from shared.ports import DueKey
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    YEAR_END,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def cancel(services: FakeServices, key: str = "key-1") -> dict[str, Any]:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.AT_PERIOD_END
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("POST /v1/cancellations", key, quote["id"]),
    )
    return answer.body


def seen(services: FakeServices) -> Any:
    return services.billing.known_subscriptions[SUBSCRIPTION]


def access(services: FakeServices) -> bool:
    entitled: bool = check_access(services, customer=CUSTOMER)["entitled"]
    return entitled


def pending(start: datetime, end: datetime, amount: int = 9000) -> PendingCharge:
    return PendingCharge("ii_1", SUBSCRIPTION, amount, "usd", "Add-on", start, end)


def test_service_goes_on_and_stripe_is_told(services: FakeServices) -> None:
    body = cancel(services)
    services.run_effects()
    assert (body["state"], body["refunds"]) == ("scheduled", [])
    assert body["can_withdraw_until"] == "2027-01-01T00:00:00Z"
    assert seen(services).cancels_at == YEAR_END
    assert access(services)


def test_access_ends_at_the_second_even_if_no_job_has_run(services: FakeServices) -> None:
    cancel(services)
    services.clock.instant = YEAR_END - timedelta(seconds=1)
    assert access(services)
    services.clock.instant = YEAR_END
    assert not access(services)


def test_the_schedule_ends_it_once(services: FakeServices) -> None:
    cancel(services)
    services.run_effects()
    services.clock.instant = YEAR_END + timedelta(minutes=1)
    assert services.run_due_work()["ended"] == 1
    assert services.run_due_work()["ended"] == 0
    services.run_effects()
    (shown,) = show_subscriptions(services, customer=CUSTOMER)["data"]
    assert (shown["status"], shown["cancellation"]["state"]) == ("ended", "executed")
    assert shown["items"][0]["access_until"] == "2027-01-01T00:00:00Z"
    assert [name for name, _ in services.bus.published].count("SubscriptionEnded") == 1


def test_the_schedule_ends_nothing_early(services: FakeServices) -> None:
    cancel(services)
    services.run_effects()
    services.clock.instant = YEAR_END - timedelta(seconds=1)
    assert services.run_due_work()["ended"] == 0


def test_a_missed_late_or_double_deletion_event_changes_nothing(services: FakeServices) -> None:
    cancel(services)
    services.run_effects()
    services.clock.instant = YEAR_END + timedelta(hours=1)
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(
        seen(services), status=SubscriptionStatus.ENDED, ended_at=YEAR_END
    )
    services.run_due_work()
    services.run_effects()
    before = dict(services.store.table)
    for _ in range(2):
        refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert services.store.table == before


def test_a_deletion_event_before_the_schedule_ends_it_just_the_same(
    services: FakeServices,
) -> None:
    cancel(services)
    services.run_effects()
    services.clock.instant = YEAR_END + timedelta(seconds=5)
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(
        seen(services), status=SubscriptionStatus.ENDED, ended_at=YEAR_END
    )
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert services.run_due_work()["ended"] == 0
    (shown,) = show_subscriptions(services, customer=CUSTOMER)["data"]
    assert shown["cancellation"]["state"] == "executed"


def test_a_subscription_that_stripe_still_runs_is_cancelled_there(services: FakeServices) -> None:
    cancel(services)
    services.waker.woken.clear()  # nothing has reached Stripe
    services.billing.now = YEAR_END
    services.clock.instant = YEAR_END
    services.run_due_work()
    services.run_effects()
    assert seen(services).status is SubscriptionStatus.ENDED


def test_taking_it_back_restores_renewal(services: FakeServices) -> None:
    body = cancel(services)
    services.run_effects()
    services.clock.instant = YEAR_END - timedelta(seconds=1)
    withdrawn = withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    services.run_effects()
    assert withdrawn["state"] == "withdrawn"
    assert seen(services).cancels_at is None
    services.clock.advance(days=2)
    assert services.run_due_work()["ended"] == 0
    assert access(services)


def test_taking_it_back_at_the_end_is_too_late(services: FakeServices) -> None:
    body = cancel(services)
    services.clock.instant = YEAR_END
    with pytest.raises(ConflictError) as refusal:
        withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    assert refusal.value.slug == "too-late"


def test_taking_it_back_again_is_answered_alike_and_changes_nothing(
    services: FakeServices,
) -> None:
    """Whoever heard no answer asks again, even after the end."""
    body = cancel(services)
    first = withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    woken, trail = len(services.waker.woken), len(services.store.all_of(AuditEntry, CUSTOMER))
    services.clock.instant = YEAR_END
    again = withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    assert again == first
    assert len(services.waker.woken) == woken
    assert len(services.store.all_of(AuditEntry, CUSTOMER)) == trail


def test_anothers_cancellation_is_not_there(services: FakeServices) -> None:
    body = cancel(services)
    with pytest.raises(NotFoundError):
        withdraw_cancellation(services, customer="cus_eve", cancellation=body["id"])


def test_it_can_be_cancelled_again_after_taking_it_back(services: FakeServices) -> None:
    first = cancel(services)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=first["id"])
    second = cancel(services, key="key-2")
    services.run_effects()
    assert second["id"] != first["id"]
    assert seen(services).cancels_at == YEAR_END


def test_taken_back_before_stripe_was_told_leaves_stripe_renewing(services: FakeServices) -> None:
    body = cancel(services)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    services.run_effects()
    assert seen(services).cancels_at is None
    (schedule,) = services.effects(CUSTOMER, EffectKind.SCHEDULE_CANCELLATION)
    assert "skipped" in schedule.result


def test_a_pending_charge_for_later_goes_and_comes_back(services: FakeServices) -> None:
    later = YEAR_END + timedelta(days=365)
    services.billing.charges["ii_1"] = pending(YEAR_END, later)
    body = cancel(services)
    services.run_effects()
    assert services.billing.charges == {}
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    services.run_effects()
    (back,) = services.billing.charges.values()
    assert (back.amount, back.period_start, back.period_end) == (9000, YEAR_END, later)


def test_a_pending_charge_for_time_before_the_end_stays(services: FakeServices) -> None:
    services.billing.charges["ii_1"] = pending(datetime(2026, 2, 1, tzinfo=UTC), YEAR_END)
    cancel(services)
    services.run_effects()
    assert services.billing.called("remove_charge") == []


def test_a_pending_charge_across_the_end_keeps_its_earned_part(services: FakeServices) -> None:
    start, end = YEAR_END - timedelta(days=10), YEAR_END + timedelta(days=20)
    services.billing.charges["ii_1"] = pending(start, end, amount=10000)
    body = cancel(services)
    services.run_effects()
    (earned,) = services.billing.charges.values()
    assert (earned.amount, earned.period_start, earned.period_end) == (3333, start, YEAR_END)
    withdraw_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    services.run_effects()
    assert sum(charge.amount for charge in services.billing.charges.values()) == 10000


def later_invoice(status: str) -> InvoiceFacts:
    return replace(
        paid_invoice(start=YEAR_END, end=YEAR_END + timedelta(days=365)),
        id=f"in_{status}",
        status=status,
        payments=(),
    )


def test_drafts_and_unpaid_invoices_for_later_go_when_it_has_ended(services: FakeServices) -> None:
    cancel(services)
    services.run_effects()
    services.billing.invoices |= {i.id: i for i in map(later_invoice, ("draft", "open"))}
    services.clock.instant = YEAR_END
    services.billing.now = YEAR_END
    services.run_due_work()
    services.run_effects()
    assert services.billing.invoices["in_draft"].status == "void"
    assert services.billing.invoices["in_open"].status == "void"


def test_earned_debt_stays(services: FakeServices) -> None:
    owed = paid_invoice()
    lines = (replace(owed.lines[0], id="il_debt"),)
    unpaid = replace(owed, id="in_debt", status="open", payments=(), lines=lines)
    services.billing.invoices["in_debt"] = unpaid
    cancel(services)
    services.clock.instant = YEAR_END
    services.billing.now = YEAR_END
    services.run_due_work()
    services.run_effects()
    assert services.billing.invoices["in_debt"].status == "open"


def test_an_end_set_in_the_dashboard_is_followed_and_its_undoing_too(
    services: FakeServices,
) -> None:
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(
        seen(services), cancels_at=YEAR_END
    )
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert check_access(services, customer=CUSTOMER)["access_until"] == "2027-01-01T00:00:00Z"
    services.billing.known_subscriptions[SUBSCRIPTION] = replace(seen(services), cancels_at=None)
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert check_access(services, customer=CUSTOMER)["access_until"] is None


def test_a_refresh_that_finds_nothing_new_writes_nothing(services: FakeServices) -> None:
    commits = services.store.commits
    assert not refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert services.store.commits == commits


def test_an_older_answer_never_overwrites_a_newer_one(services: FakeServices) -> None:
    older, newer = seen(services), replace(seen(services), cancels_at=YEAR_END)

    def a_faster_worker() -> None:
        services.billing.known_subscriptions[SUBSCRIPTION] = newer
        refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)

    services.billing.known_subscriptions[SUBSCRIPTION] = replace(
        older, status=SubscriptionStatus.PAST_DUE
    )
    services.store.before_commit = [a_faster_worker]
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert check_access(services, customer=CUSTOMER)["access_until"] == "2027-01-01T00:00:00Z"


def test_what_follows_from_many_ends_at_once_is_woken_one_after_the_other(
    services: FakeServices,
) -> None:
    ends = [DueKey(Subscription, CUSTOMER, f"sub_{number}") for number in range(41)]
    effect = DueKey(Effect, CUSTOMER, "01A")
    assert [seconds for _, seconds in spread(services, [ends[0], effect])] == [0, 0]
    assert [seconds for _, seconds in spread(services, ends)][19:21] == [0, 1]
    assert [seconds for _, seconds in spread(services, ends, parts=4)][-1] == 8
