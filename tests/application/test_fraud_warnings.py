"""Early fraud warnings: the policy advises once a charge, a person acts, no money moves."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from shared.adapters import policy_files
from shared.application.judge_fraud_warning import judge_fraud_warning
from shared.domain.clauses import Event, FraudWarningRule
from shared.domain.fraud_warning import FraudWarning, FraudWarningFacts, advise
from tests.application.builders import CUSTOMER, services_with_annual_plan
from tests.fakes.services import FakeServices

SEEN = FraudWarningFacts(
    "issfr_1", "ch_1", "pi_1", CUSTOMER, 1_400, "usd", "unauthorized_use_of_card", actionable=True
)
RULE = FraudWarningRule(
    id="mine.fraud",
    kind="consequence",
    grounds=frozenset(),
    text="",
    on=Event.FRAUD_WARNING,
    refund_at_most={"usd": 1_500},
)


class WithRule:
    @staticmethod
    def load_policy(reference: str, now: datetime, told: Any = None) -> Any:
        policy = policy_files.load_policy(reference, now, told)
        return replace(policy, clauses=(*policy.clauses, RULE))

    load_policy_for = staticmethod(policy_files.load_policy_for)


@pytest.fixture
def services() -> FakeServices:
    made = services_with_annual_plan()
    made.billing.warnings["issfr_1"] = SEEN
    return made


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"left": 1_500}, "refund"),
        ({"left": 1_501}, "watch"),
        ({"left": 0}, "watch"),
        ({"currency": "eur"}, "watch"),
        ({"actionable": False}, "nothing"),
    ],
    ids=str,
)
def test_the_policy_refunds_what_is_cheap_to_lose(change: dict[str, Any], advice: str) -> None:
    assert advise(replace(SEEN, **change), RULE.refund_at_most) == advice


def test_a_warning_is_judged_once_a_charge_and_calls_a_person(services: FakeServices) -> None:
    services.policies = WithRule()
    services.billing.warnings["issfr_2"] = replace(SEEN, id="issfr_2")
    assert judge_fraud_warning(services, warning="issfr_1") == "refund"
    assert judge_fraud_warning(services, warning="issfr_1") == "nothing_new"
    assert judge_fraud_warning(services, warning="issfr_2") == "nothing_new"
    services.run_effects()
    ((name, detail),) = services.bus.published
    assert (name, detail["what"]) == ("AttentionNeeded", "fraud_warning")
    assert detail["detail"] == "unauthorized_use_of_card: refund 14.00 USD"
    stored = services.store.get(FraudWarning, CUSTOMER, "ch_1")
    assert stored is not None
    assert stored.record.advice == "refund"
    assert services.billing.called("refund_payment") == []


def test_without_a_clause_a_warning_is_watched(services: FakeServices) -> None:
    assert judge_fraud_warning(services, warning="issfr_1") == "watch"
