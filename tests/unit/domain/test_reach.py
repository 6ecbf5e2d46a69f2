"""On which grounds each clause is looked at."""

import pytest

from shared.domain.facts import Ground
from tests.unit.domain.cases import case, quote, trace_of

EVERY = tuple(ground.value for ground in Ground)
ORDINARY = tuple(ground for ground in EVERY if ground not in ("withdrawal", "goodwill"))
FAULTS = ("dissatisfaction", "vendor_fault", "service_disruption")

# A clause with the kind of its parts that share a reach.
REACH = {
    "rtc.exclusions exclusion": ORDINARY,
    "rtc.standing standing": ORDINARY,
    "rtc.grounds ground": ("dissatisfaction", "vendor_fault", "withdrawal", "billing_error"),
    "rtc.window window": ORDINARY,
    "rtc.documentation evidence": ORDINARY,
    "rtc.nonrefundable line_filter": ("unused_period", "service_disruption"),
    "rtc.grounds formula": ("billing_error", "service_disruption"),
    "rtc.partial formula": ("unused_period",),
    "rtc.partial approval": ("unused_period", "service_disruption"),
    "rtc.review_sla deadline": EVERY,
    "rtc.payout_sla deadline": EVERY,
    "voip.violation exclusion": (*ORDINARY, "goodwill"),
    "voip.violation standing": (*ORDINARY, "goodwill"),
    "voip.unused_prepaid formula": ("unused_period",),
    "voip.billing_error ground": ("billing_error",),
    "voip.billing_error formula": ("billing_error",),
    "voip.disruption formula": ("service_disruption",),
    "voip.returns ground": ("dissatisfaction", "vendor_fault"),
    "itservices.exclusions exclusion": FAULTS,
    "itservices.no_unused ground": ("unused_period",),
    "itservices.billing_error ground": ("billing_error",),
    "itservices.vendor_fault ground": FAULTS,
    "itservices.window window": FAULTS,
    "itservices.rendered line_filter": ("dissatisfaction",),
    "itservices.digital line_filter": ("dissatisfaction",),
    "itservices.billing_error formula": ("billing_error",),
    "itservices.vendor_fault formula": FAULTS,
    "itservices.vendor_fault approval": FAULTS,
    "moneyback.guarantee ground": ("unused_period",),
    "moneyback.billing_error ground": ("billing_error",),
    "moneyback.window window": FAULTS,
    "moneyback.one_time line_filter": FAULTS,
    "moneyback.unresolved formula": FAULTS,
    "moneyback.billing_error formula": ("billing_error",),
    "moneyback.per_issue deduction": FAULTS,
    "moneyback.deductions deduction": ORDINARY,
    "moneyback.cap cap": EVERY,
    "moneyback.evidence approval": ORDINARY,
    "moneyback.callback deadline": EVERY,
} | {
    f"{pack}.goodwill {kind}": ("goodwill",)
    for pack in ("rtc", "voip", "itservices", "moneyback")
    for kind in ("formula", "cap", "approval")
}


@pytest.mark.parametrize(
    "clause",
    [pytest.param(clause, marks=pytest.mark.clause(clause.split()[0])) for clause in REACH],
)
def test_a_clause_is_looked_at_on_its_grounds_and_no_others(clause: str) -> None:
    name, kind = clause.split()

    def spoken(ground: str) -> int:
        out = quote(case(name.partition(".")[0], request={"ground": ground, "evidence": ["log"]}))
        entries = trace_of(out, name, kind)
        return sum("other kinds of requests" not in entry["in_words"] for entry in entries)

    assert {ground for ground in EVERY if spoken(ground)} == set(REACH[clause])
