"""Refund cases against fakes of every port: opened, gathered for, reviewed, decided, paid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.application.adopt_refund import refresh_refund
from shared.application.cases.open_case import OpenCase, open_case
from shared.application.cases.queue import show_queue
from shared.application.cases.withdraw_case import withdraw_case
from shared.application.quote_cancellation import quote_cancellation
from shared.application.show_account import check_access
from shared.domain.cancellation import Timing
from shared.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from shared.domain.facts import Ground
from shared.domain.records import CaseNote
from tests.application.builders import CUSTOMER, SUBSCRIPTION
from tests.application.case_life import AGENT, APPROVER, Life

SOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def life(policy: str, at: datetime = SOON) -> Life:
    made = Life(policy)
    made.services.clock.instant = at
    made.services.billing.now = at
    return made


@pytest.mark.clause("rtc.window")
def test_a_request_after_the_window_is_answered_at_once_with_its_reason() -> None:
    case = life("rtc", datetime(2026, 1, 17, 12, tzinfo=UTC))
    case.open("billing_error")
    assert case.state == "denied"
    assert case.view["reasons"] == [{"clause": "rtc.window", "code": "window_over"}]
    case.settle()
    assert case.mails == ["case_received", "case_denied"]


@pytest.mark.clause("rtc.standing")
@pytest.mark.clause("rtc.grounds")
def test_what_is_no_ground_is_denied_and_support_is_a_referral() -> None:
    denied, referred = life("rtc"), life("voip")
    denied.open("dissatisfaction")
    referred.open("dissatisfaction")
    assert (denied.state, referred.state) == ("denied", "referred")


@pytest.mark.clause("voip.returns")
def test_a_referral_is_a_case_in_the_staffs_queue_and_support_hears_of_it() -> None:
    case = life("voip")
    case.open("dissatisfaction", statement="I do not like it")
    case.settle()
    assert [row["state"] for row in show_queue(case.services, after=None)["data"]] == ["referred"]
    assert case.mails == ["case_received", "case_referred", "staff_case_referred"]
    case.find(reopened=True) if False else case.decline()
    assert case.state == "denied"


@pytest.mark.clause("rtc.documentation")
def test_without_evidence_a_case_waits_and_goes_on_with_it() -> None:
    case = life("rtc")
    case.open("billing_error")
    assert case.state == "needs_evidence"
    assert case.case.clocks[0].is_paused
    case.services.clock.advance(days=3)
    case.upload()
    assert case.state == "under_review"
    review = case.view["clocks"][-1]
    assert review["pauses"][0]["until"] == "2026-01-13T12:00:00Z"


@pytest.mark.clause("rtc.payout_sla")
@pytest.mark.clause("rtc.partial")
def test_what_is_approved_ends_the_service_and_goes_back_the_way_it_came() -> None:
    case = life("rtc")
    case.open("unused_period")
    case.upload()
    case.approve(AGENT)
    assert case.state == "under_review"
    case.approve(APPROVER)
    case.settle()
    assert case.state == "paid"
    assert check_access(case.services, customer=CUSTOMER)["entitled"] is False
    (refund,) = case.services.billing.refunds.values()
    assert (refund.payment, refund.amount) == ("pi_1", case.case.amount)
    assert case.case.amount == case.view["quote"]["total"]


@pytest.mark.clause("itservices.vendor_fault")
@pytest.mark.clause("itservices.resolution")
def test_the_house_may_give_credit_for_its_own_fault_and_says_why() -> None:
    case = life("itservices", datetime(2026, 1, 5, tzinfo=UTC))
    case.open("vendor_fault", service_date=datetime(2026, 1, 2, tzinfo=UTC))
    case.find(verified=True, settle_as="credit")
    assert case.approve(AGENT, 5000).need is None
    case.settle()
    assert (case.state, case.services.billing.refunds) == ("paid", {})
    assert [n["credit"] for n in case.services.billing.credit_notes.values()] == [5000]
    said = next(m for m in case.services.mailer.sent if m["template"] == "case_approved")
    assert "granted" in said["values"]["explanation"]


@pytest.mark.clause("moneyback.per_issue")
@pytest.mark.clause("moneyback.deductions")
@pytest.mark.clause("moneyback.evidence")
def test_money_back_less_issues_and_deductions_after_all_evidence_was_looked_at() -> None:
    case = life("moneyback")
    case.open("dissatisfaction")
    case.upload("chat_log", b"hello", "text/plain")
    case.find(
        resolved_issues=["2026-01-05T00:00:00Z"],
        deductions=[{"what": "licence", "amount": 2000}],
        evidence=["call_record"],
    )
    assert case.case.amount == 120000 - 2999 - 2000
    with pytest.raises(ConflictError) as refused:
        case.approve(AGENT, reviewed=("chat_log",))
    assert refused.value.slug == "evidence-not-reviewed"
    assert refused.value.members["missing"] == ["call_record"]
    both = ("call_record", "chat_log")
    case.approve(AGENT, reviewed=both)
    case.approve(APPROVER, reviewed=both)
    case.settle()
    assert case.state == "paid"


@pytest.mark.clause("itservices.goodwill")
def test_goodwill_reopens_a_denied_case_within_a_limit_of_its_own() -> None:
    case = life("itservices", datetime(2026, 2, 1, tzinfo=UTC))
    case.open("unused_period")
    assert case.state == "denied"
    case.find(goodwill=True)
    assert (case.state, case.case.amount, case.case.goodwill) == ("under_review", 20000, True)
    case.approve(AGENT, 5000)
    assert case.state == "approved"


def test_a_quote_that_needs_a_person_becomes_a_case_and_no_other_does() -> None:
    case = life("rtc")
    asked = {"customer": CUSTOMER, "subscription": SUBSCRIPTION, "timing": Timing.IMMEDIATELY}
    quote = quote_cancellation(case.services, **asked)  # type: ignore[arg-type]
    wanted = OpenCase(quote=quote["id"])
    opened = open_case(case.services, customer=CUSTOMER, wanted=wanted, by="customer:cus_ann")
    assert (opened.case.ground, opened.case.invoices) == (Ground.UNUSED_PERIOD, ("in_1",))
    case.services.policy = "voip"
    executable = OpenCase(quote=quote_cancellation(case.services, **asked)["id"])  # type: ignore[arg-type]
    with pytest.raises(ConflictError) as refused:
        open_case(case.services, customer=CUSTOMER, wanted=executable, by="customer:cus_ann")
    assert refused.value.slug == "confirm-the-quote"


def test_a_second_request_for_the_same_joins_the_open_one_and_says_so() -> None:
    case = life("rtc")
    first = case.open("billing_error", statement="too much")
    again = case.open("billing_error", invoice="A-0001", statement="really")
    assert (again.joined, again.case.id) == (True, first.case.id)
    assert [note["text"] for note in case.view["notes"]] == ["too much", "really"]
    assert case.open("service_disruption").joined is False


@pytest.mark.clause("moneyback.own_account")
def test_nobody_opens_or_reads_a_case_on_anothers_invoice() -> None:
    case = life("rtc")
    for customer, invoice in (("cus_eve", "in_1"), (CUSTOMER, "in_other")):
        wanted = OpenCase(invoice=invoice, ground=Ground.BILLING_ERROR)
        with pytest.raises(NotFoundError, match="There is no such invoice"):
            open_case(case.services, customer=customer, wanted=wanted, by="x")
    case.open("billing_error")
    with pytest.raises(NotFoundError):
        withdraw_case(case.services, customer="cus_eve", case=case.id)


@pytest.mark.clause("itservices.request")
@pytest.mark.parametrize(
    ("policy", "channel", "taken"),
    [
        ("itservices", "phone", True),
        ("itservices", "email", True),
        ("moneyback", "phone", True),
        ("rtc", "phone", False),
        ("rtc", "email", True),
        ("voip", "chat", True),
    ],
)
def test_a_channel_is_recorded_and_one_that_is_not_in_writing_refused(
    policy: str, channel: str, taken: bool
) -> None:
    case = life(policy)
    if taken:
        case.open("billing_error", channel=channel, by=AGENT.actor)
        assert (case.case.channel, case.case.opened_by) == (channel, AGENT.actor)
        return
    with pytest.raises(ConflictError) as refused:
        case.open("billing_error", channel=channel, by=AGENT.actor)
    assert refused.value.slug == "channel-not-taken"
    assert refused.value.members["clause"] == "rtc.intake"


def test_a_request_can_be_taken_back_until_it_is_decided() -> None:
    case = life("rtc")
    case.open("billing_error")
    withdraw_case(case.services, customer=CUSTOMER, case=case.id)
    assert (case.state, case.case.due_at) == ("withdrawn", None)
    assert show_queue(case.services, after=None)["data"] == []
    with pytest.raises(ConflictError, match="withdrawn"):
        withdraw_case(case.services, customer=CUSTOMER, case=case.id)


def test_texts_are_sealed_and_neither_audit_nor_mail_repeats_them() -> None:
    case = life("rtc")
    case.open("billing_error", statement="my secret story")
    case.settle()
    everything = repr(case.services.store.table) + repr(case.services.mailer.sent)
    assert "secret story" not in everything
    (note,) = case.services.store.all_of(CaseNote, CUSTOMER)
    assert b"secret" not in note.record.sealed
    case.services.vault.destroy(CUSTOMER, at=SOON)
    assert [n["text"] for n in case.view["notes"]] == [""]


@pytest.mark.parametrize(
    ("content", "claimed"),
    [
        (b"", "image/png"),
        (b"<html><script>", "image/png"),
        (b"%PDF-1.7", "image/jpeg"),
        (b"\xff\xfe\x00", "text/plain"),
        (b" <!DOCTYPE html>", "text/plain"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * (4 * 1024 * 1024), "image/png"),
        (b"INFECTED", "text/plain"),
    ],
    ids=["empty", "html", "pdf as jpeg", "binary", "markup", "large", "scanner"],
)
def test_a_file_that_is_not_what_it_claims_is_refused_and_gone(
    content: bytes, claimed: str
) -> None:
    case = life("rtc")
    case.open("billing_error")
    with pytest.raises(ConflictError) as refused:
        case.upload(content=content, claimed=claimed)
    assert refused.value.slug == "content-refused"
    assert case.state == "needs_evidence"
    assert (case.services.uploads.arrived, case.services.uploads.sealed) == ({}, {})
    assert case.view["evidence"][0]["state"] == "refused"


def test_evidence_is_kept_sealed_and_counted() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload(content=b"%PDF-1.7 my invoice", claimed="application/pdf")
    (path,) = case.services.uploads.sealed
    assert path.startswith(f"{CUSTOMER}/evidence/")
    assert b"invoice" not in case.services.uploads.sealed[path]
    for _ in range(19):
        case.upload()
    with pytest.raises(ConflictError, match="20 uploads"):
        case.upload()


def test_findings_that_do_not_fit_are_refused_with_their_place() -> None:
    case = life("rtc")
    case.open("billing_error")
    before = case.case
    for found in ({"lines": {"il_x": {"expected_amount": 1}}}, {"service_date": "yesterday"}):
        with pytest.raises(InvalidRequestError) as refused:
            case.find(**found)
        assert refused.value.members["errors"][0]["path"].startswith("$.")
    assert case.case == before


def test_what_an_earlier_case_gave_back_on_a_line_is_not_given_twice() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": 110000}})
    case.approve()
    case.settle()
    assert case.services.billing.refunds["re_0"].amount == 10000
    case.open("billing_error")
    case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": 100000}})
    assert case.case.amount == 10000


@pytest.mark.clause("moneyback.cap")
def test_cases_on_several_grounds_never_give_back_more_than_was_paid() -> None:
    case = life("moneyback")
    case.open("dissatisfaction")
    case.open("billing_error")
    error = case.id
    case.find(verified=True, lines={"il_1": {"expected_amount": 0}})
    case.approve(AGENT)
    case.approve(APPROVER)
    case.settle()
    assert case.state == "paid"
    case.open("dissatisfaction")
    assert case.id != error
    case.find()
    assert case.case.amount == 0
    with pytest.raises(ConflictError, match="Nothing is left"):
        case.approve(AGENT)
    assert sum(r.amount for r in case.services.billing.refunds.values()) == 120000


def test_a_refund_that_comes_back_after_it_was_sent_brings_the_case_to_a_person() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": 110000}})
    case.approve()
    case.settle()
    assert case.state == "paid"
    billing = case.services.billing
    billing.refunds["re_0"] = replace(billing.refunds["re_0"], status="failed", failure="lost")
    refresh_refund(case.services, refund="re_0")
    case.settle()
    assert case.state == "needs_person"
    assert "refund_failed" in case.mails
    assert [row["state"] for row in show_queue(case.services, after=None)["data"]] == [
        "needs_person"
    ]


def test_the_queue_is_in_the_order_of_due_times_and_has_pages() -> None:
    case = life("voip")
    for day in range(3):
        case.services.clock.instant = SOON + timedelta(days=day)
        case.open(("billing_error", "service_disruption", "dissatisfaction")[day])
    rows = show_queue(case.services, after=None)
    assert rows["next"] is None
    due = [row["due_at"] for row in rows["data"]]
    assert due == sorted(due)
    assert [row["state"] for row in rows["data"]] == ["under_review", "referred"]
    with pytest.raises(InvalidRequestError):
        show_queue(case.services, after="no cursor")
