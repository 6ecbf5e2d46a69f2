"""The table of obligations, and the small changes that tests must notice."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infrastructure.clauses.changes import changes_of, moved
from infrastructure.clauses.rows import read_rows
from shared.adapters.policy_files import load_policy, pack_files, read_pack
from shared.domain.clauses import Since

NOW = datetime(2026, 3, 10, tzinfo=UTC)
TABLE = (Path(__file__).parents[3] / "docs" / "clauses.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", pack_files())
def test_every_clause_of_a_pack_has_its_row(name: str) -> None:
    assert {clause.id for clause in read_pack(pack_files()[name]).clauses} <= read_rows(
        TABLE
    ).keys()


def test_a_row_says_what_it_waits_for() -> None:
    rows = read_rows(
        "| `a.b` | what | how | working; mails: disputes |\n| `a.c` | x | y | waits for intake |"
    )

    assert [(row.id, row.state, row.works) for row in rows.values()] == [
        ("a.b", "working", True),
        ("a.c", "waits for intake", False),
    ]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("| `a.b` | what | how | soon |", id="another state"),
        pytest.param("| `a.b` | what | how | working |\n" * 2, id="a row twice"),
    ],
)
def test_a_table_that_cannot_be_relied_on_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match=r"a\.b"):
        read_rows(table)


@pytest.mark.parametrize(
    ("value", "others"),
    [
        (True, [False]),
        (0, [1]),
        (15, [14, 16]),
        (Since.PURCHASE, [Since.SERVICE_DATE]),
        ("code", ["code_x"]),
        (frozenset({"a", "b"}), [{"b"}, {"a"}]),
        ((4, 8), [(3, 8), (5, 8), (4, 7), (4, 9)]),
        ({"usd": 5}, [{}, {"usd": 4}, {"usd": 6}]),
        (None, []),
    ],
)
def test_a_parameter_moves_as_little_as_it_can(value: Any, others: list[Any]) -> None:
    assert [other for _, other in moved(value)] == others


def test_a_change_is_to_its_pack_and_to_no_other() -> None:
    voip, rtc = load_policy("voip", NOW), load_policy("rtc", NOW)

    for change in changes_of(voip):
        assert change.apply(voip) != voip, change.what
        assert change.apply(rtc) is rtc
