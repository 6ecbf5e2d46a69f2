"""Which version of a policy decides a case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.policy_files import load_policy
from shared.domain.case import parse_case
from shared.domain.policy import Policy
from shared.domain.policy_form import Applies
from shared.domain.versions import applicable
from tests.unit.domain.cases import NOW, case, invoice, line

CHANGE = datetime(2026, 2, 1, tzinfo=UTC)


def versions(applies: Applies) -> list[Policy]:
    first = replace(load_policy("voip", CHANGE), applies=applies, version="1")
    return [replace(first, version="2", effective_at=CHANGE), first]


def picked(applies: Applies, at: datetime) -> str:
    """The version for a case of which everything happened in January, save what the rule asks."""
    text = at.isoformat()
    month = {"start": text, "end": (at + timedelta(days=30)).isoformat()}
    document = case(
        now=NOW,
        customer={
            "purchased_at": text if applies is Applies.AT_PURCHASE else "2026-01-01T00:00:00Z"
        },
        invoices=[invoice([line(period=month)])],
        request={"service_date": text},
    )
    return applicable(versions(applies), parse_case(document)).version


@pytest.mark.clause("itservices.policy_change")
@pytest.mark.clause("rtc.policy_change")
@pytest.mark.parametrize("applies", Applies)
def test_the_version_in_force_at_the_instant_that_the_pack_names_decides(applies: Applies) -> None:
    assert picked(applies, CHANGE - timedelta(seconds=1)) == "1"
    assert picked(applies, CHANGE) == "2"


def test_before_the_first_version_the_first_one_holds() -> None:
    assert picked(Applies.AT_PURCHASE, datetime(2020, 1, 1, tzinfo=UTC)) == "1"


@pytest.mark.clause("itservices.policy_change")
def test_the_it_firm_goes_by_the_date_of_the_service() -> None:
    assert load_policy("itservices", CHANGE).applies is Applies.AT_SERVICE_DATE
