"""Payments are counted by network and month, each once, whenever the runs come."""

from datetime import datetime, timedelta

import pytest

from shared.application.count_payments import count_payments
from shared.application.handle_dispute import handle_dispute
from shared.domain.controls import OPERATIONS
from shared.domain.dispute_result import DisputeResult
from shared.domain.errors import UnavailableError
from shared.domain.network_month import ChargeFacts, MonthOfPayments, begin_of, next_month
from tests.application.builders import CUSTOMER, chargeback, services_with_annual_plan
from tests.fakes.services import START, FakeServices

HOUR = timedelta(hours=1)


@pytest.fixture
def services() -> FakeServices:
    return services_with_annual_plan()


def pay(services: FakeServices, at: datetime, network: str = "visa", *, paid: bool = True) -> None:
    name = f"ch_{len(services.billing.paid_charges)}"
    services.billing.paid_charges.append(ChargeFacts(name, network, paid, at))


def counts(services: FakeServices, month: str) -> dict[str, int]:
    stored = services.store.get(MonthOfPayments, OPERATIONS, month)
    return dict(stored.record.counts) if stored else {}


def test_what_was_paid_counts_once_however_often_a_run_comes(services: FakeServices) -> None:
    pay(services, begin_of("2026-03"))
    pay(services, START - 2 * HOUR, "mastercard")
    pay(services, START - 2 * HOUR, paid=False)
    pay(services, START - 2 * HOUR, "")
    pay(services, START - HOUR / 2)
    for _ in range(3):
        count_payments(services)
    assert counts(services, "2026-03") == {"visa": 1, "mastercard": 1}
    services.clock.advance(hours=1)
    count_payments(services)
    assert counts(services, "2026-03") == {"visa": 2, "mastercard": 1}


def test_a_month_is_counted_to_its_end_in_the_next_one(services: FakeServices) -> None:
    pay(services, START - 2 * HOUR)
    count_payments(services)
    pay(services, begin_of("2026-04") - timedelta(seconds=1))
    pay(services, begin_of("2026-04"))
    services.clock.advance(days=23)
    for _ in range(2):
        count_payments(services)
    assert (counts(services, "2026-03"), counts(services, "2026-04")) == ({"visa": 2}, {"visa": 1})


def test_a_run_that_breaks_off_leaves_nothing_out(services: FakeServices) -> None:
    for _ in range(5):
        pay(services, START - 2 * HOUR)
    services.billing.fail_before["page"] = [UnavailableError("down") for _ in range(4)]
    with pytest.raises(UnavailableError):
        count_payments(services)
    count_payments(services)
    assert counts(services, "2026-03") == {"visa": 5}


def test_a_dispute_counts_in_its_month_from_its_opening_on(services: FakeServices) -> None:
    pay(services, START - 2 * HOUR)
    services.billing.disputes["du_1"] = chargeback()
    handle_dispute(services, dispute="du_1", event="evt_1", event_type="t")
    services.run_effects(rounds=200)
    stored = services.store.get(DisputeResult, OPERATIONS, "du_1")
    assert stored is not None
    assert (stored.record.outcome, stored.record.ended_at) == ("undecided", None)
    assert stored.record.customer != CUSTOMER
    mastercard, visa = count_payments(services)
    assert (mastercard.network, visa.network) == ("mastercard", "visa")
    assert (visa.payments, mastercard.ratio, visa.left) == (1, None, 1_500)


@pytest.mark.parametrize(
    ("month", "following"), [("2026-03", "2026-04"), ("2026-12", "2027-01"), ("2026-01", "2026-02")]
)
def test_after_a_month_comes_the_next(month: str, following: str) -> None:
    assert next_month(month) == following
