"""Declarations without sign-in: a receipt at once, no money before they are matched."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.application.intake.take_declaration import (
    Declared,
    confirm_declaration,
    list_declarations,
    load_declaration,
    match_declaration,
    take_declaration,
)
from shared.application.record_mail_trouble import Feedback, record_mail_trouble
from shared.domain.cancellation import Cancellation
from shared.domain.declaration import MAX_TRIES, DeclarationKind, partition_of
from shared.domain.effects import EffectKind, EffectStatus
from shared.domain.errors import ConflictError, NotFoundError, TooManyRequestsError
from shared.domain.mail_trouble import Trouble
from shared.domain.records import AuditEntry
from shared.domain.refund_case import RefundCase
from shared.domain.subscription import Subscription
from tests.application.builders import CUSTOMER, SUBSCRIPTION, services_with_annual_plan
from tests.fakes.services import START, FakeServices

WITHDRAWAL = Declared(DeclarationKind.WITHDRAWAL, "Ann Lee", "invoice A-0001", "ann@example.com")
CANCELLATION = replace(WITHDRAWAL, kind=DeclarationKind.CANCELLATION)


@pytest.fixture
def services() -> FakeServices:
    return a_consumer()


def a_consumer() -> FakeServices:
    """A consumer in France who subscribed three days ago."""
    made = services_with_annual_plan()
    begun = START - timedelta(days=3)
    seen = made.billing.known_subscriptions[SUBSCRIPTION]
    made.billing.known_subscriptions[SUBSCRIPTION] = replace(seen, created_at=begun)
    made.billing.invoices["in_1"] = replace(
        made.billing.invoices["in_1"], customer=CUSTOMER, created_at=begun
    )
    return made


def declare(services: FakeServices, declared: Declared = WITHDRAWAL) -> tuple[str, str]:
    """Its number and the code that came by mail."""
    receipt = take_declaration(services, declared)
    services.run_effects()
    sent = services.mailer.sent[-1]
    assert (sent["to"], sent["template"]) == (declared.email, f"{declared.kind}_declared")
    assert sent["values"]["received_at"] == "2026-03-10 12:00:00 UTC"
    assert receipt["received_at"] == "2026-03-10T12:00:00Z"
    return receipt["id"], sent["values"]["code"]


def money(services: FakeServices) -> list[Any]:
    return services.billing.called("refund_payment") + services.store.all_of(RefundCase, CUSTOMER)


@pytest.mark.clause("eu.withdrawal")
def test_a_confirmed_withdrawal_becomes_a_case_that_counts_from_its_receipt(
    services: FakeServices,
):
    number, code = declare(services)
    assert money(services) == []
    services.clock.advance(days=2)
    assert confirm_declaration(services, number, code)["state"] == "matched"
    services.run_effects(rounds=200)
    (stored,) = services.store.all_of(RefundCase, CUSTOMER)
    case = stored.record
    assert (case.ground, case.opened_at, case.channel) == ("withdrawal", START, "declaration")
    known = load_declaration(services, number)
    assert (known.state, known.result) == ("carried_out", case.id)
    # Confirmed again, it opens nothing more.
    confirm_declaration(services, number, code)
    services.run_effects(rounds=200)
    assert len(services.store.all_of(RefundCase, CUSTOMER)) == 1


def test_a_confirmed_cancellation_takes_effect_at_the_end_of_the_cycle(services: FakeServices):
    number, code = declare(services, CANCELLATION)
    confirm_declaration(services, number, code)
    services.run_effects(rounds=200)
    (stored,) = services.store.all_of(Cancellation, CUSTOMER)
    subscription = services.store.get(Subscription, CUSTOMER, SUBSCRIPTION)
    assert subscription is not None
    assert stored.record.effective_at == subscription.record.ends_at
    assert load_declaration(services, number).result == stored.record.id
    again, code = declare(services, CANCELLATION)
    confirm_declaration(services, again, code)
    services.run_effects(rounds=200)
    refused = load_declaration(services, again)
    assert (refused.state, refused.reason) == ("refused", "already-canceled")


def test_an_address_that_is_not_the_customers_is_matched_by_staff_alone(services: FakeServices):
    stranger = replace(CANCELLATION, email="ann.private@example.org")
    number, code = declare(services, stranger)
    assert confirm_declaration(services, number, code)["state"] == "confirmed"
    services.run_effects(rounds=200)
    assert services.store.all_of(Cancellation, CUSTOMER) == []
    (row,) = list_declarations(services, after=None)["data"]
    assert (row["id"], row["declared"]["email"]) == (number, "ann.private@example.org")
    with pytest.raises(NotFoundError):
        match_declaration(services, number, customer="cus_x", subscription=SUBSCRIPTION, by="s")
    match_declaration(services, number, customer=CUSTOMER, subscription=SUBSCRIPTION, by="staff")
    services.run_effects(rounds=200)
    assert len(services.store.all_of(Cancellation, CUSTOMER)) == 1
    assert list_declarations(services, after=None)["data"] == []
    with pytest.raises(ConflictError):
        match_declaration(services, number, customer=CUSTOMER, subscription=SUBSCRIPTION, by="s")


def test_a_wrong_code_is_counted_and_a_late_one_is_none(services: FakeServices):
    number, code = declare(services)
    for _ in range(MAX_TRIES):
        with pytest.raises(NotFoundError):
            confirm_declaration(services, number, "WRONG")
    with pytest.raises(NotFoundError):
        confirm_declaration(services, number, code)
    late, code = declare(services)
    services.clock.advance(days=7)
    with pytest.raises(NotFoundError):
        confirm_declaration(services, late, code)
    with pytest.raises(NotFoundError):
        confirm_declaration(services, "absent", code)
    assert money(services) == []


def test_as_many_a_day_for_an_address_and_no_more(services: FakeServices):
    for _ in range(5):
        declare(services)
    with pytest.raises(TooManyRequestsError):
        take_declaration(services, replace(WITHDRAWAL, email="ANN@example.com"))
    services.clock.advance(days=1)
    take_declaration(services, WITHDRAWAL)


def test_an_address_is_not_kept_once_its_answer_is_sent(services: FakeServices):
    number, _ = declare(services)
    (sent,) = services.effects(partition_of(number), EffectKind.SEND_MAIL)

    assert sent.status is EffectStatus.DONE
    assert set(sent.params["to"]) == {"place"}
    came_back = Feedback(sent.customer, sent.id, Trouble.BOUNCED, START, "General", "a")
    assert record_mail_trouble(services, came_back) == "stranger"
    # Whoever is asked why nobody answered finds it, and no address.
    trail = [stored.record for stored in services.store.all_of(AuditEntry, sent.customer)]
    assert [
        e.why for e in trail if (e.what, e.details.get("mail")) == ("answer_lost", sent.id)
    ] == ["bounced"]


def test_nothing_personal_stands_in_the_table_in_clear(services: FakeServices):
    take_declaration(services, replace(WITHDRAWAL, text="I no longer want it"))
    clear = str(services.store.table)
    for personal in ("I no longer want it", "Ann Lee", "ann@example.com", "A-0001"):
        assert personal not in clear
