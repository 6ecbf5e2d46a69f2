"""``fairexit policy``: schema, show, lint and calendar."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from infrastructure.cli.__main__ import main
from shared.adapters.policy_files import FOLDER, pack_files

PACK = """
id = "mine"
version = "1"
title = "Mine"
effective_at = 2026-01-01T00:00:00Z
time_zone = "UTC"
[[clause]]
id = "mine.partial"
kind = "formula"
grounds = ["unused_period"]
share = "unused_time"
outcome = "needs_approval"
code = "unused"
text = "Perhaps."
"""


@pytest.mark.parametrize("name", pack_files())
def test_every_pack_keeps_to_the_printed_schema(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    document = tomllib.loads(pack_files()[name].read_text(encoding="utf-8"))

    # JSON Schema knows dates and times only as text.
    jsonschema.validate(json.loads(json.dumps(document, default=str)), schema)


def test_a_pack_is_shown_clause_by_clause(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", "moneyback"]) == 0
    shown = capsys.readouterr().out
    assert "moneyback.callback (deadline) on" in shown
    assert "  promise callback; business_hours 4 to 8\n" in shown
    assert "  agent_limits usd 5000, eur 5000, gbp 4000; review_evidence yes\n" in shown
    assert "moneyback.intake (consequence) on no request" in shown
    assert "  on intake; channels email, phone, portal\n" in shown


def test_the_packs_that_ship_are_free_of_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "lint"]) == 0, capsys.readouterr().out


def test_lint_finds_unreached_grounds_missing_approvers_and_missing_proofs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "mine.toml"
    pack.write_text(PACK, encoding="utf-8")

    assert main(["policy", "lint", str(pack), "--tests", str(tmp_path)]) == 1

    found = capsys.readouterr().out
    assert "no clause reaches the ground goodwill" in found
    assert "mine.partial: nobody may approve the ground unused_period" in found
    assert "mine.partial: no test names it" in found


def test_lint_finds_windows_and_limits_that_contradict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = pack_files()["moneyback@2025-01-06"].read_text(encoding="utf-8")
    for old, new in (
        ("days = 15\nsince", "days = 14\nsince"),
        ("agent_limits = { usd = 5000, eur = 5000, gbp = 4000 }", "agent_limits = { usd = 20001 }"),
        (
            "limits = { usd = 20000, eur = 20000, gbp = 15000 }\ntext = ",
            "limits = { usd = 20000, eur = 1 }\ntext = ",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    pack = tmp_path / "mine.toml"
    pack.write_text(text, encoding="utf-8")

    assert main(["policy", "lint", str(pack)]) == 1

    found = capsys.readouterr().out
    assert (
        "per_issue: charges for issues up to day 15, but moneyback.window ends on day 14" in found
    )
    assert "moneyback.goodwill: agents may approve 20001 usd, above moneyback.goodwill" in found
    assert "moneyback.goodwill: no agent limit in eur" in found


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        pytest.param(
            "kind = 'window'\ndays = 30\nsince = 'purchase'\ncode = 'late'",
            "a second window since purchase for dissatisfaction",
            id="two windows from one event",
        ),
        pytest.param(
            "kind = 'ground'\noutcome = 'denied'\ncode = 'no'",
            "a second formula for dissatisfaction",
            id="money on a ground that is denied",
        ),
        pytest.param(
            "kind = 'consequence'\non = 'cancellation'\nnotice_days = 3",
            "a second notice_days rule",
            id="two terms of notice",
        ),
        pytest.param(
            "kind = 'consequence'\non = 'cancellation'",
            "a rule that says nothing",
            id="a rule without a parameter",
        ),
        pytest.param(
            "kind = 'formula'\nshare = 'full_amount'\ncode = 'x'\nsettle_as = []\ngrounds = []",
            "allowed: at least one of refund, credit",
            id="money that goes nowhere",
        ),
    ],
)
def test_clauses_that_contradict_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: str, fault: str
) -> None:
    text = pack_files()["moneyback@2025-01-06"].read_text(encoding="utf-8")
    pack = tmp_path / "mine.toml"
    clause = f"\n[[clause]]\nid = 'mine.second'\ntext = 'Another.'\n{second}\n"
    pack.write_text(text + clause, encoding="utf-8")

    assert main(["policy", "lint", str(pack)]) == 1
    assert fault in capsys.readouterr().out


def test_lint_reports_the_faults_of_a_pack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "mine.toml"
    pack.write_text(PACK + "colour = 1", encoding="utf-8")

    assert main(["policy", "lint", str(pack)]) == 1
    assert "$.clause[0].colour: found an unknown key" in capsys.readouterr().out


@pytest.mark.parametrize(
    "path", sorted((FOLDER / "calendars").glob("*.toml")), ids=lambda p: p.stem
)
def test_a_calendar_is_what_the_library_that_is_kept_says(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holidays = pytest.importorskip("holidays", reason="needed only to write calendars")
    text = path.read_text(encoding="utf-8")
    if f"holidays {holidays.__version__}," not in text:
        pytest.skip(f"the calendars were written by another version than {holidays.__version__}")

    assert main(["policy", "calendar", path.stem.upper(), "--first", "2024", "--last", "2032"]) == 0
    assert capsys.readouterr().out == text
