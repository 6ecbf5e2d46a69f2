"""The first paid invoice of a subscription activates the account and brings one mail."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.application.process_stripe_event import process_stripe_event
from shared.domain.account import Account
from shared.domain.effects import EffectKind
from shared.domain.errors import NotReadyError
from tests.application.builders import CUSTOMER, SUBSCRIPTION, paid_invoice
from tests.fakes.services import START, FakeServices

pytestmark = pytest.mark.clause("voip.activation")


def paid(services: FakeServices, name: str, *, days_ago: float = 0, **changes: Any) -> None:
    at = START - timedelta(days=days_ago)
    invoice = replace(
        paid_invoice(), id=name, number=name.upper(), created_at=at, paid_at=at, customer=CUSTOMER
    )
    services.billing.invoices[name] = replace(invoice, **changes)


def told(services: FakeServices, name: str = "in_1") -> str:
    envelope = {
        "object_kind": "invoice",
        "type": "invoice.paid",
        "customer": CUSTOMER,
        "object": name,
        "event": "evt_1",
    }
    return process_stripe_event(services, envelope).removeprefix("invoice_nothing_new_")


def mails(services: FakeServices) -> int:
    return len(services.effects(CUSTOMER, EffectKind.SEND_MAIL))


@pytest.fixture
def services() -> FakeServices:
    made = FakeServices()
    made.billing.emails[CUSTOMER] = "ann@example.com"
    return made


def test_the_first_payment_activates_mails_and_is_published(services: FakeServices):
    paid(services, "in_1")
    assert told(services) == "activated"
    services.run_effects()
    (mail,) = services.mailer.sent
    assert (mail["to"], mail["template"]) == ("ann@example.com", "account_activated")
    (event,) = services.bus.published
    assert (event[0], event[1]["subscription"]) == ("AccountActivated", SUBSCRIPTION)
    stored = services.store.get(Account, CUSTOMER)
    assert stored is not None
    assert stored.record.activated_at == START


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["in_1", "in_2", "in_2"]))))
def test_in_whatever_order_and_however_often_it_is_told_there_is_one_mail(
    services: FakeServices, order: tuple[str, ...]
):
    paid(services, "in_1", days_ago=1)
    paid(services, "in_2")
    outcomes = [told(services, name) for name in order]
    assert (sorted(set(outcomes)), mails(services)) == (["activated", "nothing_new"], 1)
    stored = services.store.get(Account, CUSTOMER)
    assert stored is not None
    assert stored.record.activated_at == START - timedelta(days=1)


def test_a_trial_that_costs_nothing_and_a_single_purchase_activate_nothing(services: FakeServices):
    free = tuple(replace(line, amount=0) for line in paid_invoice().lines)
    paid(services, "in_1", lines=free)
    paid(services, "in_2", subscription=None)
    assert [told(services), mails(services)] == ["not_activating", 0]
    paid(services, "in_3")
    assert [told(services), mails(services)] == ["activated", 1]


def test_a_customer_of_long_standing_is_active_without_a_mail(services: FakeServices):
    paid(services, "in_1", days_ago=400)
    paid(services, "in_2")
    assert [told(services), told(services), mails(services)] == ["was_active", "nothing_new", 0]


def test_a_payment_that_is_not_listed_yet_is_asked_for_again(services: FakeServices):
    with pytest.raises(NotReadyError):
        told(services)
    paid(services, "in_1")
    assert told(services) == "activated"
