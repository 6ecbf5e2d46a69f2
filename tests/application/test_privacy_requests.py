"""Privacy requests: confirmed, carried out, answered within thirty days."""

import csv
import io
import json
import zipfile
from typing import Any

import jsonschema
import pytest

from shared.application.change import Change, transact
from shared.application.client_keys import ClientCall
from shared.application.identify_customer import link_identity
from shared.application.privacy.confirm_request import confirm_request, withdraw_request
from shared.application.privacy.hold_data import place_hold
from shared.application.privacy.log_access import access_log, log_access
from shared.application.privacy.open_request import Ask, open_for, open_request
from shared.application.privacy.show_request import list_requests, show_request
from shared.domain.account import Account
from shared.domain.effects import EffectKind
from shared.domain.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RefusedError,
)
from shared.domain.privacy import PrivacyChoices, PrivacyRequest, RequestKind
from shared.domain.privacy_records import AccessEntry
from shared.domain.records import AuditEntry
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.fakes.people import OWN_ISSUER
from tests.fakes.services import FakeServices

STAFF = "staff:https://issuer.example#staff-1"
PERSON = {"name": "Ann Example", "email": "ann@example.com", "phone": "+1 555 0100"}


@pytest.fixture
def services() -> FakeServices:
    made = services_with_annual_plan()
    made.people.known[CUSTOMER] = dict(PERSON)
    link_identity(made, issuer=OWN_ISSUER, subject="user-1", customer=CUSTOMER, by="service:s")
    return made


def ask(
    services: FakeServices, kind: RequestKind, *, fresh: bool = True, **more: Any
) -> dict[str, Any]:
    call = ClientCall("POST /v1/privacy-requests", services.ids.new(), "digest")
    return open_request(
        services, customer=CUSTOMER, ask=Ask(kind, **more), call=call, is_fresh=fresh
    ).body


def mails(services: FakeServices) -> list[str]:
    services.run_effects()
    return [mail["template"] for mail in services.mailer.sent]


def mailed_code(services: FakeServices) -> str:
    services.run_effects()
    (mail,) = [mail for mail in services.mailer.sent if mail["template"] == "privacy_code"]
    return str(mail["values"]["code"])


def state(services: FakeServices, request: dict[str, Any]) -> str:
    shown = show_request(services, CUSTOMER, request["id"])
    return str(shown["state"])


def archive(services: FakeServices, request: dict[str, Any]) -> zipfile.ZipFile:
    services.run_effects()
    return zipfile.ZipFile(io.BytesIO(services.files.kept[CUSTOMER, f"{request['id']}.zip"]))


# ---------------------------------------------------------------- confirmation


def test_nothing_happens_before_the_mailed_code_comes_back(services: FakeServices):
    request = ask(services, RequestKind.ACCESS, fresh=False)
    code = mailed_code(services)
    assert request["state"] == "unconfirmed"
    assert not services.files.kept

    confirm_request(services, CUSTOMER, request["id"], code=f" {code.lower()} ")
    services.run_effects()

    assert state(services, request) == "answered"
    assert services.files.kept


def test_five_wrong_codes_end_a_request(services: FakeServices):
    request = ask(services, RequestKind.ERASURE, fresh=False)
    code = mailed_code(services)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(ConflictError) as refused:
            confirm_request(services, CUSTOMER, request["id"], code="WRONG")
        assert refused.value.members == {"tries_left": left}

    with pytest.raises(ConflictError, match="code-expired"):
        confirm_request(services, CUSTOMER, request["id"], code=code)


def test_a_code_lapses_after_an_hour(services: FakeServices):
    request = ask(services, RequestKind.ERASURE, fresh=False)
    code = mailed_code(services)
    services.clock.advance(hours=1)
    with pytest.raises(ConflictError, match="code-expired"):
        confirm_request(services, CUSTOMER, request["id"], code=code)
    services.run_due_work()

    assert state(services, request) == "lapsed"
    assert ask(services, RequestKind.ERASURE)["state"] == "cooling_off"


def test_the_code_is_kept_as_a_digest_and_leaves_the_export(services: FakeServices):
    request = ask(services, RequestKind.ACCESS, fresh=False)
    code = mailed_code(services)
    stored = services.store.get(PrivacyRequest, CUSTOMER, request["id"])

    assert stored is not None
    assert code not in repr(stored.record)


def test_another_customer_has_no_such_request(services: FakeServices):
    request = ask(services, RequestKind.ACCESS)
    with pytest.raises(NotFoundError):
        show_request(services, "cus_other", request["id"])
    with pytest.raises(NotFoundError):
        confirm_request(services, "cus_other", request["id"], code="x")
    assert list_requests(services, customer="cus_other") == {"privacy_requests": []}


def test_one_of_a_kind_is_open_at_a_time(services: FakeServices):
    first = ask(services, RequestKind.ERASURE)
    with pytest.raises(ConflictError) as refused:
        ask(services, RequestKind.ERASURE)

    assert refused.value.members == {"privacy_request": first["id"]}


def test_the_same_key_gets_the_same_answer(services: FakeServices):
    call = ClientCall("POST /v1/privacy-requests", "key-1", "digest")
    answers = [
        open_request(
            services, customer=CUSTOMER, ask=Ask(RequestKind.ACCESS), call=call, is_fresh=True
        )
        for _ in range(2)
    ]

    assert answers[0].body == answers[1].body
    assert [answer.replayed for answer in answers] == [False, True]


# ---------------------------------------------------------------- access and portability


def test_an_export_holds_everything_in_the_form_of_its_schema(services: FakeServices):
    request = ask(services, RequestKind.ACCESS)
    with archive(services, request) as found:
        document = json.loads(found.read("data.json"))
        schema = json.loads(found.read("schema.json"))
        table = list(csv.DictReader(io.TextIOWrapper(found.open("tables/Subscription.csv"))))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["person"] == PERSON
    assert [row["id"] for row in document["records"]["Subscription"]] == [table[0]["id"]]
    assert document["records"]["Login"][0]["subject"] == "user-1"
    assert document["recipients"][1]["name"] == "Stripe"
    assert show_request(services, CUSTOMER, request["id"])["archive"] is not None
    assert mails(services)[-1] == "privacy_answered"


def test_an_export_opens_what_is_sealed_and_shows_no_code(services: FakeServices):
    ask(services, RequestKind.RECTIFICATION, fresh=False, changes={"name": "Ann Sample"})
    photo = services.vault.seal(b"JPEG", customer=CUSTOMER, kind="evidence", record="e1")
    services.files.put("evidence/e1", photo, customer=CUSTOMER, media_type="image/jpeg")
    request = ask(services, RequestKind.ACCESS)
    with archive(services, request) as found:
        rows = json.loads(found.read("data.json"))["records"]["PrivacyRequest"]
        assert found.read("files/evidence/e1") == b"JPEG"

    assert json.loads(rows[0]["content"]) == {"name": "Ann Sample"}
    assert "code_digest" not in rows[0]


def test_a_cell_that_a_spreadsheet_would_execute_is_text(services: FakeServices):
    services.billing.known_subscriptions.clear()
    link_identity(services, issuer="=cmd()", subject="u", customer=CUSTOMER, by="s")
    with archive(services, ask(services, RequestKind.ACCESS)) as found:
        table = found.read("tables/Login.csv").decode()

    assert "'=cmd()" in table


def test_the_archive_is_offered_for_a_week(services: FakeServices):
    request = ask(services, RequestKind.ACCESS)
    services.run_effects()
    services.clock.advance(days=7)

    assert show_request(services, CUSTOMER, request["id"])["archive"] is None


# ---------------------------------------------------------------- rectification


def test_a_correction_reaches_stripe_and_the_sign_in_and_stays_nowhere(services: FakeServices):
    changes = {"name": "Ann Sample", "email": "ann.sample@example.com"}
    request = ask(services, RequestKind.RECTIFICATION, changes=changes)
    services.run_effects()

    assert services.people.known[CUSTOMER] == PERSON | changes
    assert services.sign_ins.emails == {"user-1": "ann.sample@example.com"}
    stored = services.store.get(PrivacyRequest, CUSTOMER, request["id"])
    assert stored is not None
    assert stored.record.done == ("corrected_at_stripe", "corrected_sign_in")
    assert stored.record.content is None
    assert "Ann Sample" not in repr(services.store.table)
    entries = [one.record.what for one in services.store.all_of(AuditEntry, CUSTOMER)]
    assert {"person_corrected", "sign_ins_corrected"} <= set(entries)


def test_a_correction_that_stripe_refuses_is_a_persons(services: FakeServices):
    services.people.fail_next.append(RefusedError("email_invalid", "400"))
    request = ask(services, RequestKind.RECTIFICATION, changes={"email": "nobody"})
    services.run_effects()

    assert state(services, request) == "needs_person"
    assert services.effects(CUSTOMER, EffectKind.ALERT)


# ---------------------------------------------------------------- restriction and objection


@pytest.mark.parametrize("kind", [RequestKind.RESTRICTION, RequestKind.OBJECTION])
def test_a_choice_holds_at_once_and_can_be_taken_back(services: FakeServices, kind: RequestKind):
    assert ask(services, kind)["state"] == "answered"
    stored = services.store.get(PrivacyChoices, CUSTOMER)
    assert stored is not None
    assert not stored.record.wants_optional_mail

    ask(services, kind, on=False)
    stored = services.store.get(PrivacyChoices, CUSTOMER)
    assert stored is not None
    assert stored.record.wants_optional_mail


@pytest.mark.clause("privacy.restriction")
@pytest.mark.clause("privacy.objection_consent")
@pytest.mark.parametrize("kind", [RequestKind.RESTRICTION, RequestKind.OBJECTION])
def test_optional_mails_stop_even_on_their_way_and_the_others_do_not(
    services: FakeServices, kind: RequestKind
):
    def write(change: Change) -> None:
        change.mail("account_reinstated", {"reference": "du_1"}, optional=True)
        change.mail("subscription_ended", {"subscription": "s", "ended_at": "now"})

    transact(services, CUSTOMER, "test", write)
    ask(services, kind)

    assert mails(services) == ["subscription_ended", "privacy_answered"]
    name, detail = services.bus.published[-1]
    assert name == "DataChoicesChanged"
    assert (detail["restricted"], detail["objected"]) == (
        kind is RequestKind.RESTRICTION,
        kind is RequestKind.OBJECTION,
    )
    ask(services, kind, on=False)
    transact(services, CUSTOMER, "test", write)
    assert mails(services).count("account_reinstated") == 1


# ---------------------------------------------------------------- clock and staff


def test_a_request_that_is_not_answered_calls_a_person_a_week_before_its_deadline(
    services: FakeServices,
):
    services.people.fail_next.append(RefusedError("email_invalid", "400"))
    request = ask(services, RequestKind.RECTIFICATION, changes={"email": "nobody"})
    services.run_effects()
    services.clock.advance(days=22, hours=23)
    assert services.run_due_work()["privacy_escalated"] == 0
    services.clock.advance(hours=1)
    assert services.run_due_work()["privacy_escalated"] == 1
    assert services.run_due_work()["privacy_escalated"] == 0

    alerts = [one.params["what"] for one in services.effects(CUSTOMER, EffectKind.ALERT)]
    assert alerts == ["privacy_request_stuck", "privacy_request_overdue"]
    shown = show_request(services, CUSTOMER, request["id"])
    assert shown["answer_by"] == "2026-04-09T12:00:00Z"


def test_staff_ask_on_behalf_of_a_person_and_say_why(services: FakeServices):
    with pytest.raises(InvalidRequestError):
        open_for(services, customer=CUSTOMER, ask=Ask(RequestKind.ACCESS), actor=STAFF, reason=" ")
    opened = open_for(
        services,
        customer=CUSTOMER,
        ask=Ask(RequestKind.ACCESS),
        actor=STAFF,
        reason="called, told the last invoice's amount",
    )

    assert opened["state"] == "open"
    of_customer, of_person = (access_log(services, of=who) for who in (CUSTOMER, STAFF))
    assert of_customer == of_person
    (entry,) = of_customer["entries"]
    assert (entry["actor"], entry["customer"]) == (STAFF, CUSTOMER)
    assert entry["reason"] == "called, told the last invoice's amount"


def test_a_look_at_nobody_is_kept_with_who_looked_and_makes_no_customer(services: FakeServices):
    before = dict(services.store.table)
    log_access(services, "cus_nobody", actor=STAFF, what="GET /v1/staff/accounts/{customer}")

    assert access_log(services, of="cus_nobody") == {"entries": []}
    (entry,) = services.store.all_of(AccessEntry, STAFF)
    assert (entry.record.looked_at, entry.record.found) == ("cus_nobody", False)
    assert len(services.store.table) == len(before) + 1


def test_staff_ask_and_hold_nothing_for_somebody_who_is_no_customer(services: FakeServices):
    ask_for = {"ask": Ask(RequestKind.ACCESS), "actor": STAFF, "reason": "T-1"}
    with pytest.raises(NotFoundError):
        open_for(services, customer="cus_nobody", **ask_for)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        place_hold(services, "cus_nobody", "court-7/26", STAFF)

    assert services.store.get(Account, "cus_nobody") is None


def test_a_request_can_be_taken_back_until_it_is_carried_out(services: FakeServices):
    request = ask(services, RequestKind.ERASURE)
    withdraw_request(services, CUSTOMER, request["id"])
    services.clock.advance(days=40)
    services.run_due_work()
    assert state(services, request) == "withdrawn"
    assert CUSTOMER not in services.vault.ledger

    done = ask(services, RequestKind.ACCESS)
    services.run_effects()
    with pytest.raises(ConflictError, match="too-late"):
        withdraw_request(services, CUSTOMER, done["id"])
