"""People decide: four eyes, exactly the request that was shown, limits that splitting meets too."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.application.cases import decide_case
from shared.domain.approval_limits import AmountLimits, ApprovalLimits, Need
from shared.domain.controls import OPERATIONS, Controls
from shared.domain.errors import ConflictError, InvalidRequestError
from shared.domain.staff import StaffRole
from shared.ports import Put
from tests.application.builders import CUSTOMER
from tests.application.case_life import ADMIN, AGENT, APPROVER, OTHER_AGENT, Life, staff

SOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def verified(expected: int, policy: str = "rtc") -> Life:
    """A case on a billing error that was verified: the bound is 120,000 less what is expected."""
    case = Life(policy)
    case.services.clock.instant = SOON
    case.services.billing.now = SOON
    case.open("billing_error")
    if policy == "rtc":
        case.upload()
    case.find(verified=True, lines={"il_1": {"expected_amount": expected}})
    return case


def refused(act: Callable[[], object]) -> ConflictError:
    with pytest.raises(ConflictError) as caught:
        act()
    return caught.value


def test_up_to_the_limit_one_person_is_enough_and_above_it_a_second_one_is_asked() -> None:
    small, large = verified(100_000), verified(99_999)
    assert small.approve(AGENT).need is None
    assert large.approve(AGENT).need is Need.TWO_PEOPLE
    assert (small.state, large.state) == ("approved", "under_review")
    assert large.approve(APPROVER).need is None
    assert large.state == "approved"


def test_the_second_person_is_somebody_else_and_an_approver() -> None:
    case = verified(50_000)
    case.approve(AGENT)
    assert refused(lambda: case.approve(AGENT)).slug == "same-person"
    # The same sign-in with more roles is still the same person.
    both = staff("agent", StaffRole.AGENT, StaffRole.APPROVER)
    assert refused(lambda: case.approve(both)).slug == "same-person"
    assert case.approve(OTHER_AGENT).need is Need.TWO_PEOPLE
    assert case.approve(APPROVER).need is None


def test_above_the_hard_limit_one_of_the_two_is_an_admin() -> None:
    case = verified(50_000)
    stored = case.services.store.get(Controls, OPERATIONS)
    assert stored is not None
    limits = ApprovalLimits(amounts=(("usd", AmountLimits(0, 1000, 60_000, 10**6)),))
    case.services.store.commit([Put(replace(stored.record, limits=limits), stored.version)])
    case.approve(AGENT)
    assert case.approve(APPROVER).need is Need.ADMIN
    assert case.approve(ADMIN).need is None


def test_an_approval_binds_to_exactly_the_request_that_was_shown() -> None:
    case = verified(50_000)
    seen = case.view["digest"]
    case.approve(AGENT)
    case.find(lines={"il_1": {"expected_amount": 40_000}})
    stale = refused(lambda: case.approve(APPROVER, digest=seen))
    assert stale.slug == "facts-changed"
    assert stale.members["quote"]["total"] == 80_000
    assert stale.members["digest"] == case.view["digest"] != seen
    # Who agreed to the earlier request has not agreed to this one.
    assert case.approve(APPROVER).need is Need.TWO_PEOPLE
    assert case.approve(AGENT).need is None


def test_nobody_approves_more_than_the_bound_and_the_least_amount_holds() -> None:
    case = verified(50_000)
    with pytest.raises(InvalidRequestError):
        case.approve(AGENT, 70_001)
    discretionary = Life("moneyback")
    discretionary.services.clock.instant = SOON
    discretionary.open("dissatisfaction")
    discretionary.approve(AGENT, 30_000)
    discretionary.approve(APPROVER, 25_000)
    discretionary.settle()
    assert discretionary.case.amount == 25_000
    assert [r.amount for r in discretionary.services.billing.refunds.values()] == [25_000]


def test_an_amount_in_parts_needs_what_it_would_need_in_one() -> None:
    case = verified(105_000)
    assert case.approve(AGENT).need is None
    case.settle()
    case.open("goodwill", by=AGENT.actor)
    case.upload()
    assert case.approve(AGENT, 5_000).need is None
    case.settle()
    case.open("goodwill", by=AGENT.actor)
    case.upload()
    # 50.00 were given out of goodwill lately: another 10.00 takes it over an agent's limit for it.
    assert case.approve(AGENT, 1_000).need is Need.TWO_PEOPLE


def test_of_two_people_who_decide_at_once_one_wins_and_the_other_sees_what_happened() -> None:
    case = verified(100_000)
    rival = lambda: case.decline(OTHER_AGENT)  # noqa: E731
    refusal: list[ConflictError] = []

    def declined_in_between() -> None:
        case.find(findings=["customer_misuse"])
        rival()

    case.services.store.before_commit.append(declined_in_between)
    refusal.append(refused(lambda: case.approve(AGENT)))
    assert case.state == "denied"
    assert refusal[0].slug == "already-decided"
    assert refusal[0].members == {"state": "denied", "decided_by": OTHER_AGENT.actor}
    assert case.services.billing.refunds == {}


@pytest.mark.clause("rtc.grounds")
def test_what_the_customer_is_entitled_to_cannot_simply_be_declined() -> None:
    case = verified(100_000)
    assert refused(case.decline).slug == "entitled"
    case.find(verified=False)
    case.decline()
    assert case.state == "denied"
    case.settle()
    text = case.services.mailer.sent[-1]["text"]
    assert "no reason to" in text
    assert "did not hold" in text


def test_what_the_policy_denies_cannot_be_approved() -> None:
    case = verified(100_000)
    case.find(verified=False)
    assert refused(lambda: case.approve(AGENT)).slug == "not-approvable"


@pytest.mark.clause("itservices.resolution")
def test_every_end_of_a_case_is_one_answer_with_its_reasons() -> None:
    case = verified(100_000)
    case.approve(AGENT)
    case.settle()
    answers = [m for m in case.mails if m.startswith("case_") and m != "case_received"]
    assert answers == ["case_evidence_needed", "case_approved"]
    entry = next(e for e in case.view["timeline"] if e["what"] == "case_approved_for")
    assert entry["actor"] == AGENT.actor
    assert entry["details"]["policy"]["digest"].startswith("sha256:")
    assert entry["details"]["approvals"][0][0] == AGENT.actor


def test_the_audit_trail_has_each_assessment_with_its_policy_and_its_trace() -> None:
    case = verified(100_000)
    case.approve(AGENT)
    case.settle()
    timeline = case.view["timeline"]
    assessed = [e for e in timeline if e["what"] == "case_assessed"]
    outcomes = ["needs_evidence", "needs_verification", "granted"]
    assert [e["why"] for e in assessed] == outcomes
    traces = [tuple(e["details"]["trace"]) for e in assessed]
    assert len(set(traces)) == len(traces)
    assert all(e["details"]["policy"]["digest"].startswith("sha256:") for e in assessed)
    steps = ("case_needs_evidence", "case_under_review", "case_approved", "case_paying")
    taken = [e for e in timeline if e["what"] in steps]
    assert [e["what"] for e in taken] == list(steps)
    assert all(e["details"]["policy"] == "rtc@2025-01-06" for e in taken)


def test_support_hands_a_case_on_with_its_reason() -> None:
    case = verified(100_000)
    case.find(verified=False)
    decide_case.refer(
        case.services, by=AGENT, customer=CUSTOMER, case=case.id, reason="ask the help desk"
    )
    assert case.state == "referred"
    case.settle()
    assert "ask the help desk" in case.services.mailer.sent[-2]["text"]
