"""Early warnings: the policy or a person decides, once a payment, and never beside a dispute."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters import policy_files
from shared.application.client_keys import ClientCall
from shared.application.early_warnings import WarningWord, decide_warning
from shared.application.handle_dispute import handle_dispute
from shared.application.judge_fraud_warning import judge_fraud_warning
from shared.application.perform_effect import perform_effect
from shared.domain.clauses import (
    EarlyWarningRule,
    Event,
    FraudWarningRule,
    InquiryRule,
    WarningAction,
)
from shared.domain.dispute import DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.dispute_economics import Record, Stakes, worth_of_refunding
from shared.domain.early_warning import EarlyWarning, FraudWarningFacts
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.evidence import ChargeStory, Evidence
from shared.domain.facts import Case, Ground
from shared.domain.ledger import Book, LedgerEntry
from shared.domain.payment import Payment
from shared.domain.refund_case import RefundCase
from shared.domain.staff import StaffMember, StaffRole
from tests.application.builders import (
    CUSTOMER,
    YEAR_START,
    chargeback,
    paid_invoice,
    services_with_annual_plan,
)
from tests.fakes.services import START, FakeServices

PRICE = 1_400
SEEN = FraudWarningFacts(
    "issfr_1", "ch_1", "pi_1", CUSTOMER, PRICE, "usd", "unauthorized_use_of_card", actionable=True
)
APPROVER = StaffMember("https://sso.example.com", "1", frozenset({StaffRole.APPROVER}))
ASKED: dict[str, Any] = {
    "kind": DisputeKind.INQUIRY,
    "withdrawn": 0,
    "fee": 0,
    "refundable": True,
    "amount": PRICE,
    "respond_by": START + timedelta(days=8),
}


def rule(kind: type[EarlyWarningRule], action: WarningAction, **change: Any) -> EarlyWarningRule:
    on = Event.INQUIRY if kind is InquiryRule else Event.FRAUD_WARNING
    said: dict[str, Any] = {"refund_at_most": {"usd": 1_500}, "hours": 24} | change
    common: dict[str, Any] = {"id": "mine.early", "kind": "consequence", "text": "", "on": on}
    return kind(grounds=frozenset(), action=action, **said, **common)


class With:
    """The packs, each with one clause more."""

    def __init__(self, clause: EarlyWarningRule, *, without: Ground | None = None) -> None:
        self._clause = clause
        self._without = without

    def load_policy(self, reference: str, now: datetime, told: Any = None) -> Any:
        policy = policy_files.load_policy(reference, now, told)
        return replace(policy, clauses=(*policy.clauses, self._clause))

    def load_policy_for(self, case: Case, told: Any = None) -> Any:
        policy = policy_files.load_policy_for(case, told)
        left = tuple(c for c in policy.clauses if self._without not in c.grounds)
        return replace(policy, clauses=left)


@pytest.fixture
def services() -> FakeServices:
    made = services_with_annual_plan()
    made.policy = "rtc"
    made.billing.invoices["in_1"] = paid_invoice(amount=PRICE)
    made.billing.warnings["issfr_1"] = SEEN
    made.billing.stories["ch_1"] = ChargeStory(
        "ch_1", YEAR_START, PRICE, "usd", "Annual plan", None, "ann@example.com", None, None
    )
    return made


def warning(services: FakeServices) -> EarlyWarning:
    stored = services.store.get(EarlyWarning, CUSTOMER, "ch_1")
    assert stored is not None
    return stored.record


def pass_hours(services: FakeServices, hours: int) -> None:
    for _ in range(hours):
        services.clock.advance(hours=1)
        services.run_due_work()
        services.run_effects(rounds=200)


def refunds(services: FakeServices) -> list[tuple[str, int]]:
    return [(r.payment or "", r.amount) for r in services.billing.refunds.values()]


def alerts(services: FakeServices) -> list[str]:
    return [d["what"] for name, d in services.bus.published if name == "AttentionNeeded"]


def dispute(services: FakeServices, number: int = 1, **change: Any) -> None:
    services.billing.disputes["du_1"] = replace(chargeback(), **({"amount": PRICE} | change))
    handle_dispute(services, dispute="du_1", event=f"evt_{number}", event_type="t")


REFUND_WARNED = With(rule(FraudWarningRule, WarningAction.REFUND))
REFUND_ASKED = With(rule(InquiryRule, WarningAction.REFUND))


@pytest.mark.parametrize(
    ("amount", "record", "worth"),
    [
        # Four of five times the amount and 15.00 are lost: 0.8 * 29.00 - 14.00.
        (1_400, Record(), 920),
        # Half of 100.00 would be won back, for half of 15.00: 0.8 * (115.00 - 42.50) - 100.00.
        (10_000, Record(), -4_200),
        # Of what never was won nearly all is lost: 0.8 * (115.00 - 0) - 100.00 stays below zero.
        (10_000, Record(0, 98), -800),
    ],
    ids=["cheap", "dear", "never won"],
)
def test_a_refund_is_worth_what_waiting_would_lose(amount: int, record: Record, worth: int) -> None:
    stakes = Stakes("usd", amount, 1_500, 1_500, is_inquiry=False)
    assert worth_of_refunding(stakes, record) == worth


def test_without_a_clause_a_person_is_asked_and_nothing_goes_back(services: FakeServices) -> None:
    assert judge_fraud_warning(services, warning="issfr_1") == "asked"
    pass_hours(services, 48)
    assert (refunds(services), alerts(services)) == ([], ["fraud_warning"])


@pytest.mark.parametrize(
    ("clause", "seen", "state"),
    [
        ({}, {}, "planned"),
        ({"refund_at_most": {"usd": PRICE - 1}}, {}, "asked"),
        ({"refund_at_most": {"eur": 9_000}}, {}, "asked"),
        ({"refund_at_most": {"usd": 9_000}}, {"left": 5_000}, "asked"),
        ({}, {"actionable": False}, "over"),
        ({}, {"customer": None}, "planned"),
    ],
    ids=["within", "a cent above", "another currency", "does not pay", "over", "nobody's"],
)
def test_the_clause_and_the_arithmetic_both_have_to_agree(
    services: FakeServices, clause: dict[str, Any], seen: dict[str, Any], state: str
) -> None:
    services.policies = With(rule(FraudWarningRule, WarningAction.REFUND, **clause))
    services.billing.warnings["issfr_1"] = replace(SEEN, **seen)
    assert judge_fraud_warning(services, warning="issfr_1") == state
    assert judge_fraud_warning(services, warning="issfr_1") == "nothing_new"


def test_a_planned_refund_waits_and_is_paid_once_with_its_credit_note(
    services: FakeServices,
) -> None:
    services.policies = REFUND_WARNED
    services.billing.warnings["issfr_2"] = replace(SEEN, id="issfr_2")
    judge_fraud_warning(services, warning="issfr_1")
    assert judge_fraud_warning(services, warning="issfr_2") == "nothing_new"
    pass_hours(services, 23)
    assert (refunds(services), alerts(services)) == ([], ["refund_planned"])
    pass_hours(services, 3)
    assert refunds(services) == [("pi_1", PRICE)]
    known = warning(services)
    stored = services.store.get(RefundCase, CUSTOMER, known.refund_case or "")
    assert stored is not None
    assert (known.state, stored.record.state, stored.record.decided_by) == (
        "refunded",
        "paid",
        "policy",
    )
    assert len(services.billing.credit_notes) == 1
    booked = [s.record for s in services.store.all_of(LedgerEntry, CUSTOMER)]
    assert [(e.amount, e.target) for e in booked] == [(PRICE, Book.REFUNDED)]


@pytest.mark.parametrize("first", ["refund", "leave"])
def test_a_person_overrules_the_clause(services: FakeServices, first: str) -> None:
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    action = WarningWord(first)
    call = ClientCall("route", "k", "digest")
    answers = [
        decide_warning(services, CUSTOMER, ("ch_1", action), APPROVER, call) for _ in range(2)
    ]
    assert answers[0].body == answers[1].body
    services.run_effects(rounds=200)
    paid = [("pi_1", PRICE)] if first == "refund" else []
    assert refunds(services) == paid
    pass_hours(services, 30)
    assert refunds(services) == paid
    assert warning(services).decided_by == APPROVER.actor


def test_a_persons_word_on_a_suspicion_outlives_an_inquiry(services: FakeServices) -> None:
    services.policies = REFUND_ASKED
    judge_fraud_warning(services, warning="issfr_1")
    call = ClientCall("route", "k", "digest")
    decide_warning(services, CUSTOMER, ("ch_1", WarningWord.LEAVE), APPROVER, call)
    dispute(services, **ASKED)
    pass_hours(services, 30)
    assert (refunds(services), warning(services).state) == ([], "left")


def test_nobody_decides_on_what_is_decided_or_not_there(services: FakeServices) -> None:
    call = ClientCall("route", "k", "digest")
    with pytest.raises(NotFoundError):
        decide_warning(services, CUSTOMER, ("ch_1", WarningWord.REFUND), APPROVER, call)
    judge_fraud_warning(services, warning="issfr_1")
    dispute(services)
    with pytest.raises(ConflictError):
        decide_warning(services, CUSTOMER, ("ch_1", WarningWord.REFUND), APPROVER, call)


def test_a_chargeback_that_comes_first_leaves_nothing_to_refund(services: FakeServices) -> None:
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    dispute(services)
    assert warning(services).state == "over"
    pass_hours(services, 30)
    assert refunds(services) == []


def test_a_chargeback_between_the_decision_and_the_call_stops_the_refund(
    services: FakeServices,
) -> None:
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    services.clock.advance(hours=25)
    services.run_due_work()
    # Decided and reserved; the call that sends it has not been made.
    (prevention,) = services.effects(CUSTOMER, EffectKind.PREVENT_DISPUTE)
    perform_effect(services, customer=CUSTOMER, effect_id=prevention.id)
    assert len(services.effects(CUSTOMER, EffectKind.REFUND_PAYMENT)) == 1
    assert refunds(services) == []
    dispute(services)
    services.run_effects(rounds=200)
    pass_hours(services, 30)
    assert refunds(services) == []
    held = services.store.get(Payment, CUSTOMER, "pi_1")
    assert held is not None
    assert held.record.reserved == 0


def test_a_chargeback_at_stripe_that_we_have_not_heard_of_stops_it_too(
    services: FakeServices,
) -> None:
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    services.billing.warnings["issfr_1"] = replace(SEEN, actionable=False)
    pass_hours(services, 30)
    assert (refunds(services), warning(services).state) == ([], "over")


def test_a_chargeback_after_the_refund_is_exposed_and_a_person_hears(
    services: FakeServices,
) -> None:
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    pass_hours(services, 25)
    dispute(services)
    services.run_effects(rounds=200)
    assert refunds(services) == [("pi_1", PRICE)]
    assert "double_loss" in alerts(services)


def test_what_needs_more_consents_waits_as_a_case(services: FakeServices) -> None:
    """One grant a customer in 30 days goes without a person: the second one does not."""
    services.policies = REFUND_WARNED
    judge_fraud_warning(services, warning="issfr_1")
    pass_hours(services, 25)
    again = replace(paid_invoice(amount=PRICE).payments[0], id="pi_2")
    second = replace(paid_invoice(amount=PRICE), id="in_2", number="A-2", payments=(again,))
    services.billing.invoices["in_2"] = second
    services.billing.warnings["issfr_3"] = replace(
        SEEN, id="issfr_3", charge="ch_2", payment="pi_2"
    )
    judge_fraud_warning(services, warning="issfr_3")
    pass_hours(services, 25)
    assert refunds(services) == [("pi_1", PRICE)]
    stored = services.store.get(EarlyWarning, CUSTOMER, "ch_2")
    assert stored is not None
    case = services.store.get(RefundCase, CUSTOMER, stored.record.refund_case or "")
    assert case is not None
    assert (stored.record.state, case.record.state) == ("case_opened", "under_review")
    assert "refund_needs_consent" in alerts(services)


def test_what_the_packs_own_policy_does_not_give_waits_for_a_person(services: FakeServices) -> None:
    clause = rule(FraudWarningRule, WarningAction.REFUND)
    services.policies = With(clause, without=Ground.GOODWILL)
    judge_fraud_warning(services, warning="issfr_1")
    pass_hours(services, 25)
    assert refunds(services) == []
    (case,) = [s.record for s in services.store.all_of(RefundCase, CUSTOMER)]
    assert (warning(services).state, case.state) == ("case_opened", "under_review")


@pytest.mark.parametrize("change", [{"amount": PRICE + 1}, {"payment": None}], ids=str)
def test_what_is_not_exactly_the_payment_goes_to_a_person(
    services: FakeServices, change: dict[str, Any]
) -> None:
    services.policies = REFUND_WARNED
    left = change.get("amount", PRICE)
    seen = replace(SEEN, left=left, payment=change.get("payment", "pi_1"))
    services.billing.warnings["issfr_1"] = seen
    judge_fraud_warning(services, warning="issfr_1")
    pass_hours(services, 25)
    assert refunds(services) == []
    assert alerts(services)[-1] == "refund_needs_consent"


def test_an_inquiry_is_refunded_and_not_answered(services: FakeServices) -> None:
    services.policies = REFUND_ASKED
    dispute(services, **ASKED)
    pass_hours(services, 25)
    assert refunds(services) == [("pi_1", PRICE)]
    assert warning(services).state == "refunded"
    answer = services.store.get(Evidence, CUSTOMER, "du_1")
    assert answer is not None
    assert answer.record.state == "accepted"
    pass_hours(services, 24 * 8)
    assert [c for c in services.billing.called("send_evidence") if c["submit"]] == []


def test_an_inquiry_is_fought_before_its_deadline_when_the_clause_says_so(
    services: FakeServices,
) -> None:
    services.policies = With(rule(InquiryRule, WarningAction.CONTEST, refund_at_most={}))
    dispute(services, **ASKED)
    pass_hours(services, 24 * 6 - 1)
    assert [c for c in services.billing.called("send_evidence") if c["submit"]] == []
    pass_hours(services, 7)
    assert len([c for c in services.billing.called("send_evidence") if c["submit"]]) == 1
    assert refunds(services) == []


def test_an_inquiry_that_escalates_or_closes_is_refunded_no_more(services: FakeServices) -> None:
    services.policies = REFUND_ASKED
    dispute(services, **ASKED)
    assert warning(services).state == "planned"
    ended = ASKED | {"phase": DisputePhase.ENDED, "outcome": DisputeOutcome.CLOSED}
    dispute(services, 2, **ended)
    pass_hours(services, 25)
    assert (refunds(services), warning(services).state) == ([], "over")


def test_an_inquiry_takes_the_place_of_a_suspicion_and_both_give_one_refund(
    services: FakeServices,
) -> None:
    services.policies = REFUND_ASKED
    judge_fraud_warning(services, warning="issfr_1")
    assert warning(services).state == "asked"
    dispute(services, **ASKED)
    dispute(services, 2, **ASKED)
    assert (warning(services).state, warning(services).source) == ("planned", "du_1")
    pass_hours(services, 60)
    assert refunds(services) == [("pi_1", PRICE)]
