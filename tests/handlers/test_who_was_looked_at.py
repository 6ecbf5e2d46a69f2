"""Whoever of the staff works on a case has looked at its customer, and the access log has it."""

import base64
from typing import Any

import pytest

from shared.application.cases.attach_evidence import attach_evidence
from shared.application.cases.open_case import OpenCase, open_case
from shared.domain.facts import Ground
from shared.domain.privacy_records import AccessEntry
from shared.domain.records import AuditEntry
from shared.domain.upload import Upload
from tests.application.builders import CUSTOMER
from tests.application.case_life import PNG
from tests.handlers.api_under_test import call
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims

AGENT = claims(sub="staff-1") | {"cognito:groups": "[agent]"}
ACTOR = f"staff:{ISSUER}#staff-1"
ON_BEHALF = {
    "customer": CUSTOMER,
    "invoice": "in_1",
    "ground": "service_disruption",
    "channel": "email",
    "statement": "because",
}


@pytest.fixture
def case(services: HandlerServices) -> str:
    wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR)
    return open_case(services, customer=CUSTOMER, wanted=wanted, by="test").case.id


@pytest.mark.parametrize(
    ("route", "body", "expected"),
    [
        ("GET /v1/staff/cases", None, 200),
        ("GET /v1/staff/cases/{customer}/{id}", None, 200),
        ("POST /v1/staff/cases", ON_BEHALF, 201),
    ],
)
def test_a_look_at_a_case_is_a_look_at_its_customer(
    services: HandlerServices, case: str, route: str, body: Any, expected: int
) -> None:
    path = {"customer": CUSTOMER, "id": case} if "{" in route else {}
    status, _, _ = call(route, jwt=AGENT, path=path, body=body)
    assert status == expected
    for owner in (CUSTOMER, ACTOR):
        (entry,) = services.store.all_of(AccessEntry, owner)
        seen = entry.record
        assert (seen.actor, seen.looked_at, seen.what) == (ACTOR, CUSTOMER, route)


def test_an_empty_queue_shows_nobody(services: HandlerServices) -> None:
    assert call("GET /v1/staff/cases", jwt=AGENT)[0] == 200
    assert services.store.all_of(AccessEntry, ACTOR) == []


def test_a_look_at_a_file_is_in_the_audit_trail(services: HandlerServices, case: str) -> None:
    about = {"customer": CUSTOMER, "case": case, "by": f"mail:{CUSTOMER}"}
    attach_evidence(services, **about, reference="m:1", content=PNG)
    (upload,) = services.store.all_of(Upload, CUSTOMER)
    path = {"customer": CUSTOMER, "id": case, "evidence": upload.record.id}
    route = "GET /v1/staff/cases/{customer}/{id}/evidence/{evidence}"
    status, body, _ = call(route, jwt=AGENT, path=path)
    assert (status, base64.b64decode(body["content"])) == (200, PNG)
    *_, last = [one.record for one in services.store.all_of(AuditEntry, CUSTOMER)]
    assert (last.what, last.actor) == ("case_evidence_opened", ACTOR)
    assert last.details == {"case": case, "evidence": upload.record.id}
