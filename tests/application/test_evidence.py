"""Evidence: prepared from our own records, staged at once, submitted in time and once."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters import policy_files
from shared.application.defend import opened_pack, watch_evidence
from shared.application.handle_dispute import handle_dispute
from shared.domain.clauses import ContestRule, SubmitBy
from shared.domain.dispute import DisputeFacts, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.errors import OutcomeUnknownError
from shared.domain.evidence import (
    Activity,
    ChargeStory,
    EarlierPayment,
    Evidence,
    EvidenceState,
    Subject,
)
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundStatus
from shared.ports import Put
from tests.application.builders import CUSTOMER, YEAR_START, chargeback, services_with_annual_plan
from tests.fakes.services import START, FakeServices

DUE = START + timedelta(days=8)
USED = {"at": "2026-02-01T08:00:00+00:00", "what": "call", "ip": "203.0.113.7", "device": "d-1"}
Policy = Callable[..., None]
STORY = ChargeStory(
    charge="ch_1",
    paid_at=YEAR_START,
    amount=120_000,
    currency="usd",
    description="Annual plan",
    name="Ann",
    email="ann@example.com",
    address=None,
    receipt=None,
    earlier=(EarlierPayment("ch_0", 120_000, "usd", YEAR_START - timedelta(days=365)),),
)


@pytest.fixture
def services() -> FakeServices:
    made = services_with_annual_plan()
    made.policy = "rtc"
    made.billing.stories["ch_1"] = STORY
    return made


def report_use(services: FakeServices) -> None:
    sealed = services.vault.seal(
        json.dumps([USED]).encode(), customer=CUSTOMER, kind="activity", record="01USE"
    )
    at = datetime.fromisoformat(USED["at"])
    services.store.commit([Put(Activity("01USE", CUSTOMER, at, at, 1, sealed), 0)])


def opened(**change: Any) -> DisputeFacts:
    about: dict[str, Any] = {"respond_by": DUE, "network": "visa", "reason_code": "13.2"}
    return replace(chargeback(), **(about | change))


def see(services: FakeServices, number: int = 1, **change: Any) -> None:
    services.billing.disputes["du_1"] = opened(**change)
    handle_dispute(services, dispute="du_1", event=f"evt_{number}", event_type="t")


def evidence(services: FakeServices) -> Evidence:
    stored = services.store.get(Evidence, CUSTOMER, "du_1")
    assert stored is not None
    return stored.record


def sent(services: FakeServices, *, submit: bool) -> list[dict[str, Any]]:
    return [c for c in services.billing.called("send_evidence") if c["submit"] is submit]


def pass_hours(services: FakeServices, hours: int) -> None:
    for _ in range(hours):
        services.clock.advance(hours=1)
        services.run_due_work()
        services.run_effects(rounds=200)


def alerts(services: FakeServices) -> list[str]:
    return [d["what"] for name, d in services.bus.published if name == "AttentionNeeded"]


def approve(services: FakeServices) -> None:
    stored = services.store.get(Evidence, CUSTOMER, "du_1")
    assert stored is not None
    approved = replace(stored.record, state=EvidenceState.APPROVED, approved_by="staff:1")
    services.store.commit([Put(approved, stored.version)])


@pytest.mark.clause("rtc.chargeback_contest")
def test_evidence_is_prepared_and_staged_the_moment_a_dispute_opens(
    services: FakeServices,
) -> None:
    report_use(services)
    see(services)
    services.run_effects()
    known = evidence(services)
    assert (known.state, known.family, known.missing) == (EvidenceState.STAGED, "canceled", ())
    (staged,) = sent(services, submit=False)
    assert staged["fields"]["cancellation_policy"] == known.file
    assert "no cancellation" in staged["fields"]["cancellation_rebuttal"]
    assert "203.0.113.7" in staged["fields"]["access_activity_log"]
    assert staged["fields"]["customer_purchase_ip"] == "203.0.113.7"
    assert "shown before the first payment" in staged["fields"]["cancellation_policy_disclosure"]
    assert sent(services, submit=True) == []


def test_what_is_missing_is_named_and_never_invented(services: FakeServices) -> None:
    see(services)
    services.run_effects()
    assert evidence(services).missing == ("activity",)
    (staged,) = sent(services, submit=False)
    assert "access_activity_log" not in staged["fields"]


def test_the_pack_is_kept_sealed_and_says_what_was_said(services: FakeServices) -> None:
    report_use(services)
    see(services)
    services.run_effects()
    known = evidence(services)
    assert b"203.0.113.7" not in known.sealed
    pack = opened_pack(services, known)
    assert {section.subject for section in pack.sections} == set(Subject)
    terms = next(s for s in pack.sections if s.subject is Subject.TERMS)
    assert "rtc" not in terms.title
    assert any(row[0] == "rtc.chargeback_contest" for row in terms.rows)
    mails = next(s for s in pack.sections if s.subject is Subject.MESSAGES)
    assert [row[1] for row in mails.rows] == ["account_suspended"]


@pytest.mark.parametrize(
    "change",
    [
        {"respond_by": None},
        {"phase": DisputePhase.UNDER_REVIEW},
        {"kind": DisputeKind.UNRECOGNIZED},
    ],
    ids=["not answerable", "under review", "unknown"],
)
def test_what_takes_no_evidence_gets_none(services: FakeServices, change: dict[str, Any]) -> None:
    see(services, **change)
    services.run_effects()
    assert services.store.get(Evidence, CUSTOMER, "du_1") is None
    assert services.billing.files == {}


@pytest.mark.clause("rtc.chargeback_contest")
def test_staff_are_reminded_ever_closer_to_the_deadline(services: FakeServices) -> None:
    report_use(services)
    see(services)
    services.run_effects()
    seen = []
    for _ in range(8 * 24):
        before = len(alerts(services))
        pass_hours(services, 1)
        if len(alerts(services)) > before:
            seen.append((DUE - services.clock.now()) / timedelta(hours=1))
    assert seen[:3] == [5 * 24, 3 * 24, 48]
    assert alerts(services)[-1] == "evidence_missed"
    assert evidence(services).state is EvidenceState.MISSED
    assert sent(services, submit=True) == []


def test_what_a_person_has_approved_is_submitted_before_the_margin(
    services: FakeServices,
) -> None:
    see(services)
    services.run_effects()
    approve(services)
    pass_hours(services, 6 * 24)
    assert len(sent(services, submit=True)) == 1
    assert evidence(services).state is EvidenceState.SUBMITTED
    assert ("EvidenceSubmitted", "du_1") in [
        (name, detail.get("dispute")) for name, detail in services.bus.published
    ]
    pass_hours(services, 3 * 24)
    assert len(sent(services, submit=True)) == 1


@pytest.mark.parametrize(
    ("rule", "complete", "submits"),
    [
        ("always", False, True),
        ("if_it_pays", True, True),
        ("if_it_pays", False, False),
        ("person", True, False),
    ],
)
def test_only_a_policy_that_says_so_submits_by_itself(
    services: FakeServices, with_submit: Policy, rule: str, *, complete: bool, submits: bool
) -> None:
    with_submit(services, rule)
    if complete:
        report_use(services)
    see(services)
    services.run_effects()
    pass_hours(services, 7 * 24)
    assert bool(sent(services, submit=True)) is submits


@pytest.fixture
def with_submit() -> Policy:
    def make(services: FakeServices, rule: str) -> None:
        class Changed:
            @staticmethod
            def load_policy(reference: str, now: datetime, told: Any = None) -> Any:
                policy = policy_files.load_policy(reference, now, told)
                clauses = tuple(
                    replace(clause, submit=SubmitBy(rule))
                    if isinstance(clause, ContestRule)
                    else clause
                    for clause in policy.clauses
                )
                return replace(policy, clauses=clauses)

            load_policy_for = staticmethod(policy_files.load_policy_for)

        services.policies = Changed()

    return make


def test_an_answer_that_somebody_else_has_given_is_not_given_again(services: FakeServices) -> None:
    see(services)
    services.run_effects()
    approve(services)
    services.billing.disputes["du_1"] = opened(submissions=1)
    pass_hours(services, 7 * 24)
    assert sent(services, submit=True) == []
    assert "evidence_refused" in alerts(services)


def test_an_answer_whose_reply_was_lost_is_found_and_not_given_twice(
    services: FakeServices,
) -> None:
    see(services)
    services.run_effects()
    approve(services)
    services.billing.fail_after["send_evidence"] = [OutcomeUnknownError("cut", sticky=True)]
    pass_hours(services, 7 * 24)
    assert services.billing.disputes["du_1"].submissions == 1
    assert evidence(services).state is EvidenceState.SUBMITTED


@pytest.mark.parametrize("method", ["smart_disputes", "prefer_smart_disputes"])
def test_what_smart_disputes_answers_is_left_to_it(services: FakeServices, method: str) -> None:
    see(services, intended_method=method)
    services.run_effects()
    assert evidence(services).state is EvidenceState.LEFT_ALONE
    assert services.billing.called("send_evidence") == []


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"phase": DisputePhase.UNDER_REVIEW, "submissions": 1}, EvidenceState.SUBMITTED),
        (
            {"phase": DisputePhase.ENDED, "outcome": DisputeOutcome.LOST},
            EvidenceState.MISSED,
        ),
        ({"intended_method": "smart_disputes"}, EvidenceState.LEFT_ALONE),
    ],
    ids=["answered at Stripe", "decided", "handed to Smart Disputes"],
)
def test_what_happens_at_stripe_ends_our_watch(
    services: FakeServices, change: dict[str, Any], state: EvidenceState
) -> None:
    see(services)
    services.run_effects()
    see(services, 2, **change)
    assert evidence(services).state is state
    assert evidence(services).due_at is None


def test_an_escalated_inquiry_is_answered_anew(services: FakeServices) -> None:
    see(services, kind=DisputeKind.INQUIRY, withdrawn=0, fee=0)
    services.run_effects()
    see(services, 2, respond_by=DUE + timedelta(days=5))
    services.run_effects()
    assert evidence(services).respond_by == DUE + timedelta(days=5)
    assert len(sent(services, submit=False)) == 2


def test_a_refund_before_the_dispute_is_part_of_the_answer(services: FakeServices) -> None:
    refund = ForeignRefund(
        "re_1", CUSTOMER, "pi_1", 120_000, "usd", RefundStatus.SUCCEEDED, YEAR_START
    )
    paid = Payment("pi_1", CUSTOMER, "usd", 120_000, refunded=120_000)
    services.store.commit([Put(refund, 0), Put(paid, 0)])
    see(services, reason_code="13.6")
    services.run_effects()
    (staged,) = sent(services, submit=False)
    explained = staged["fields"]["refund_refusal_explanation"]
    assert "1200.00 USD succeeded" in explained
    assert "1200.00 USD more than was paid" in explained
    assert "double_loss" in alerts(services)


def test_watching_twice_or_early_does_nothing(services: FakeServices) -> None:
    see(services)
    services.run_effects()
    before = dict(services.store.table)
    assert watch_evidence(services, customer=CUSTOMER, dispute="du_1") == "nothing_to_do"
    assert services.store.table == before


def test_an_appeal_is_written_by_a_person(services: FakeServices) -> None:
    see(services)
    services.run_effects()
    later = DUE + timedelta(days=20)
    see(services, 2, phase=DisputePhase.ENDED, outcome=DisputeOutcome.LOST)
    for number in (3, 4):
        see(services, number, phase=DisputePhase.APPEAL, respond_by=later)
    services.run_effects()
    assert evidence(services).state is EvidenceState.LEFT_ALONE
    assert alerts(services).count("appeal_open") == 1
    assert len(sent(services, submit=False)) == 1
