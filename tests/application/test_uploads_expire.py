"""Files that customers sent: each kind for its term, an identity document the shortest of all."""

from datetime import timedelta

import pytest

from shared.application.cases.give_evidence import open_evidence
from shared.application.privacy.hold_data import lift_hold, place_hold
from shared.domain.errors import ForbiddenError, NotFoundError
from shared.domain.staff import StaffMember, StaffRole
from shared.domain.upload import ContentType, Upload, UploadState
from shared.ports import Put
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.fakes.services import START, FakeServices

STAFF = "staff:https://issuer.example#staff-1"


@pytest.fixture
def services() -> FakeServices:
    """A passport and a photo, both taken."""
    made = services_with_annual_plan()
    for name, kind in (("passport", "identity_document"), ("photo", "screenshot")):
        offered = Upload(
            id=name,
            customer=CUSTOMER,
            refund_case="case",
            kind=kind,
            content_type=ContentType.PDF,
            size=3,
            state=UploadState.OFFERED,
            offered_at=START,
            offered_to="customer",
        )
        stored = offered.stored("sha", 3, START)
        made.store.commit([Put(stored, 0)])
        made.files.put(stored.sealed_name, b"sealed", customer=CUSTOMER, media_type="x")
    return made


def left(services: FakeServices) -> set[str]:
    return {name for _, name in services.files.kept}


def pass_days(services: FakeServices, days: int) -> None:
    services.clock.advance(days=days)
    services.run_due_work()
    services.run_effects()


@pytest.mark.clause("privacy.identity_documents")
def test_an_identity_document_goes_after_thirty_days_and_the_rest_after_a_year(
    services: FakeServices,
):
    pass_days(services, 29)
    assert left(services) == {"evidence/passport", "evidence/photo"}
    pass_days(services, 1)
    assert left(services) == {"evidence/photo"}
    pass_days(services, 335)
    assert left(services) == set()


def test_a_legal_hold_keeps_a_file_and_it_goes_once_the_hold_is_lifted(services: FakeServices):
    hold = place_hold(services, CUSTOMER, "court-7/26", STAFF)["holds"][0]["id"]
    pass_days(services, 400)
    assert left(services) == {"evidence/passport", "evidence/photo"}
    lift_hold(services, CUSTOMER, hold, STAFF)
    pass_days(services, 1)
    assert left(services) == set()


def test_a_file_that_is_held_is_looked_at_once_a_day(services: FakeServices):
    """Else the files on hold would come up in every run, before all that is newly due."""
    place_hold(services, CUSTOMER, "court-7/26", STAFF)
    services.clock.advance(days=400)
    seen = []
    for hours in (0, 23, 2):
        services.clock.advance(hours=hours)
        seen.append(services.run_due_work()["upload_held"])
    assert seen == [2, 0, 2]


@pytest.mark.clause("privacy.identity_documents")
@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.AUDITOR])
def test_an_identity_document_is_for_few(
    services: FakeServices, role: StaffRole, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shared.application.cases.give_evidence.load_case", lambda *_args: None)

    def look(who: StaffRole, evidence: str) -> None:
        person = StaffMember("iss", "sub", frozenset({who}))
        open_evidence(services, customer=CUSTOMER, case="case", evidence=evidence, by=person)

    with pytest.raises(ForbiddenError):
        look(role, "passport")
    # The others get as far as the file, of which this test has none in its bucket.
    for who, evidence in ((role, "photo"), (StaffRole.APPROVER, "passport")):
        with pytest.raises(NotFoundError):
            look(who, evidence)
    assert services.clock.now() - START < timedelta(days=1)
