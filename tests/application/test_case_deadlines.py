"""Every clock of a case: kept, warned of before, late after, and standing still in between."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from shared.application.cases.queue import show_queue
from shared.application.cases.review_case import ask_customer, book_callback, note_callback, reply
from shared.domain.case_clocks import ClockKind
from shared.domain.errors import ConflictError
from shared.domain.refund_case import CallbackState
from tests.application.builders import CUSTOMER
from tests.application.case_life import AGENT, Life

SOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CUSTOMER_ACTOR = f"customer:{CUSTOMER}"


def life(policy: str) -> Life:
    made = Life(policy)
    made.services.clock.instant = SOON
    made.services.billing.now = SOON
    return made


def clock(case: Life, kind: str) -> dict[str, object]:
    return next(c for c in case.view["clocks"] if c["kind"] == kind)


@pytest.mark.clause("rtc.review_sla")
def test_a_review_in_time_says_nothing() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    case.settle()
    due = case.case.clock(ClockKind.REVIEW)
    assert due is not None
    assert case.at(due.warn_at - SECOND).keys() == set()
    case.decline()
    assert case.at(due.due_at + timedelta(days=30)).get("case_late") is None
    assert clock(case, "review")["late_at"] is None


@pytest.mark.clause("rtc.review_sla")
def test_a_review_is_warned_of_and_told_when_it_is_late_to_a_second_address() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    due = case.case.clock(ClockKind.REVIEW)
    assert due is not None
    assert case.at(due.warn_at)["case_warned"] == 1
    assert "case_warned" not in case.at(due.due_at - SECOND)
    assert case.at(due.due_at)["case_late"] == 1
    assert "case_late" not in case.at(due.due_at + timedelta(days=1))
    staff = [(m["to"], m["template"]) for m in case.services.mailer.sent if "staff" in m["to"]]
    assert staff == [
        ("staff@example.com", "staff_case_warned"),
        ("staff@example.com", "staff_case_late"),
    ]
    assert [row["late"] for row in show_queue(case.services, after=None)["data"]] == [True]
    what = [entry["what"] for entry in case.view["timeline"]]
    assert what.count("case_review_warned") == what.count("case_review_late") == 1


@pytest.mark.clause("rtc.documentation")
def test_while_the_customer_is_asked_the_review_stands_still_and_the_customer_is_reminded() -> None:
    case = life("rtc")
    case.open("billing_error")
    asked = case.case.clock(ClockKind.EVIDENCE)
    assert asked is not None
    assert case.at(asked.warn_at)["case_reminded"] == 1
    assert case.mails[-1] == "case_evidence_reminder"
    assert case.at(asked.due_at)["case_late"] == 1
    assert clock(case, "review")["late_at"] is None
    before = case.case.clock(ClockKind.REVIEW)
    case.upload()
    after = case.case.clock(ClockKind.REVIEW)
    assert before is not None
    assert after is not None
    assert after.due_at > before.due_at
    assert not after.is_paused
    assert case.state == "under_review"


def test_a_question_waits_for_its_kinds_of_evidence_or_for_an_answer() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    ask = {"by": AGENT, "customer": CUSTOMER, "case": case.id, "message": "and the log?"}
    ask_customer(case.services, kinds=("log",), **ask)  # type: ignore[arg-type]
    case.settle()
    sent = case.services.mailer.sent[-1]
    assert (sent["template"], "and the log?" in sent["text"]) == ("case_question", True)
    assert case.view["asked_for"] == ["log"]
    case.upload("other", b"x", "text/plain")
    assert case.state == "needs_evidence"
    case.upload("log", b"x", "text/plain")
    assert case.state == "under_review"
    ask_customer(case.services, kinds=(), **ask)  # type: ignore[arg-type]
    reply(case.services, customer=CUSTOMER, case=case.id, message="I have none")
    assert (case.state, case.view["notes"][-1]["text"]) == ("under_review", "I have none")


@pytest.mark.clause("rtc.payout_sla")
def test_a_payout_that_hangs_is_warned_of_late_and_then_paid() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": 110000}})
    case.services.billing.refund_status = "pending"
    case.approve()
    case.settle()
    assert case.state == "paying"
    due = case.case.clock(ClockKind.PAYOUT)
    assert due is not None
    assert due.days == 10
    assert case.at(due.warn_at)["case_warned"] == 1
    assert case.at(due.due_at)["case_late"] == 1
    assert case.state == "paying"


@pytest.mark.clause("rtc.payout_sla")
def test_a_payout_in_time_stops_its_clock() -> None:
    case = life("rtc")
    case.open("billing_error")
    case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": 110000}})
    case.approve()
    case.settle()
    assert clock(case, "payout")["stopped_at"] == "2026-01-10T12:00:00Z"
    late = Counter(case.at(SOON + timedelta(days=40)))
    assert late["case_late"] == late["case_warned"] == 0


@pytest.mark.clause("moneyback.callback")
@pytest.mark.clause("moneyback.intake")
def test_a_call_back_is_offered_booked_and_done() -> None:
    case = life("moneyback")
    case.open("dissatisfaction", channel="phone", by=AGENT.actor)
    slot = case.case.callback
    assert slot is not None
    assert (slot.earliest.isoformat(), slot.latest.isoformat()) == (
        "2026-01-12T17:00:00+00:00",  # 08:00 on Monday in New York, and four hours
        "2026-01-12T21:00:00+00:00",
    )
    book = {"customer": CUSTOMER, "case": case.id, "by": CUSTOMER_ACTOR}
    for outside in (slot.earliest - SECOND, slot.latest):
        with pytest.raises(ConflictError, match="within its slot"):
            book_callback(case.services, at=outside, **book)
    booked = book_callback(case.services, at=slot.earliest + timedelta(hours=1), **book)
    assert booked.callback is not None
    assert booked.callback.state is CallbackState.BOOKED
    note = {"by": AGENT, "customer": CUSTOMER, "case": case.id, "message": "talked it over"}
    note_callback(case.services, **note)  # type: ignore[arg-type]
    assert case.view["callback"]["state"] == "done"
    assert "case_late" not in case.at(slot.latest + SECOND)
    with pytest.raises(ConflictError, match="is done"):
        note_callback(case.services, **note)  # type: ignore[arg-type]


@pytest.mark.clause("moneyback.callback")
def test_a_missed_call_back_escalates_and_can_still_be_made() -> None:
    case = life("moneyback")
    case.open("dissatisfaction")
    slot = case.case.callback
    assert slot is not None
    assert case.at(slot.earliest)["case_warned"] == 1
    assert case.at(slot.latest)["case_late"] == 1
    assert case.view["callback"]["state"] == "missed"
    note_callback(case.services, by=AGENT, customer=CUSTOMER, case=case.id, message="sorry")
    assert case.view["callback"]["state"] == "done"


def test_a_schedule_that_fires_twice_or_slept_says_each_thing_once() -> None:
    case = life("voip")
    case.open("billing_error")
    case.settle()
    far = SOON + timedelta(days=60)
    assert case.at(far) == {"case_late": 1}
    assert case.at(far) == {}
    what = [entry["what"] for entry in case.view["timeline"]]
    assert [w for w in what if "review_" in w] == ["case_review_warned", "case_review_late"]


def test_mails_speak_the_customers_language_where_they_can() -> None:
    case = life("rtc")
    case.services.billing.tongues[CUSTOMER] = ("de-AT", "AT")
    case.open("billing_error")
    case.settle()
    first, second = case.services.mailer.sent[:2]
    assert (first["language"], second["language"]) == ("de", "de")
    assert "Es fehlen noch Belege" in second["text"]
