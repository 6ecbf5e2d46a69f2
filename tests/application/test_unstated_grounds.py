"""A mail says only in words what it rests on: nothing is decided before the ground is stated."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.application.cases.open_case import OpenCase, open_case
from shared.application.cases.withdraw_case import withdraw_case
from shared.application.incidents.record_incident import record_incident
from shared.domain.errors import ConflictError
from shared.domain.facts import Attribution, Ground
from shared.domain.incident import Outage
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.case_life import Life
from tests.fakes.services import START

pytestmark = pytest.mark.clause("rtc.grounds")
PRODUCT = "prod_calls"


@pytest.fixture
def life() -> Life:
    """A request by mail for an invoice of five days ago, which says no ground."""
    services = services_with_annual_plan()
    invoice = services.billing.invoices["in_1"]
    line = replace(invoice.lines[0], product=PRODUCT)
    services.billing.invoices["in_1"] = replace(
        invoice, customer=CUSTOMER, created_at=START - timedelta(days=5), lines=(line,)
    )
    return Life("rtc", services)


def by_mail(life: Life, message: str = "mail:1") -> bool:
    wanted = OpenCase(invoice="in_1", statement="Money back.", channel="email", reference=message)
    opened = open_case(life.services, customer=CUSTOMER, wanted=wanted, by=f"mail:{CUSTOMER}")
    life.id = opened.case.id
    return opened.joined


def outage(life: Life) -> None:
    noticed = START - timedelta(hours=30)
    struck = Outage(
        (PRODUCT,),
        noticed,
        noticed + timedelta(hours=6),
        noticed,
        Attribution.VENDOR,
        beyond_sla=True,
    )
    record_incident(life.services, reference="noc-1", outage=struck, source="noc", by="noc")


def test_it_waits_for_evidence_and_then_for_a_person_and_nobody_decides_it(life: Life):
    by_mail(life)
    assert (life.state, life.case.ground_stated) == ("needs_evidence", False)
    life.upload()
    assert life.state == "under_review"
    for decide in (life.approve, life.decline):
        with pytest.raises(ConflictError) as refusal:
            decide()
        assert refusal.value.slug == "ground-not-stated"
    assert (life.state, life.case.approvals) == ("under_review", ())


def test_the_policy_denies_no_request_on_a_ground_that_nobody_stated(life: Life):
    invoice = life.services.billing.invoices["in_1"]
    late = replace(invoice, created_at=START - timedelta(days=40))
    life.services.billing.invoices["in_1"] = late
    by_mail(life)
    life.upload()
    assert life.state == "under_review"
    # Once it is stated, the policy's window holds; to answer so is the staff's.
    life.find(ground=Ground.BILLING_ERROR)
    assert life.view["quote"]["outcome"] == "denied"
    life.decline()
    assert life.state == "denied"


@pytest.mark.parametrize("ground", ["dissatisfaction", "vendor_fault"])
def test_what_is_no_ground_of_the_policy_is_denied_by_it_once_stated(life: Life, ground: str):
    by_mail(life)
    life.find(ground=Ground(ground))
    quote = life.view["quote"]
    assert quote["outcome"] == "denied"
    assert [(r["clause"], r["code"]) for r in quote["reasons"]] == [("rtc.grounds", "not_a_ground")]


def test_an_outage_on_record_is_supposed_and_counts_when_it_is_stated(life: Life):
    outage(life)
    by_mail(life)
    assert (life.case.ground, life.case.ground_stated) == (Ground.SERVICE_DISRUPTION, False)
    life.upload()
    life.find(ground=Ground.SERVICE_DISRUPTION)
    assert life.case.ground_stated
    assert life.view["quote"]["outcome"] == "granted"
    life.approve(reviewed=("screenshot",))
    life.settle()
    assert life.state == "paid"


def test_a_ground_stated_wrongly_is_corrected_and_takes_its_comparison_along(life: Life):
    outage(life)
    life.open("billing_error")
    life.upload()
    life.find(ground=Ground.SERVICE_DISRUPTION)
    assert "lines" not in life.case.findings
    assert life.view["quote"]["outcome"] == "granted"
    life.find(ground=Ground.BILLING_ERROR)
    assert life.view["quote"]["outcome"] == "needs_verification"


def test_what_the_customer_states_in_the_portal_joins_the_mail_and_is_its_ground(life: Life):
    by_mail(life)
    known = life.id
    life.upload()
    assert life.open("dissatisfaction").joined
    assert (life.id, life.case.ground, life.case.ground_stated) == (
        known,
        Ground.DISSATISFACTION,
        True,
    )
    assert life.state == "denied"


def test_a_mail_joins_the_request_that_is_open_already_whatever_its_ground(life: Life):
    opened = life.open("service_disruption").case
    assert by_mail(life)
    assert (life.id, life.case.ground) == (opened.id, Ground.SERVICE_DISRUPTION)


def test_one_open_case_an_invoice_and_ground_holds_when_a_ground_is_stated(life: Life):
    first = life.open("service_disruption").case.id
    life.open("billing_error")
    with pytest.raises(ConflictError) as refusal:
        life.find(ground=Ground.SERVICE_DISRUPTION)
    assert (refusal.value.slug, refusal.value.members["case"]) == ("case-open", first)
    assert life.case.ground.value == "billing_error"
    withdraw_case(life.services, customer=CUSTOMER, case=first)
    life.find(ground=Ground.SERVICE_DISRUPTION)
    assert life.case.ground.value == "service_disruption"
