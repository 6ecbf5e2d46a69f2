"""Signals stand beside a case with their facts, and change nothing that is decided."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.account import Account
from shared.domain.facts import Ground
from shared.domain.refund_case import CaseState, RefundCase
from shared.ports import Put
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.case_life import Life
from tests.fakes.services import START, FakeServices


def suspicious(services: FakeServices) -> None:
    """Two refunds lately, a first payment of last week, a card from elsewhere."""
    stored = services.store.get(Account, CUSTOMER)
    assert stored is not None
    fresh = replace(stored.record, activated_at=START - timedelta(days=7))
    services.store.commit([Put(fresh, stored.version)])
    for number in range(2):
        paid = RefundCase(
            id=f"01EARLIER{number}",
            customer=CUSTOMER,
            ground=Ground.GOODWILL,
            state=CaseState.PAID,
            invoices=(f"in_before_{number}",),
            channel="portal",
            opened_at=START - timedelta(days=40),
            opened_by="test",
            decided_at=START - timedelta(days=30),
        )
        services.store.commit([Put(paid, 0)])
    invoice = services.billing.invoices["in_1"]
    card = replace(invoice.payments[0], country="US")
    services.billing.invoices["in_1"] = replace(invoice, payments=(card,))


@pytest.mark.parametrize("policy", ["voip", "rtc", "itservices", "moneyback"])
@pytest.mark.parametrize("ground", ["billing_error", "service_disruption", "vendor_fault"])
def test_who_is_suspicious_gets_the_same_answer_and_staff_see_why(policy: str, ground: str):
    answers = []
    for notable in (False, True):
        life = Life(policy, services_with_annual_plan())
        life.services.billing.tongues[CUSTOMER] = ("en", "FR")
        if notable:
            suspicious(life.services)
        life.open(ground)
        view = life.view
        answers.append((life.state, view["quote"]["outcome"], view["quote"]["reasons"]))
        facts = {signal["kind"]: signal["fact"] for signal in view["signals"]}
        assert set(facts) == (
            {"repeat_refunder", "fresh_account", "country_mismatch"} if notable else set()
        )
        if notable:
            assert facts["repeat_refunder"].startswith("2 requests")
            assert facts["fresh_account"] == "first paid on 2026-03-03"
            assert "FR" in facts["country_mismatch"]
            assert "US" in facts["country_mismatch"]
    assert answers[0] == answers[1]
