"""A mail that came in: what it opens, what it is answered, and what a flood of mails comes to."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.application.cases.attach_evidence import attach_evidence
from shared.application.intake.receive_mail import receive_mail
from shared.domain.mail_verdict import MailReceipt, Verdict
from shared.domain.records import AuditEntry
from shared.domain.refund_case import RefundCase
from shared.domain.upload import MAX_PER_CASE, Upload
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.application.case_life import PNG
from tests.fakes.services import START, FakeServices

pytestmark = pytest.mark.clause("rtc.intake")

POLICIES = Path(__file__).parents[2] / "shared" / "policies"
MAILS = Path(__file__).parents[1] / "fixtures" / "mails"
OWN = "refunds@vendor.example"
PASSED = MailReceipt("m-1", "ann@example.com", *[Verdict.PASS] * 5)


@pytest.fixture
def services() -> FakeServices:
    return who_writes()


def who_writes() -> FakeServices:
    made = services_with_annual_plan()
    made.policy = "rtc"
    made.billing.invoices["in_1"] = replace(
        made.billing.invoices["in_1"], customer=CUSTOMER, created_at=START - timedelta(days=5)
    )
    return made


def mail(name: str, **changes: str) -> bytes:
    raw = (MAILS / f"{name}.eml").read_bytes()
    for old, new in changes.items():
        raw = raw.replace(old.encode(), new.encode())
    return raw


def came(services: FakeServices, raw: bytes, receipt: MailReceipt = PASSED) -> str:
    services.mailbox.messages[receipt.message] = raw
    return receive_mail(services, receipt, own_address=OWN)


def cases(services: FakeServices) -> list[RefundCase]:
    return [stored.record for stored in services.store.all_of(RefundCase, CUSTOMER)]


def answers(services: FakeServices) -> list[tuple[str, str]]:
    services.run_effects(rounds=500)
    return [(m["to"], m["template"]) for m in services.mailer.sent if "mail_" in m["template"]]


def test_a_request_opens_a_case_with_its_attachments_and_is_forgotten(services: FakeServices):
    assert came(services, mail("attachments_two")) == "case_opened"
    (case,) = cases(services)
    assert (case.channel, case.invoices, case.ground_stated) == ("email", ("in_1",), False)
    kept = [stored.record for stored in services.store.all_of(Upload, CUSTOMER)]
    assert sorted(e.kind for e in kept) == ["document", "screenshot"]
    assert {e.state.value for e in kept} == {"stored"}
    assert case.evidence == ("document", "screenshot")
    assert services.mailbox.messages == {}
    assert answers(services) == []


@pytest.mark.parametrize(
    ("content", "before", "why"),
    [
        (b"\x00\xff\xfe", 0, "its bytes are of no type taken"),
        (PNG, MAX_PER_CASE, "there are too many already"),
    ],
    ids=["type", "number"],
)
def test_an_attachment_that_is_not_taken_is_on_record(
    services: FakeServices, content: bytes, before: int, why: str
) -> None:
    came(services, mail("plain"))
    (case,) = cases(services)

    def attach(number: int, content: bytes) -> str:
        about = {"customer": CUSTOMER, "case": case.id, "by": f"mail:{CUSTOMER}"}
        return attach_evidence(services, **about, reference=f"m:{number}", content=content)

    assert {attach(number, PNG) for number in range(before)} <= {"taken"}
    assert attach(before, content) == "not_taken"
    *_, last = [one.record for one in services.store.all_of(AuditEntry, CUSTOMER)]
    assert (last.what, last.why) == ("case_evidence_refused", why)
    assert last.details == {"case": case.id}


def test_a_mail_that_is_delivered_again_opens_nothing_more(services: FakeServices):
    outcomes = [came(services, mail("attachment_png")) for _ in range(3)]
    assert outcomes == ["case_opened", "case_joined", "case_joined"]
    assert len(cases(services)) == 1
    assert len(services.store.all_of(Upload, CUSTOMER)) == 1
    assert receive_mail(services, PASSED, own_address=OWN) == "gone"


def test_without_evidence_the_case_waits_for_it_and_a_second_mail_brings_it(
    services: FakeServices,
):
    came(services, mail("plain"))
    assert cases(services)[0].state == "needs_evidence"
    second = replace(PASSED, message="m-2")
    assert came(services, mail("attachment_png"), second) == "case_joined"
    assert cases(services)[0].state == "under_review"


@pytest.mark.parametrize(
    ("name", "changes", "answer"),
    [
        ("other_subject", {}, "mail_without_number"),
        ("plain", {"A-0001": "A-0002"}, "mail_not_matched"),
        ("plain", {"ann@example.com": "bob@example.com"}, "mail_not_matched"),
    ],
    ids=["no number", "unknown invoice", "somebody else"],
)
def test_what_cannot_be_matched_opens_nothing_and_is_answered(
    services: FakeServices, name: str, changes: dict[str, str], answer: str
):
    outcome = came(services, mail(name, **changes))
    assert (outcome, cases(services)) == (answer.removeprefix("mail_"), [])
    sender = changes.get("ann@example.com", "ann@example.com")
    assert answers(services) == [(sender, answer)]


def test_the_address_of_a_stranger_is_in_the_table_only_sealed(services: FakeServices):
    came(services, mail("plain", **{"ann@example.com": "stranger@example.org"}))
    assert "stranger@example.org" not in str(services.store.table)
    assert answers(services) == [("stranger@example.org", "mail_not_matched")]


def test_a_mail_that_is_too_large_is_answered(services: FakeServices):
    raw = mail("plain") + b"x" * (15 * 1024 * 1024)
    assert came(services, raw) == "too_large"
    assert answers(services) == [("ann@example.com", "mail_too_large")]


@pytest.mark.parametrize("name", ["out_of_office", "bounce_verp", "loop_from_ourselves", "spam"])
def test_machines_and_harm_are_never_answered(services: FakeServices, name: str):
    receipt = replace(PASSED, spam=Verdict.FAIL) if name == "spam" else PASSED
    came(services, mail(name), receipt)
    assert (cases(services), answers(services)) == ([], [])


def test_whoever_is_impersonated_is_told_once_a_day(services: FakeServices):
    forged = [
        replace(PASSED, message=f"m-{n}", dmarc=Verdict.FAIL, envelope_from="x@evil.example")
        for n in range(5)
    ]
    assert [came(services, mail("plain"), r) for r in forged] == ["unproven"] * 5
    assert answers(services) == [("ann@example.com", "mail_unproven")]
    assert cases(services) == []


@pytest.mark.parametrize(
    ("channels", "outcome"),
    [('["email", "portal"]', "case_opened"), ('["portal"]', "channel_not_taken")],
)
def test_a_policy_that_takes_no_mail_says_so(
    services: FakeServices, tmp_path: Path, channels: str, outcome: str
):
    pack = (POLICIES / "rtc@2025-01-06.toml").read_text()
    assert 'channels = ["email", "portal"]' in pack
    chosen = tmp_path / "rtc@2025-01-06.toml"
    chosen.write_text(pack.replace('channels = ["email", "portal"]', f"channels = {channels}"))
    services.policy = str(chosen)
    assert came(services, mail("attachment_png")) == outcome
    assert len(cases(services)) == (outcome == "case_opened")
    told = [("ann@example.com", "mail_channel_not_taken")]
    assert answers(services) == ([] if outcome == "case_opened" else told)


def test_a_flood_of_a_thousand_mails_opens_nothing_that_it_should_not(services: FakeServices):
    """Forged, of strangers, of machines, without numbers, and from the customer again and again."""
    kinds = ("plain", "other_subject", "out_of_office", "bounce_dsn", "dmarc_fail")
    outcomes: Counter[str] = Counter()
    for number in range(1000):
        name = kinds[number % 5]
        receipt = replace(PASSED, message=f"m-{number:04}")
        changes = {}
        if name == "dmarc_fail":
            receipt = replace(receipt, dmarc=Verdict.FAIL)
        elif number % 2:
            changes = {"ann@example.com": f"stranger{number}@example.org"}
        outcomes[came(services, mail(name, **changes), receipt)] += 1
    # Of the 100 proven requests of the customer one opens the case, and as many as one sender may
    # have in an hour join it; the rest is silence, or one answer each to strangers.
    assert len(cases(services)) == 1
    assert outcomes["case_opened"] == 1
    assert outcomes["case_opened"] + outcomes["case_joined"] + outcomes["without_number"] <= 5 + 200
    assert outcomes.total() == 1000
    told = Counter(address for address, _ in answers(services))
    assert max(told.values()) <= 6
    assert told["ann@example.com"] <= 6
