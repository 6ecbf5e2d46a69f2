"""Disputes: inquiry, chargeback, won, lost, in any order and any number of times."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import UNASSIGNED, handle_dispute
from shared.application.quote_cancellation import quote_cancellation
from shared.application.refresh_subscription import refresh_subscription
from shared.application.show_account import check_access, show_account
from shared.application.show_cancellation import show_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import (
    Dispute,
    DisputeEffect,
    DisputeFacts,
    DisputeKind,
    DisputeOutcome,
    DisputePhase,
)
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError
from shared.domain.ledger import Book, LedgerEntry
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def arrive(
    services: FakeServices,
    outcome: DisputeOutcome = DisputeOutcome.UNDECIDED,
    *,
    kind: DisputeKind = DisputeKind.CHARGEBACK,
    event: str | None = None,
) -> tuple[DisputeEffect, ...]:
    services.billing.disputes["du_1"] = chargeback(outcome=outcome, kind=kind)
    return handle_dispute(
        services, dispute="du_1", event=event or f"evt_{kind}_{outcome}", event_type="t"
    )


def account(services: FakeServices) -> dict[str, Any]:
    return show_account(services, customer=CUSTOMER)


def books(services: FakeServices) -> dict[Book, int]:
    total: dict[Book, int] = {}
    for stored in services.store.all_of(LedgerEntry, CUSTOMER):
        entry = stored.record
        total[entry.source] = total.get(entry.source, 0) - entry.amount
        total[entry.target] = total.get(entry.target, 0) + entry.amount
    return {book: amount for book, amount in total.items() if amount}


def test_a_chargeback_suspends_in_the_commit_of_its_event(services: FakeServices) -> None:
    assert arrive(services) == (DisputeEffect.BOOK, DisputeEffect.SUSPEND)
    shown = account(services)
    assert shown["standing"] == "suspended"
    assert [cause["id"] for cause in shown["causes"]] == ["du_1"]
    assert not check_access(services, customer=CUSTOMER)["entitled"]
    assert services.billing.calls == []


def test_amount_and_fee_are_shown_as_in_dispute(services: FakeServices) -> None:
    arrive(services)
    assert account(services)["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 121500}]


def test_collection_stops_on_every_subscription_and_open_invoice(services: FakeServices) -> None:
    other = replace(services.billing.known_subscriptions[SUBSCRIPTION], id="sub_other")
    services.billing.known_subscriptions["sub_other"] = other
    services.billing.invoices["in_open"] = replace(paid_invoice(), id="in_open", status="open")
    arrive(services)
    services.run_effects()
    assert services.billing.paused == {SUBSCRIPTION, "sub_other"}
    assert services.billing.held == {"in_open"}


def test_the_customer_and_the_company_are_told(services: FakeServices) -> None:
    arrive(services)
    services.run_effects()
    (mail,) = services.mailer.sent
    assert (mail["template"], mail["values"]["amount"]) == ("account_suspended", "1200.00 USD")
    ((name, detail),) = services.bus.published
    assert (name, detail["cause"]) == ("AccountSuspended", {"kind": "dispute", "id": "du_1"})


def test_an_inquiry_is_recorded_and_suspends_nothing(services: FakeServices) -> None:
    assert arrive(services, kind=DisputeKind.INQUIRY) == (DisputeEffect.TELL_INQUIRY,)
    services.run_effects()
    assert account(services)["standing"] == "good"
    assert account(services)["balances"] == []
    assert services.billing.calls == []
    assert services.store.get(Dispute, CUSTOMER, "du_1") is not None


def test_an_inquiry_that_becomes_a_chargeback_suspends_then(services: FakeServices) -> None:
    arrive(services, kind=DisputeKind.INQUIRY)
    arrive(services)
    assert account(services)["standing"] == "suspended"


def test_won_reinstates_and_starts_what_was_stopped(services: FakeServices) -> None:
    arrive(services)
    services.run_effects()
    did = arrive(services, DisputeOutcome.WON)
    assert did == (DisputeEffect.BOOK, DisputeEffect.REINSTATE, DisputeEffect.TELL_WIN)
    services.run_effects()
    assert account(services)["standing"] == "good"
    assert account(services)["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    assert services.billing.paused == set()
    assert check_access(services, customer=CUSTOMER)["entitled"]
    assert books(services) == {Book.BANK: -1500, Book.ABSORBED: 1500}


def test_only_what_we_stopped_is_started_again(services: FakeServices) -> None:
    paused = replace(services.billing.known_subscriptions[SUBSCRIPTION], collection_paused=True)
    services.billing.known_subscriptions[SUBSCRIPTION] = paused
    arrive(services)
    services.run_effects()
    arrive(services, DisputeOutcome.WON)
    services.run_effects()
    assert services.billing.called("pause_collection") == []
    assert services.billing.called("resume_collection") == []


def test_lost_turns_the_amount_into_owed_balance(services: FakeServices) -> None:
    arrive(services)
    did = arrive(services, DisputeOutcome.LOST)
    assert did == (DisputeEffect.BOOK, DisputeEffect.TELL_LOSS)
    shown = account(services)
    assert shown["balances"] == [{"currency": "usd", "owed": 121500, "in_dispute": 0}]
    assert shown["standing"] == "suspended"
    assert books(services) == {Book.BANK: -121500, Book.OWED: 121500}


def test_lost_on_arrival_is_suspended_and_owed(services: FakeServices) -> None:
    arrive(services, DisputeOutcome.LOST)
    shown = account(services)
    assert shown["balances"] == [{"currency": "usd", "owed": 121500, "in_dispute": 0}]
    assert shown["standing"] == "suspended"


def test_lost_and_later_won_leaves_nothing_owed(services: FakeServices) -> None:
    arrive(services)
    arrive(services, DisputeOutcome.LOST)
    arrive(services, DisputeOutcome.WON)
    shown = account(services)
    assert shown["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]
    assert shown["standing"] == "good"
    assert books(services) == {Book.BANK: -1500, Book.ABSORBED: 1500}


def test_the_same_event_twice_is_one_event(services: FakeServices) -> None:
    arrive(services, event="evt_1")
    before = dict(services.store.table)
    assert arrive(services, event="evt_1") == (DisputeEffect.NOTHING,)
    assert services.store.table == before


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_end_is_the_same_in_every_order_of_events(order: tuple[int, ...]) -> None:
    """Every event only says "look"; what is seen is the present, so the order cannot matter."""
    services = services_with_annual_plan()
    services.billing.disputes["du_1"] = chargeback(outcome=DisputeOutcome.LOST)
    for number in (*order, *order):
        handle_dispute(services, dispute="du_1", event=f"evt_{number}", event_type="t")
    assert account(services)["balances"] == [{"currency": "usd", "owed": 121500, "in_dispute": 0}]
    assert len(services.store.all_of(LedgerEntry, CUSTOMER)) == 4


def test_a_second_chargeback_keeps_the_suspension_when_the_first_is_won(
    services: FakeServices,
) -> None:
    arrive(services)
    services.billing.disputes["du_2"] = replace(chargeback(), id="du_2")
    handle_dispute(services, dispute="du_2", event="evt_2", event_type="t")
    arrive(services, DisputeOutcome.WON)
    shown = account(services)
    assert [cause["id"] for cause in shown["causes"]] == ["du_2"]
    assert not check_access(services, customer=CUSTOMER)["entitled"]


def test_an_unknown_status_is_kept_and_acts_on_nothing(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = replace(
        chargeback(), phase=DisputePhase.UNRECOGNIZED, raw_status="newly_invented"
    )
    effects = handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert effects == (DisputeEffect.PARK,)
    stored = services.store.get(Dispute, CUSTOMER, "du_1")
    assert stored is not None
    assert stored.record.raw_status == "newly_invented"
    assert account(services)["standing"] == "good"


def test_a_dispute_without_a_customer_waits_for_a_person(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = replace(chargeback(), customer=None)
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert services.store.get(Dispute, UNASSIGNED, "du_1") is not None
    assert services.waker.woken == []


def confirm_cancel_now(services: FakeServices) -> dict[str, Any]:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    answer = cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    return answer.body


def test_a_chargeback_between_confirmation_and_refund_stops_the_refund(
    services: FakeServices,
) -> None:
    body = confirm_cancel_now(services)
    arrive(services)
    services.run_effects()
    assert services.billing.called("refund_payment") == []
    shown = show_cancellation(services, customer=CUSTOMER, cancellation=body["id"])
    assert (shown["state"], shown["refunds"][0]["status"]) == ("needs_person", "rejected")


def test_a_chargeback_between_quote_and_confirmation_changes_a_fact(
    services: FakeServices,
) -> None:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    services.billing.invoices["in_1"] = paid_invoice(refundable=False)
    arrive(services)
    with pytest.raises(ConflictError) as refusal:
        cancel_subscription(
            services,
            customer=CUSTOMER,
            request=ConfirmQuote(quote["id"]),
            call=ClientCall("r", "k", "b"),
        )
    assert refusal.value.slug == "facts-changed"
    assert refusal.value.members["quote"]["quote"]["total"] == 0


def test_a_stop_that_comes_after_the_win_stops_nothing(services: FakeServices) -> None:
    arrive(services)
    arrive(services, DisputeOutcome.WON)
    services.run_effects()
    assert services.billing.paused == set()
    (stop, _start) = services.effects(CUSTOMER, EffectKind.PLAN_COLLECTION)
    assert "skipped" in stop.result


def test_a_suspended_customer_can_still_cancel_and_gets_nothing_back(
    services: FakeServices,
) -> None:
    arrive(services)
    services.run_effects()
    body = confirm_cancel_now(services)
    services.run_effects()
    assert (body["state"], body["refunds"]) == ("scheduled", [])
    assert body["effective_at"] == "2027-01-01T00:00:00Z"
    assert services.billing.known_subscriptions[SUBSCRIPTION].cancels_at is not None
    assert services.billing.refunds == {}


def test_an_unknown_status_in_between_does_not_hide_what_was_done(services: FakeServices) -> None:
    arrive(services)
    services.billing.disputes["du_1"] = replace(
        chargeback(), phase=DisputePhase.UNRECOGNIZED, raw_status="newly_invented"
    )
    handle_dispute(services, dispute="du_1", event="evt_between", event_type="t")
    assert account(services)["standing"] == "suspended"
    arrive(services, DisputeOutcome.WON)
    assert account(services)["standing"] == "good"
    assert account(services)["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 0}]


def test_a_withdrawal_that_shows_after_the_dispute_is_booked_then(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = replace(chargeback(), withdrawn=0, fee=0)
    first = handle_dispute(services, dispute="du_1", event="evt_created", event_type="t")
    assert first == (DisputeEffect.SUSPEND,)
    assert account(services)["balances"] == []
    assert arrive(services, event="evt_withdrawn") == (DisputeEffect.BOOK,)
    assert account(services)["balances"] == [{"currency": "usd", "owed": 0, "in_dispute": 121500}]
    arrive(services, DisputeOutcome.LOST)
    assert books(services) == {Book.BANK: -121500, Book.OWED: 121500}


def test_access_is_off_after_two_questions_at_stripe_and_one_transaction(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latency of a suspension in operations: what lies between the event and access off."""
    services.billing.disputes["du_1"] = chargeback()
    asked: list[str] = []
    dispute = services.billing.dispute

    def counted(name: str) -> DisputeFacts | None:
        asked.append(name)
        return dispute(name)

    monkeypatch.setattr(services.billing, "dispute", counted)
    commits = services.store.commits
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    assert not check_access(services, customer=CUSTOMER)["entitled"]
    assert (asked, services.store.commits - commits) == (["du_1", "du_1"], 1)
    # Nothing was changed at Stripe before: not a pause, not a mail.
    assert services.billing.calls == []


def test_a_subscription_that_begins_while_nothing_may_be_charged_is_stopped_as_well(
    services: FakeServices,
) -> None:
    arrive(services)
    services.run_effects()
    begun = replace(services.billing.known_subscriptions[SUBSCRIPTION], id="sub_new")
    services.billing.known_subscriptions[begun.id] = begun
    refresh_subscription(services, customer=CUSTOMER, subscription=begun.id)
    services.run_effects()
    assert services.billing.paused == {SUBSCRIPTION, "sub_new"}
    arrive(services, DisputeOutcome.WON)
    services.run_effects()
    assert services.billing.paused == set()
