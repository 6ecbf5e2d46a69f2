"""What is overtaken, discarded or set aside is said so, and moves no money."""

import pytest

from shared.application.incidents.propose_credits import propose_credits
from shared.application.incidents.record_incident import record_incident
from shared.application.incidents.release_credits import (
    approve_batch,
    discard_batch,
    view_batch,
)
from shared.application.privacy.announce_terms import announce_terms
from shared.domain.cancellation import Cancellation, CancellationState, Timing
from shared.domain.controls import OPERATIONS
from shared.domain.credit_batch import BatchState, digest_of
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, RefusedError
from shared.domain.incident import INCIDENTS
from shared.domain.records import AuditEntry
from tests.application.annual_plan import confirm, quoted
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.case_life import AGENT, APPROVER
from tests.application.test_case_life import life
from tests.application.test_crash_points_of_cases import an_outage
from tests.application.test_incident_credits import SIX_HOURS
from tests.fakes.services import START, FakeServices


def proposed(services: FakeServices) -> str:
    record_incident(services, reference="n", outage=SIX_HOURS, source="monitoring", by="noc")
    batch = propose_credits(services, reference="n", settle_as=None, by=AGENT.actor)
    services.run_effects(rounds=100)
    return batch.id


def approved(services: FakeServices, batch: str) -> None:
    digest = digest_of(view_batch(services, batch).payable)
    approve_batch(services, batch=batch, digest=digest, reason="so it was", by=AGENT)


def trail(services: FakeServices, customer: str) -> list[str]:
    return [stored.record.what for stored in services.store.all_of(AuditEntry, customer)]


def test_a_batch_that_was_discarded_pays_nobody() -> None:
    services = an_outage()
    batch = proposed(services)
    discarded = discard_batch(services, batch=batch, reason="reported by mistake", by=AGENT)
    assert discarded.state is BatchState.DISCARDED
    assert trail(services, INCIDENTS)[-1] == "credits_discarded"
    with pytest.raises(ConflictError):
        approved(services, batch)
    services.run_effects(rounds=100)
    assert services.billing.refunds == {}


def test_a_batch_that_is_being_paid_is_discarded_no_more() -> None:
    services = an_outage()
    batch = proposed(services)
    approved(services, batch)
    with pytest.raises(ConflictError):
        discard_batch(services, batch=batch, reason="too late", by=AGENT)


def test_a_credit_that_stripe_counts_otherwise_is_a_persons() -> None:
    services = an_outage()
    batch = proposed(services)
    approved(services, batch)
    services.billing.preview_differs_by = 1
    services.run_effects(rounds=1000)
    assert view_batch(services, batch).counts == {"needs_person": 2}
    assert "credit_set_aside" in trail(services, "cus_0")
    assert services.billing.refunds == {}


def test_a_case_that_ends_the_service_overtakes_a_cancellation_at_the_end() -> None:
    case = life("voip")
    confirm(case.services, quoted(case.services, Timing.AT_PERIOD_END)["id"])
    case.services.run_effects()
    case.services.policy = "rtc"
    case.open("unused_period")
    case.upload()
    case.approve(AGENT)
    case.approve(APPROVER)
    case.settle()
    assert case.state == "paid"
    states = [one.record.state for one in case.services.store.all_of(Cancellation, CUSTOMER)]
    assert states == [CancellationState.EXECUTED, CancellationState.EXECUTED]
    assert "cancellation_superseded" in trail(case.services, CUSTOMER)


def test_terms_that_cannot_be_told_of_are_a_persons() -> None:
    services = services_with_annual_plan()
    services.billing.fail_before["page"] = [RefusedError("403", "forbidden")]
    announce_terms(
        services, subject="voip", version="2026-04-01", wanted_from=START, summary="s", by="op"
    )
    services.run_effects()
    names = [one.params["what"] for one in services.effects(OPERATIONS, EffectKind.ALERT)]
    assert names == ["announcement_stuck"]
