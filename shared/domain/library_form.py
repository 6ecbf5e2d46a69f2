"""The form of what packs lean on: calendars of holidays, and statutes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.domain.calendars import Calendar
from shared.domain.scalars import COUNT, COUNTRY_CODE, MOMENT, POSITIVE, TEXT
from shared.domain.shapes import (
    FAULTY,
    Fault,
    FaultsError,
    ListOf,
    Member,
    Nullable,
    Record,
    Scalar,
    Table,
    read_document,
)
from shared.domain.statutes import Statute

DAY = Scalar(
    lambda value: value if type(value) is date else FAULTY,
    "a date such as 2026-01-26",
    {"type": "string", "format": "date"},
)


def _calendar(holidays: tuple[date, ...], **values: Any) -> Calendar:
    return Calendar(values["id"], frozenset(holidays))


CALENDAR = Record(
    _calendar,
    {
        "id": Member(TEXT),
        "title": Member(TEXT),
        "source": Member(TEXT, note="Where the days are known from."),
        "holidays": Member(ListOf(DAY)),
    },
    note="The days on which a place does no business, beside weekends.",
)
STATUTE = Record(
    dict,
    {
        "id": Member(TEXT),
        "title": Member(TEXT),
        "text": Member(TEXT),
        "in_force_from": Member(MOMENT),
        "in_force_until": Member(Nullable(MOMENT), None),
        "days": Member(POSITIVE),
        "uninformed_months": Member(COUNT),
        "payout_days": Member(POSITIVE),
        "countries": Member(Table(COUNTRY_CODE, TEXT), note="Each with its calendar's id."),
    },
    note="A consumer's right to withdraw, which stands over any pack.",
)


def read_calendar(document: Mapping[str, object]) -> Calendar:
    """The calendar that a parsed TOML text declares; ``FaultsError`` with every fault."""
    calendar: Calendar = read_document(CALENDAR, document)
    return calendar


def read_statute(document: Mapping[str, object], calendars: Mapping[str, Calendar]) -> Statute:
    """The statute that a parsed TOML text declares; ``FaultsError`` with every fault."""
    values = read_document(STATUTE, document)
    unknown = [
        Fault(f"$.countries.{country}", name, "one of " + ", ".join(sorted(calendars)))
        for country, name in values["countries"].items()
        if name not in calendars
    ]
    if unknown:
        raise FaultsError(tuple(unknown))
    countries = {country: calendars[name] for country, name in values["countries"].items()}
    return Statute(**{**values, "countries": countries})
