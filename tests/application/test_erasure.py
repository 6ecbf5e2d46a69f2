"""Erasure: after a cooling-off, unless the law or an open matter comes first, and for good."""

import copy
import io
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from shared.application.identify_customer import identify_customer
from shared.application.intake.take_declaration import (
    Declared,
    declared_in,
    load_declaration,
    match_declaration,
    take_declaration,
)
from shared.application.privacy.hold_data import complete_step
from shared.application.privacy.log_access import log_access
from shared.application.privacy.make_archive import make_archive
from shared.application.privacy.open_request import Ask, open_for
from shared.application.privacy.reapply_erasures import Reapplied, reapply_erasures
from shared.application.privacy.report_breach import read_breach
from shared.domain.cancellation import Cancellation
from shared.domain.declaration import DeclarationKind, MatchedDeclaration
from shared.domain.errors import (
    ConflictError,
    ErasedError,
    ForbiddenError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.domain.ledger import LedgerEntry
from shared.domain.privacy import Ground, RequestKind
from shared.domain.privacy_records import BreachReport, Login
from tests.application.builders import CUSTOMER, SUBSCRIPTION
from tests.application.erasing import CANARY, STAFF, ann, canaries, erase, pass_days, shown
from tests.fakes.people import OWN_ISSUER
from tests.fakes.services import FakeServices


@pytest.fixture
def services() -> FakeServices:
    return ann()


@pytest.mark.clause("privacy.deletion")
def test_after_the_cooling_off_nothing_is_left_that_tells_of_the_person(services: FakeServices):
    request = erase(services)
    pass_days(services, 13)
    assert shown(services, request)["state"] == "cooling_off"
    assert identify_customer(services, issuer=OWN_ISSUER, subject="user-1") == CUSTOMER
    pass_days(services, 1)

    answer = shown(services, request)
    assert answer["state"] == "answered"
    assert canaries(services) == []
    assert services.sign_ins.deleted == ["user-1"]
    assert services.store.all_of(Login, CUSTOMER) == []
    for issuer, subject in ((OWN_ISSUER, "user-1"), ("https://else.example", "u2")):
        with pytest.raises(ForbiddenError):
            identify_customer(services, issuer=issuer, subject=subject)
    (report,) = services.store.all_of(BreachReport, CUSTOMER)
    with pytest.raises(ErasedError):
        read_breach(services, customer=CUSTOMER, report=report.record.id)


@pytest.mark.clause("privacy.confirm_deletion")
@pytest.mark.clause("privacy.content_deletion")
def test_the_certificate_says_what_was_done_what_was_kept_and_why(services: FakeServices):
    request = erase(services)
    pass_days(services, 14)

    answer = shown(services, request)
    assert [one["code"] for one in answer["done"]] == [
        "data_key_destroyed",
        "files_deleted",
        "sign_ins_deleted",
        "records_emptied",
    ]
    assert [one["code"] for one in answer["kept"]] == ["books", "stripe", "other_sign_ins"]
    mail = services.mailer.sent[-1]
    assert (mail["template"], mail["to"]) == ("privacy_answered", "ann@example.com")
    assert mail["values"]["request"] == request
    assert "tax law" in mail["values"]["kept"]


def test_the_books_stay_to_the_cent(services: FakeServices):
    before = services.store.all_of(LedgerEntry, CUSTOMER)
    cancelled = services.store.all_of(Cancellation, CUSTOMER)
    erase(services)
    pass_days(services, 14)

    assert services.store.all_of(LedgerEntry, CUSTOMER) == before
    assert before
    (after,) = services.store.all_of(Cancellation, CUSTOMER)
    assert after.record == replace(cancelled[0].record, words=None)


@pytest.mark.clause("privacy.children")
def test_data_of_a_minor_waits_for_no_cooling_off(services: FakeServices):
    opened = open_for(
        services,
        customer=CUSTOMER,
        ask=Ask(RequestKind.ERASURE, ground=Ground.MINOR),
        actor=STAFF,
        reason="a parent called",
    )
    services.run_due_work()
    services.run_effects()

    assert shown(services, opened["id"])["state"] == "answered"
    assert canaries(services) == []
    assert "erasure_scheduled" not in [mail["template"] for mail in services.mailer.sent]


def test_redaction_at_stripe_is_left_to_a_person_once_the_mail_is_out(services: FakeServices):
    request = erase(services)
    sends, waiting = services.mailer.send, [UnavailableError("busy")]

    def send(**mail: Any) -> None:
        if waiting:
            raise waiting[0]
        sends(**mail)

    services.mailer.send = send  # type: ignore[method-assign]
    services.clock.advance(days=14)
    services.run_due_work()
    services.run_effects()

    def complete() -> dict[str, Any]:
        return complete_step(
            services, customer=CUSTOMER, request=request, step="redact_at_stripe", actor=STAFF
        )

    with pytest.raises(ConflictError, match="mail-waits"):
        complete()
    waiting.clear()
    pass_days(services, 1)
    assert complete()["open_steps"] == []


@pytest.mark.parametrize("broken", ["vault", "files", "sign_ins"])
def test_an_erasure_that_breaks_off_goes_on_where_it_was(services: FakeServices, broken: str):
    """The outcome of the cut call is unknown: it was carried out, and is repeated without harm."""
    method = {"vault": "destroy", "files": "delete_all", "sign_ins": "delete"}[broken]
    port = getattr(services, broken)
    real, cut = getattr(port, method), [True]

    def breaks(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if cut:
            cut.clear()
            raise OutcomeUnknownError("cut")
        return result

    setattr(port, method, breaks)
    request = erase(services)
    pass_days(services, 15)

    assert shown(services, request)["state"] == "answered"
    assert canaries(services) == []


@pytest.mark.clause("privacy.backups")
def test_a_table_from_before_the_erasure_gives_nothing_back(services: FakeServices):
    backup = copy.deepcopy(services.store.table)
    erase(services)
    pass_days(services, 14)

    services.store.table = backup
    seen: list[str] = []
    assert reapply_erasures(services, seen.append) == Reapplied(erased=1, found_again=1)

    services.files.kept.clear()  # files are in no backup of the table
    assert canaries(services) == []
    assert seen == [CUSTOMER]
    with pytest.raises(ForbiddenError):
        identify_customer(services, issuer=OWN_ISSUER, subject="user-1")
    (report,) = services.store.all_of(BreachReport, CUSTOMER)
    with pytest.raises(ErasedError):
        read_breach(services, customer=CUSTOMER, report=report.record.id)
    assert reapply_erasures(services, seen.append).found_again == 0


def test_what_was_declared_without_sign_in_is_copied_and_erased_with_its_customer(
    services: FakeServices,
):
    declared = Declared(DeclarationKind.CANCELLATION, CANARY, "my plan", "ann@else.example", CANARY)
    number = str(take_declaration(services, declared)["id"])
    match_declaration(services, number, customer=CUSTOMER, subscription=SUBSCRIPTION, by=STAFF)
    services.run_effects()
    with zipfile.ZipFile(io.BytesIO(make_archive(services, CUSTOMER).content)) as archive:
        assert CANARY in archive.read("tables/MatchedDeclaration.csv").decode()
    backup = copy.deepcopy(services.store.table)

    erase(services)
    pass_days(services, 14)

    for table in (services.store.table, backup):
        services.store.table = table
        with pytest.raises(ErasedError):
            declared_in(services, load_declaration(services, number))
    late = str(take_declaration(services, declared)["id"])
    match_declaration(services, late, customer=CUSTOMER, subscription=SUBSCRIPTION, by=STAFF)
    (kept,) = (
        one.record
        for one in services.store.all_of(MatchedDeclaration, CUSTOMER)
        if one.record.id == late
    )
    assert kept.sealed == b""


def test_who_has_looked_stays_known_after_an_erasure(services: FakeServices):
    log_access(services, CUSTOMER, actor=STAFF, what="account")
    erase(services)
    pass_days(services, 14)

    assert STAFF in repr(services.store.table)


def test_records_that_cannot_be_emptied_for_a_week_are_a_persons(
    services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = erase(services)
    all_of = services.store.all_of

    def throttled(kind: type[Any], customer: str) -> list[Any]:
        if kind is BreachReport:
            raise UnavailableError("throttled")
        return all_of(kind, customer)

    monkeypatch.setattr(services.store, "all_of", throttled)
    pass_days(services, 14 + 10)
    assert shown(services, request)["state"] == "needs_person"
    told = [one for name, one in services.bus.published if name == "AttentionNeeded"]
    assert ("privacy_request_stuck", request) in [(one["what"], one["subject"]) for one in told]
