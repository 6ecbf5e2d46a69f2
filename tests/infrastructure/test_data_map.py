"""The data map knows every stored field, and its page says what it says."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator

from infrastructure import data_map as page
from shared.adapters import dynamodb_items
from shared.domain import data_map as d
from shared.domain.cancellation import Cancellation
from shared.domain.data_map import FieldKind, Purpose, RecordMap
from shared.domain.data_map_records import RECORDS

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Diary:
    customer: str
    at: datetime
    written: str | None
    pages: tuple[str, ...]
    seal: bytes


DIARY = RecordMap(
    "a diary",
    Purpose.CLAIMS,
    d.OFFERS,
    {FieldKind.TECHNICAL: "customer at", FieldKind.CONTENT: "written pages seal"},
    counts_from="at",
)


@pytest.mark.clause("privacy.subprocessors")
@pytest.mark.clause("privacy.transfers")
def test_every_stored_field_is_in_the_data_map():
    """Its kind, purpose, term, and through them processor and region."""
    assert d.faults(RECORDS, dynamodb_items.kinds()) == []
    assert set(RECORDS) == set(dynamodb_items.kinds())
    assert {p.name for p in d.PROCESSORS} == {"Amazon Web Services", "Stripe"}
    assert all(p.region and p.safeguard and p.receives for p in d.PROCESSORS)


@pytest.mark.clause("privacy.cookies")
def test_the_page_is_written_from_the_map_and_says_that_there_are_no_cookies():
    assert page.PAGE.read_text() == page.page(), "run make data-map"
    assert "there are no cookies" in page.page()


@pytest.mark.clause("privacy.portability")
def test_the_schema_of_an_export_is_the_one_that_is_committed():
    assert page.EXPORT.read_text() == page.export(), "run make data-map"
    Draft202012Validator.check_schema(json.loads(page.export()))


def test_no_field_has_the_name_of_what_every_item_has():
    own = {"pk", "sk", "version", "incarnation", "livemode", "due_shard", "expires_at"}
    clashes = {
        f"{kind.__name__}.{name}"
        for kind, entry in RECORDS.items()
        for name in {*entry.names} & own
    }

    assert clashes == set()


def test_the_map_objects_to_what_it_does_not_know():
    missing = RecordMap("a diary", Purpose.CLAIMS, d.OFFERS, {FieldKind.TECHNICAL: "customer lost"})

    assert d.faults({}, [Diary]) == ["Diary: give it an entry in data_map_records.py"]
    assert d.faults({Diary: DIARY}, [Diary]) == []
    assert d.faults({Diary: missing}, [Diary]) == [
        "Diary.at: say which kind it is",
        "Diary.lost: is no field",
        "Diary.pages: say which kind it is",
        "Diary.seal: say which kind it is",
        "Diary.written: say which kind it is",
        "Diary: a term that counts from nothing",
    ]


def test_erasure_empties_what_tells_of_the_person_and_nothing_else():
    diary = Diary("cus_1", NOW, "Dear diary", ("I am Ann",), b"\x01secret")

    assert d.without_person(diary, DIARY) == Diary("cus_1", NOW, None, (), b"")
    assert RECORDS[Cancellation].erased() == ["words"]


@pytest.mark.parametrize(("days", "over"), [(29, False), (30, True)])
def test_a_term_is_over_when_it_is_over(days: int, over: bool):
    diary = Diary("cus_1", NOW, None, (), b"")

    assert d.is_past_term(diary, DIARY, NOW + timedelta(days=days)) is over
