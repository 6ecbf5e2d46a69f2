"""The verifier stands on its own: it borrows nothing, computes rightly, and notices."""

import ast
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
import requests

from tests.verifier.arithmetic import Charge, Sale, half_up, months_after, written
from tests.verifier.table import Table

VERIFIER = Path(__file__).parent.parent / "verifier"
MAY_IMPORT = {"tests.verifier", "requests"}
STANDARD = {"calendar", "collections", "contextlib", "dataclasses", "datetime", "fnmatch"}
STANDARD |= {"fractions", "itertools", "typing"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def sale(**changes: object) -> Sale:
    values = {
        "name": "Ann",
        "customer": "cus_1",
        "subscription": "sub_1",
        "currency": "usd",
        "price": 120_000,
        "months": 12,
        "start": at("2026-01-01"),
        "percent": None,
        "inclusive": False,
    }
    return Sale(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("module", sorted(VERIFIER.glob("*.py")), ids=lambda path: path.stem)
def test_it_imports_nothing_of_what_it_judges(module: Path):
    imported = set()
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names):
                imported |= {name.name for name in names}
            case ast.ImportFrom(name, _, level):
                assert level == 0
                imported.add(name or "")
            case ast.Name("__import__") | ast.Attribute(attr="import_module"):
                pytest.fail("imports by name")
    for name in imported:
        own = any(name == allowed or name.startswith(f"{allowed}.") for allowed in MAY_IMPORT)
        assert own or name.split(".")[0] in STANDARD, name


def test_anns_figure():
    returned = sale().returned(at("2026-03-10T12:00:00"))
    assert (returned.net, returned.tax, written(returned.total, "usd")) == (97_479, 0, "974.79 USD")
    assert str(sale().unused(at("2026-03-10T12:00:00"))) == "593/730"


@pytest.mark.parametrize(
    ("percent", "inclusive", "net", "tax"),
    [(None, False, 1_000, 0), ("19", False, 1_000, 190), ("10", True, 909, 91)],
)
def test_tax_is_on_top_or_inside(percent: str | None, inclusive: bool, net: int, tax: int):
    invoiced = sale(price=1_000, percent=percent, inclusive=inclusive).invoiced()
    assert (invoiced.net, invoiced.tax) == (net, tax)


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [(Fraction(0), 0), (Fraction(1, 2), 1), (Fraction(49, 100), 0), (Fraction(5, 2), 3)],
)
def test_halves_go_up(exact: Fraction, rounded: int):
    assert half_up(exact) == rounded


def test_a_month_ends_on_its_last_day_and_the_day_comes_back():
    start = at("2026-01-31T10:00:00")
    ends = [months_after(start, n).strftime("%m/%d") for n in (1, 2, 3)]
    assert ends == ["02/28", "03/31", "04/30"]


def test_renewals_are_counted_after_the_first_and_up_to_the_last_instant():
    monthly = sale(months=1)
    assert monthly.renewals(at("2026-01-15"), at("2026-03-31")) == 2
    assert monthly.renewals(at("2026-02-01"), at("2026-03-01")) == 1


def test_a_charge_is_split_without_losing_a_cent():
    charge = Charge("x", 999, at("2026-03-15"), at("2026-03-30"))
    before, after = charge.split(at("2026-03-20"))
    assert (before.amount, after.amount) == (333, 666)
    assert charge.split(at("2026-03-30")) == [charge]


def test_a_difference_is_noticed_and_shown():
    table = Table()
    assert not table.passed
    table.expect("Ann", "total", "974.79 USD", "974.79 USD")
    assert table.passed
    table.expect("Ann", "total", "974.79 USD", "974.80 USD")
    assert not table.passed
    assert [line.lstrip()[0] for line in table.lines()] == ["A", "=", "≠"]


def test_what_cannot_be_read_is_a_difference():
    table = Table()
    with table.reading("Ann"):
        raise requests.ConnectionError
    assert not table.passed
