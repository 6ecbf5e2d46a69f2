"""Refunds made in Stripe's dashboard, or promised by a table that was lost since."""

from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.client_keys import ClientCall
from shared.application.handle_dispute import handle_dispute
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.domain.dispute import Dispute
from shared.domain.effects import EffectKind
from shared.domain.errors import RefusedError
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.records import AuditEntry
from shared.domain.refund_operation import RefundFacts, RefundOperation, RefundStatus
from tests.application.builders import (
    CUSTOMER,
    SUBSCRIPTION,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import START, FakeServices

PAID = 120_000


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def dashboard_refund(
    services: FakeServices, *, amount: int = 3_000, name: str = "re_dash", **known: Any
) -> str:
    facts = RefundFacts(
        id=name,
        payment="pi_1",
        amount=amount,
        currency="usd",
        status="succeeded",
        failure=None,
        operation=None,
        operation_customer=None,
        customer=CUSTOMER,
        created_at=START,
    )
    services.billing.refunds[name] = replace(facts, **known)
    return name


def payment(services: FakeServices) -> Payment:
    stored = services.store.get(Payment, CUSTOMER, "pi_1")
    assert stored is not None
    return stored.record


def books(services: FakeServices) -> dict[Book, int]:
    total: Counter[Book] = Counter()
    for stored in services.store.all_of(LedgerEntry, CUSTOMER):
        total[stored.record.source] -= stored.record.amount
        total[stored.record.target] += stored.record.amount
    return {book: amount for book, amount in total.items() if amount}


def entries(services: FakeServices) -> list[LedgerEntry]:
    return [one.record for one in services.store.all_of(LedgerEntry, CUSTOMER)]


def test_it_counts_against_the_cap_and_stands_in_the_ledger(services: FakeServices) -> None:
    name = dashboard_refund(services)
    assert refresh_refund(services, refund=name) == "succeeded"
    assert (payment(services).refunded, payment(services).left()) == (3_000, PAID - 3_000)
    (entry,) = entries(services)
    assert (entry.what, entry.amount, entry.evidence) == (
        "foreign_refund",
        3_000,
        ("re_dash", "pi_1"),
    )
    trail = [one.record.what for one in services.store.all_of(AuditEntry, CUSTOMER)]
    assert trail == ["foreign_refund_succeeded"]
    services.run_effects()
    assert (services.mailer.sent, services.bus.published) == ([], [])


def test_seen_twice_it_counts_once(services: FakeServices) -> None:
    name = dashboard_refund(services)
    refresh_refund(services, refund=name)
    before = dict(services.store.table)
    assert refresh_refund(services, refund=name) == "succeeded"
    assert services.store.table == before


@pytest.mark.parametrize(
    "order",
    [
        order
        for length in (1, 2, 3)
        for order in permutations(("pending", "succeeded", "failed"), length)
    ],
    ids="-".join,
)
def test_the_furthest_status_wins_in_whatever_order_it_is_seen(
    services: FakeServices, order: tuple[str, ...]
) -> None:
    for status in (*order, *order):
        refresh_refund(services, refund=dashboard_refund(services, status=status))
    if "failed" in order:
        assert books(services) == {}
    elif "succeeded" in order:
        assert books(services) == {Book.PAID: -3_000, Book.REFUNDED: 3_000}
    stored = services.store.get(ForeignRefund, CUSTOMER, "re_dash")
    assert stored is not None
    ranks = ("pending", "succeeded", "failed")
    assert stored.record.status == max(order, key=ranks.index)


def test_a_pending_one_holds_its_part_of_the_cap_and_is_booked_when_it_succeeds(
    services: FakeServices,
) -> None:
    refresh_refund(services, refund=dashboard_refund(services, status="requires_action"))
    assert (payment(services).left(), books(services)) == (PAID - 3_000, {})
    refresh_refund(services, refund=dashboard_refund(services))
    assert payment(services).left() == PAID - 3_000
    assert books(services) == {Book.PAID: -3_000, Book.REFUNDED: 3_000}


def test_when_it_fails_its_part_is_free_again_and_the_books_are_even(
    services: FakeServices,
) -> None:
    refresh_refund(services, refund=dashboard_refund(services))
    dashboard_refund(services, status="failed", failure="lost_or_stolen_card")
    assert refresh_refund(services, refund="re_dash") == "failed"
    assert payment(services).left() == PAID
    assert books(services) == {}
    assert len(entries(services)) == 2


def test_of_two_of_which_one_was_heard_of_both_count(services: FakeServices) -> None:
    dashboard_refund(services, name="re_silent", amount=500)
    refresh_refund(services, refund=dashboard_refund(services))
    assert payment(services).left() == PAID - 3_500
    refresh_refund(services, refund="re_silent")
    assert payment(services).left() == PAID - 3_500
    assert books(services)[Book.REFUNDED] == 3_500


@pytest.mark.parametrize("customer", ["cus_nobody", None])
def test_a_customer_of_whom_nothing_is_known_stays_unknown(
    services: FakeServices, customer: str | None
) -> None:
    before = dict(services.store.table)
    name = dashboard_refund(services, customer=customer)
    assert refresh_refund(services, refund=name) == "foreign"
    assert services.store.table == before


def test_a_status_of_tomorrow_changes_nothing(services: FakeServices) -> None:
    before = dict(services.store.table)
    name = dashboard_refund(services, status="newly_invented")
    assert refresh_refund(services, refund=name) == "unrecognized"
    assert services.store.table == before


def test_a_promise_that_the_table_has_lost_is_kept_as_somebody_elses(
    services: FakeServices,
) -> None:
    name = dashboard_refund(services, operation="01LOST", operation_customer=CUSTOMER)
    refresh_refund(services, refund=name)
    stored = services.store.get(ForeignRefund, CUSTOMER, name)
    assert stored is not None
    assert stored.record.operation == "01LOST"
    assert payment(services).left() == PAID - 3_000


def test_beside_a_chargeback_a_person_hears_that_it_may_have_left_twice(
    services: FakeServices,
) -> None:
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    refresh_refund(services, refund=dashboard_refund(services))
    services.run_effects()
    (record,) = services.store.all_of(Dispute, CUSTOMER)
    assert record.record.exposure == 3_000
    told = [detail for name, detail in services.bus.published if name == "AttentionNeeded"]
    assert [(one["what"], one["subject"]) for one in told] == [("double_loss", "du_1")]


def test_a_payment_first_seen_here_is_blocked_by_its_chargeback(services: FakeServices) -> None:
    services.billing.disputes["du_1"] = replace(chargeback(), amount=50_000)
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    refresh_refund(services, refund=dashboard_refund(services))
    assert payment(services).disputes == ("du_1",)
    assert payment(services).left() == PAID - 50_000 - 3_000


def confirm(services: FakeServices) -> RefundOperation:
    quote = quote_cancellation(
        services, customer=CUSTOMER, subscription=SUBSCRIPTION, timing=Timing.IMMEDIATELY
    )
    cancel_subscription(
        services,
        customer=CUSTOMER,
        request=ConfirmQuote(quote["id"]),
        call=ClientCall("r", "k", quote["id"]),
    )
    (stored,) = services.store.all_of(RefundOperation, CUSTOMER)
    return stored.record


def test_beside_a_refund_of_ours_nothing_is_counted_twice(services: FakeServices) -> None:
    dashboard_refund(services)
    services.billing.invoices["in_1"] = paid_invoice(refunded=3_000)
    operation = confirm(services)
    assert payment(services).refunded == 3_000, "the quote has read it from Stripe"
    refresh_refund(services, refund="re_dash")
    services.run_effects()
    after = payment(services)
    assert (after.refunded, after.reserved) == (3_000 + operation.amount, 0)
    assert books(services)[Book.REFUNDED] == 3_000 + operation.amount


def test_named_after_a_refused_operation_it_becomes_that_operations_refund(
    services: FakeServices,
) -> None:
    """The runbook's way out: refund by hand, then name the operation in the metadata."""
    services.billing.fail_before["refund_payment"] = [RefusedError("expired_or_canceled_card", "")]
    operation = confirm(services)
    services.run_effects()
    by_hand: dict[str, Any] = {"name": "re_hand", "amount": operation.amount}
    refresh_refund(services, refund=dashboard_refund(services, **by_hand))
    named: dict[str, Any] = {"operation": operation.id, "operation_customer": CUSTOMER}
    name = dashboard_refund(services, **by_hand, **named)
    assert refresh_refund(services, refund=name) == "succeeded"
    assert refresh_refund(services, refund=name) == "succeeded"
    stored = services.store.get(RefundOperation, CUSTOMER, operation.id)
    assert stored is not None
    assert (stored.record.status, stored.record.stripe_refund) == (
        RefundStatus.SUCCEEDED,
        "re_hand",
    )
    assert payment(services).refunded == operation.amount
    assert books(services) == {Book.PAID: -operation.amount, Book.REFUNDED: operation.amount}
    assert services.effects(CUSTOMER, EffectKind.ISSUE_CREDIT_NOTE)
