"""docs/failure-modes.md names tests that exist, and says why where it names none."""

import re

import pytest

from tests.infrastructure.cloudformation import ROOT

PAGE = (ROOT / "docs" / "failure-modes.md").read_text()
ROWS = re.findall(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+) \|$", PAGE, re.MULTILINE)
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
# Each group has at least so many rows: none gets lost unnoticed.
GROUPS = {"A": 22, "B": 20, "C": 15, "D": 12, "F": 9, "L": 6}


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_page_names_exists(file: str, test: str):
    path = ROOT / file

    assert path.is_file()
    assert f"\ndef {test}(" in path.read_text()


def test_every_row_is_shown_or_says_why_not():
    silent = [
        name
        for name, _, holds, shown in ROWS
        if "::" not in shown and not holds.startswith(("not tested: ", "not offered: "))
    ]

    assert silent == []


@pytest.mark.parametrize("group", GROUPS)
def test_the_rows_of_a_group_are_numbered_without_gaps(group: str):
    numbers = [int(name[1:]) for name, *_ in ROWS if name.startswith(group)]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= GROUPS[group]
