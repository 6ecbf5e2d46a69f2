"""What a cancellation leads to: until when the service is owed, and what is still charged."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.adapters.policy_files import load_policy_for
from shared.domain.case import parse_case
from shared.domain.clauses import CancellationRule, ServiceUntil, UsageOnExit
from shared.domain.refund import decide_refund, quote_document
from tests.unit.domain.cases import case, invoice, line, quote, trace_of

YEAR_END = "2027-01-01T00:00:00Z"


def spoken(out: dict[str, Any], clause: str) -> list[tuple[str, dict[str, Any]]]:
    return [(e["ruled"], e["saw"]) for e in trace_of(out, clause, "consequence")]


BEFORE = pytest.param("2026-12-31T23:59:59Z", "passed", id="the last second before the renewal")
AT = pytest.param(YEAR_END, "failed", id="at the renewal")


@pytest.mark.clause("itservices.cancel_cutoff")
@pytest.mark.parametrize(("received_at", "ruled"), [BEFORE, AT])
def test_only_a_cancellation_before_the_renewal_avoids_its_charge(
    received_at: str, ruled: str
) -> None:
    out = quote(case("itservices", request={"received_at": received_at}))

    assert out["cancellation"]["renewal_avoided"] == (ruled == "passed")
    assert spoken(out, "itservices.cancel_cutoff") == [(ruled, {"before": YEAR_END})]


@pytest.mark.clause("itservices.access")
def test_the_service_goes_on_to_the_end_of_the_cycle_and_usage_is_billed() -> None:
    out = quote(case("itservices"))

    assert out["cancellation"]["effective_at"] == YEAR_END
    assert out["cancellation"]["access_until"] == YEAR_END
    assert spoken(out, "itservices.access") == [
        ("passed", {"access_until": YEAR_END}),
        ("passed", {"usage_on_exit": "bill"}),
    ]


@pytest.mark.parametrize(("received_at", "ruled"), [BEFORE, AT])
@pytest.mark.parametrize(
    ("pack", "clause"),
    [
        pytest.param(
            "voip",
            "voip.cancel_end_of_cycle",
            marks=pytest.mark.clause("voip.cancel_end_of_cycle"),
        ),
        pytest.param(
            "moneyback",
            "moneyback.end_of_cycle",
            marks=pytest.mark.clause("moneyback.end_of_cycle"),
        ),
    ],
)
def test_a_subscription_can_be_cancelled_until_it_renews_and_ends_with_its_cycle(
    pack: str, clause: str, received_at: str, ruled: str
) -> None:
    # A suspended account gets nothing back, so that its service goes on to the end of the cycle.
    customer = {"standing": "suspended"}

    out = quote(case(pack, customer=customer, request={"received_at": received_at}))

    assert out["cancellation"] == {
        "effective_at": YEAR_END,
        "access_until": YEAR_END,
        "renewal_avoided": ruled == "passed",
    }
    assert spoken(out, clause) == [
        ("passed", {"access_until": YEAR_END}),
        (ruled, {"before": YEAR_END}),
        ("passed", {"usage_on_exit": "bill"}),
    ]


def under(document: dict[str, Any], **rule: Any) -> dict[str, Any]:
    """The quote of a pack without other clauses than one about cancellations."""
    facts = parse_case(document)
    policy = load_policy_for(facts)
    found = next(c for c in policy.clauses if isinstance(c, CancellationRule))
    silent = {"service_until": None, "notice_days": None, "usage_on_exit": None}
    policy = replace(policy, clauses=(replace(found, **(silent | rule)),))
    return quote_document(decide_refund(policy, facts))


def test_a_pack_may_end_the_service_at_once() -> None:
    out = under(case(), service_until=ServiceUntil.AT_ONCE)

    assert out["cancellation"]["access_until"] == "2026-03-10T12:00:00Z"


def test_a_pack_may_waive_usage_that_is_not_yet_billed() -> None:
    out = under(case(), usage_on_exit=UsageOnExit.WAIVE)

    assert out["trace"][-1]["in_words"] == "Usage that is not yet billed is waived."
    assert out["cancellation"]["access_until"] == YEAR_END


@pytest.mark.parametrize(
    ("received_at", "avoided"),
    [("2026-03-28T21:59:59Z", True), ("2026-03-28T22:00:00Z", False)],
)
def test_notice_is_counted_by_the_clock_on_the_wall(received_at: str, *, avoided: bool) -> None:
    # The cycle ends at 23:00 in Paris, in summer time; two days before, 23:00 was still in winter.
    month = {"start": "2026-02-27T22:00:00Z", "end": "2026-03-30T21:00:00Z"}
    facts = parse_case(
        case(invoices=[invoice([line(period=month)])], request={"received_at": received_at})
    )
    policy = load_policy_for(facts)
    rules = tuple(
        replace(c, notice_days=2) if isinstance(c, CancellationRule) else c for c in policy.clauses
    )
    parisian = replace(policy, time_zone=ZoneInfo("Europe/Paris"), clauses=rules)

    terms = decide_refund(parisian, facts).cancellation

    assert terms is not None
    assert terms.renewal_avoided is avoided


def test_without_a_cycle_there_is_no_renewal_to_avoid() -> None:
    out = quote(case(invoices=[invoice([line(period=None)])]))

    assert out["cancellation"]["renewal_avoided"] is False
    assert spoken(out, "voip.cancel_end_of_cycle")[1] == ("not_applicable", {})


def test_a_request_about_something_else_cancels_nothing() -> None:
    out = quote(case(request={"ground": "goodwill"}))

    assert out["cancellation"] is None
