"""Which version of a policy decides a case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters import policy_files
from shared.adapters.policy_files import load_policy, pack_files
from shared.domain.case import parse_case
from shared.domain.policy import Policy
from shared.domain.policy_form import Applies
from shared.domain.versions import applicable
from tests.unit.domain.cases import NOW, case, invoice, line, quote

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


@pytest.mark.parametrize("applies", Applies)
def test_the_version_in_force_at_the_instant_that_the_pack_names_decides(applies: Applies) -> None:
    assert picked(applies, CHANGE - timedelta(seconds=1)) == "1"
    assert picked(applies, CHANGE) == "2"


def test_before_the_first_version_the_first_one_holds() -> None:
    assert picked(Applies.AT_PURCHASE, datetime(2020, 1, 1, tzinfo=UTC)) == "1"


OLD, NEW = "2024-01-01", "2025-01-06"
BEFORE, AFTER = "2024-06-01T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("pack", "purchased_at", "served_at", "version"),
    [
        pytest.param(pack, *dates, version, marks=marks)
        for pack, by_service, marks in (
            ("voip", False, pytest.mark.clause("voip.unused_prepaid")),
            ("rtc", False, pytest.mark.clause("rtc.policy_change")),
            ("itservices", True, pytest.mark.clause("itservices.policy_change")),
            ("moneyback", False, pytest.mark.clause("moneyback.window")),
        )
        for dates, version in (
            ((BEFORE, AFTER), NEW if by_service else OLD),
            ((AFTER, BEFORE), OLD if by_service else NEW),
        )
    ],
)
def test_each_pack_says_by_which_date_its_version_is_picked(
    pack: str,
    purchased_at: str,
    served_at: str,
    version: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped = pack_files()[f"{pack}@{NEW}"]
    older = tmp_path / f"{pack}@{OLD}.toml"
    older.write_text(shipped.read_text(encoding="utf-8").replace(NEW, OLD), encoding="utf-8")
    both = {older.stem: older, shipped.stem: shipped}
    monkeypatch.setattr(policy_files, "pack_files", lambda: both)

    out = quote(
        case(pack, customer={"purchased_at": purchased_at}, request={"service_date": served_at})
    )

    assert out["policy"]["version"] == version
