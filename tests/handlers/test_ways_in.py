"""The edges of the other ways in: mails, incidents over API and bus, declarations of guests."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.process_stripe_event import handler as process_stripe_event
from functions.receive_mail import handler as receive_mail
from functions.report_incidents import handler as report_incidents
from shared.application.identify_customer import link_identity
from shared.application.refresh_subscription import refresh_subscription
from shared.domain.errors import UnavailableError
from shared.domain.incident import INCIDENTS, Incident
from shared.domain.refund_case import RefundCase
from shared.runtime.sqs import FailedError
from tests.application.builders import CUSTOMER, SUBSCRIPTION
from tests.fakes.services import START
from tests.handlers.api_under_test import call
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, Context, claims, sqs_event
from tests.infrastructure.openapi import SCHEMAS, validate

MAILS = Path(__file__).parents[1] / "fixtures" / "mails"
SERVICE = claims(sub="noc", scope="service")
AGENT = claims(sub="staff-1") | {"cognito:groups": "[agent]"}
OUTAGE: Mapping[str, Any] = {
    "reference": "noc-17",
    "services": ["prod_1"],
    "started_at": "2026-03-09T06:00:00Z",
    "ended_at": "2026-03-09T12:00:00Z",
    "attribution": "vendor",
    "beyond_sla": True,
    "source": "monitoring",
}
WITHDRAWAL: Mapping[str, Any] = {
    "kind": "withdrawal",
    "name": "Ann Lee",
    "contract": "A-0001",
    "email": "ann@example.com",
}
# No field of a report may be left to guesswork; each with the path that the refusal names.
NO_REPORTS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("$.reference", {"reference": "a b"}),
    ("$.services", {"services": []}),
    ("$.services[0]", {"services": ["prod 1"]}),
    ("$.services", {"services": ["prod_1", "prod_1"]}),
    ("$.started_at", {"started_at": "2026-03-09T06:00:00"}),
    ("$.started_at", {"started_at": "2027-03-09T06:00:00Z", "ended_at": None}),
    ("$.ended_at", {"ended_at": "2026-03-09T05:00:00Z"}),
    ("$.attribution", {"attribution": "nobody"}),
    ("$.beyond_sla", {"beyond_sla": "yes"}),
    ("$", {"severity": 1}),
)


def ask(route: str, jwt: Any = None, body: Any = None, **path: str) -> tuple[int, Any]:
    headers = {"idempotency-key": "k"}
    status, answer, _ = call(route, jwt=jwt, body=body, path=path, headers=headers)
    return status, answer


def on_the_bus(**changes: Any) -> dict[str, Any]:
    detail = dict(OUTAGE) | changes
    return {"detail-type": "IncidentReported", "source": "company.monitoring", "detail": detail}


def incident(services: HandlerServices) -> Incident | None:
    stored = services.store.get(Incident, INCIDENTS, "noc-17")
    return stored.record if stored else None


# ------------------------------------------------------------------ mails


def ses(message: str = "m-1", **verdicts: Any) -> dict[str, Any]:
    passed = {f"{name}Verdict": {"status": "PASS"} for name in ("spf", "dkim", "dmarc", "spam")}
    receipt = passed | {"virusVerdict": {"status": "PASS"}} | verdicts
    told = {"mail": {"messageId": message, "source": "ann@example.com"}, "receipt": receipt}
    return {"eventSource": "aws:ses", "ses": told}


@pytest.fixture
def mailbox(services: HandlerServices) -> HandlerServices:
    """Ann has an invoice of five days ago, and her request for a refund lies in the bucket."""
    services.policy = "rtc"
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"], customer=CUSTOMER, created_at=START - timedelta(days=5)
    )
    services.mailbox.messages["m-1"] = (MAILS / "attachment_png.eml").read_bytes()
    return services


@pytest.mark.clause("rtc.intake")
def test_each_mail_of_an_event_is_dealt_with_and_counted(mailbox: HandlerServices) -> None:
    mailbox.mailbox.messages["m-2"] = (MAILS / "bounce_dsn.eml").read_bytes()
    event = {"Records": [ses(), ses("m-2"), ses("m-absent")]}
    outcomes = receive_mail.lambda_handler(event, None)
    assert outcomes.pop("case_opened") == 1
    assert outcomes.pop("gone") == 1
    assert sum(outcomes.values()) == 1
    assert mailbox.mailbox.messages == {}
    (case,) = [stored.record for stored in mailbox.store.all_of(RefundCase, CUSTOMER)]
    assert (case.channel, case.evidence) == ("email", ("screenshot",))


@pytest.mark.parametrize(
    "receipt",
    [
        {"dmarcVerdict": {"status": "FAIL"}, "spfVerdict": {}, "dkimVerdict": {}},
        {"dmarcVerdict": {"status": "pass"}},
        {"dmarcVerdict": None},
        {"dmarcVerdict": {"status": "SURE"}},
        {"spamVerdict": {"status": "FAIL"}},
        {"virusVerdict": {"status": "FAIL"}},
    ],
    ids=["failed", "small letters", "absent", "unknown word", "spam", "virus"],
)
def test_a_verdict_that_is_not_a_pass_proves_nothing(
    mailbox: HandlerServices, receipt: dict[str, Any]
) -> None:
    outcomes = receive_mail.lambda_handler({"Records": [ses(**receipt)]}, None)
    assert "case_opened" not in outcomes
    assert mailbox.store.all_of(RefundCase, CUSTOMER) == []


def test_a_mail_that_cannot_be_dealt_with_now_stays_for_the_next_try(
    mailbox: HandlerServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_number: str) -> None:
        raise UnavailableError("Stripe is down")

    monkeypatch.setattr(mailbox.billing, "invoice_numbered", down)
    with pytest.raises(FailedError, match="UnavailableError"):
        receive_mail.lambda_handler({"Records": [ses()]}, None)
    assert list(mailbox.mailbox.messages) == ["m-1"]
    monkeypatch.undo()


# ------------------------------------------------------------------ incidents


def test_monitoring_reports_corrects_and_repeats_over_the_api(services: HandlerServices) -> None:
    for ended, revision in (("2026-03-09T12:00:00Z", 1),) * 2 + (("2026-03-09T13:00:00Z", 2),):
        body = dict(OUTAGE) | {"ended_at": ended}
        status, shown = ask("POST /v1/incidents", SERVICE, body)
        assert (status, shown["revision"]) == (200, revision)
        validate(shown, SCHEMAS["Incident"])
    known = incident(services)
    assert known is not None
    assert [revision.by for revision in known.revisions] == ["service:noc"] * 2


@pytest.mark.parametrize(("path", "changes"), NO_REPORTS)
def test_what_is_no_report_is_refused_with_its_place(
    services: HandlerServices, path: str, changes: dict[str, Any]
) -> None:
    commits = services.store.commits
    status, problem = ask("POST /v1/incidents", SERVICE, dict(OUTAGE) | changes)
    assert (status, problem["errors"][0]["path"]) == (400, path)
    assert services.store.commits == commits


@pytest.mark.clause("voip.disruption")
def test_monitoring_reports_on_the_bus_and_delivers_twice(services: HandlerServices) -> None:
    for _ in range(2):
        answer = report_incidents.lambda_handler(on_the_bus(), None)
        assert answer == {"reference": "noc-17", "revision": 1}
    later = on_the_bus(ended_at="2026-03-09T14:00:00+01:00", source="a person")
    assert report_incidents.lambda_handler(later, None)["revision"] == 2
    known = incident(services)
    assert known is not None
    assert known.revisions[-1].by == "bus:company.monitoring"
    assert known.outage.ended_at is not None
    assert known.outage.ended_at.isoformat() == "2026-03-09T13:00:00+00:00"


@pytest.mark.parametrize(("path", "changes"), NO_REPORTS)
def test_an_event_that_is_no_report_rings_and_is_recorded_nowhere(
    services: HandlerServices,
    path: str,
    changes: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(FailedError, match="InvalidRequestError"):
        report_incidents.lambda_handler(on_the_bus(**changes), None)
    assert incident(services) is None
    assert f": {path}: " in caplog.text


@pytest.mark.clause("voip.disruption")
def test_staff_propose_approve_and_discard_credits(services: HandlerServices) -> None:
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"],
        customer=CUSTOMER,
        lines=(replace(services.billing.invoices["in_1"].lines[0], product="prod_1"),),
    )
    refresh_subscription(services, customer=CUSTOMER, subscription=SUBSCRIPTION)
    assert ask("POST /v1/staff/incidents", AGENT, OUTAGE)[0] == 200
    batches = "POST /v1/staff/incidents/{id}/credit-batches"
    assert ask(batches, AGENT, {}, id="noc-18")[0] == 404
    assert ask(batches, AGENT, {"settle_as": "cash"}, id="noc-17")[0] == 400
    status, batch = ask(batches, AGENT, {}, id="noc-17")
    assert (status, batch["state"]) == (202, "collecting")
    approvals = "POST /v1/staff/credit-batches/{id}/approvals"
    early = {"digest": f"sha256:{'0' * 64}", "reason": "confirmed"}
    assert ask(approvals, AGENT, early, id=batch["id"])[1]["type"] == "/problems/still-collecting"
    services.run_effects()

    status, batch = ask("GET /v1/staff/credit-batches/{id}", AGENT, id=batch["id"])
    assert (status, batch["complete"], batch["collected"]) == (200, True, 1)
    validate(batch, SCHEMAS["CreditBatch"])
    assert ask(approvals, AGENT, early, id=batch["id"])[0] == 409
    consent = {"digest": batch["digest"], "reason": "confirmed"}
    assert ask(approvals, AGENT, consent | {"reason": ""}, id=batch["id"])[0] == 400
    assert services.billing.called("refund_payment") == []
    status, batch = ask(approvals, AGENT, consent, id=batch["id"])
    assert (status, batch["state"]) == (202, "releasing")
    services.run_effects(rounds=100)
    assert len(services.billing.called("refund_payment")) == 1
    assert ask("DELETE /v1/staff/credit-batches/{id}", AGENT, id=batch["id"])[0] == 409
    status, shown = ask("GET /v1/staff/incidents/{id}", AGENT, id="noc-17")
    assert (status, [one["state"] for one in shown["batches"]]) == (200, ["released"])


# ------------------------------------------------------------------ declarations


def declare(**changes: Any) -> tuple[int, Any]:
    return ask("POST /v1/declarations", body=dict(WITHDRAWAL) | changes)


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("$.kind", {"kind": "refund"}),
        ("$.name", {"name": ""}),
        ("$.contract", {"contract": "x" * 201}),
        ("$.email", {"email": "ann"}),
        ("$.email", {"email": "ann@example.com, bob@example.com"}),
        ("$.email", {"email": "ann@example.com\nBcc: bob@example.com"}),
        ("$.text", {"text": "x" * 4001}),
        ("$", {"customer": CUSTOMER}),
    ],
)
def test_what_is_no_declaration_is_refused_with_its_place(
    services: HandlerServices, path: str, changes: dict[str, Any]
) -> None:
    commits = services.store.commits
    status, problem = declare(**changes)
    assert (status, problem["errors"][0]["path"]) == (400, path)
    assert (services.store.commits, services.mailer.sent) == (commits, [])


def test_a_receipt_at_once_and_too_many_are_refused(services: HandlerServices) -> None:
    for _ in range(5):
        status, receipt = declare()
        assert (status, receipt["received_at"]) == (202, "2026-03-10T12:00:00Z")
        validate(receipt, SCHEMAS["Declaration"])
        services.run_effects()
        assert receipt["id"] in str(services.mailer.sent[-1]["values"])
    assert declare()[1]["type"] == "/problems/too-many-requests"
    assert declare(email="ANN@example.com")[0] == 429
    assert len(services.mailer.sent) == 5
    assert services.billing.called("refund_payment") == []


def test_staff_match_what_nobody_could_confirm_once(services: HandlerServices) -> None:
    _, receipt = declare(email="elsewhere@example.org")
    confirm = "POST /v1/declarations/{id}/confirmations"
    assert ask(confirm, body={"code": "WRONG"}, id=receipt["id"])[0] == 404
    assert ask(confirm, body={"code": "x" * 65}, id=receipt["id"])[0] == 400
    assert ask(confirm, body={"code": "WRONG"}, id="01J00000000000000000000000")[0] == 404
    status, waiting = ask("GET /v1/staff/declarations", AGENT)
    assert (status, [one["id"] for one in waiting["data"]]) == (200, [receipt["id"]])
    match = "POST /v1/staff/declarations/{id}/matches"
    whose = {"customer": CUSTOMER, "subscription": SUBSCRIPTION}
    assert ask(match, AGENT, whose | {"customer": "cus_bob"}, id=receipt["id"])[0] == 404
    assert ask(match, AGENT, whose | {"subscription": "A-0001"}, id=receipt["id"])[0] == 400
    assert ask(match, AGENT, whose, id=receipt["id"])[0] == 200
    assert ask(match, AGENT, whose, id=receipt["id"])[0] == 409
    services.run_effects()
    assert len(services.store.all_of(RefundCase, CUSTOMER)) == 1
    assert services.billing.called("refund_payment") == []


# ------------------------------------------------------------------ activation, grounds


@pytest.mark.clause("voip.activation")
def test_the_first_paid_invoice_comes_twice_and_activates_once(services: HandlerServices) -> None:
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"], customer=CUSTOMER, paid_at=START, created_at=START
    )
    paid = {
        "event": "evt_1",
        "type": "invoice.paid",
        "object": "in_1",
        "object_kind": "invoice",
        "customer": CUSTOMER,
    }
    answer = process_stripe_event.lambda_handler(
        sqs_event(paid, paid, paid | {"event": "evt_2"}), Context()
    )
    assert answer == {"batchItemFailures": []}
    services.run_effects()
    welcomes = [m for m in services.mailer.sent if m["template"] == "account_activated"]
    assert len(welcomes) == 1


@pytest.mark.parametrize(
    ("policy", "channel", "refusing"),
    [
        pytest.param("rtc", "phone", "rtc.intake", marks=pytest.mark.clause("rtc.intake")),
        *(
            pytest.param(clause.partition(".")[0], channel, refusing, marks=mark)
            for clause in ("itservices.request", "moneyback.intake")
            for mark in [pytest.mark.clause(clause)]
            for channel, refusing in (("phone", None), ("chat", clause))
        ),
    ],
)
def test_staff_take_requests_by_the_policys_channels(
    services: HandlerServices, policy: str, channel: str, refusing: str | None
) -> None:
    services.policy = policy
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"], customer=CUSTOMER
    )
    wanted = {"customer": CUSTOMER, "channel": channel, "invoice": "in_1", "statement": "too much"}
    status, body = ask("POST /v1/staff/cases", AGENT, wanted | {"ground": "billing_error"})
    assert (status, body.get("clause")) == ((409, refusing) if refusing else (201, None))
    assert len(services.store.all_of(RefundCase, CUSTOMER)) == (refusing is None)


def test_staff_state_the_ground_of_a_case_and_goodwill_is_none(services: HandlerServices) -> None:
    link_identity(services, issuer=ISSUER, subject="user-1", customer=CUSTOMER, by="test")
    wanted = {"invoice": "in_1", "ground": "billing_error"}
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"], customer=CUSTOMER
    )
    status, case = ask("POST /v1/refund-requests", claims(), wanted)
    assert (status, case["ground_stated"]) == (201, True)
    path = {"customer": CUSTOMER, "id": case["id"]}
    findings = "POST /v1/staff/cases/{customer}/{id}/findings"
    for ground in ("goodwill", "anger"):
        body = {"reason": "read the mail", "ground": ground}
        assert ask(findings, AGENT, body, **path)[0] == 400
    body = {"reason": "read the mail", "ground": "service_disruption"}
    status, shown = ask(findings, AGENT, body, **path)
    assert (status, shown["ground"]) == (200, "service_disruption")
    validate(shown, SCHEMAS["StaffCase"])
