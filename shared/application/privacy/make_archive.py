"""All that is kept of a person, in one archive: JSON with its schema, CSV tables, their files."""

import contextlib
import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from shared.application.case_document import instant
from shared.application.change import present
from shared.application.privacy.export_schema import LEFT_OUT, SCHEMA_ID, export_schema
from shared.domain.data_map import LEGAL_BASIS, PROCESSORS, RecordMap
from shared.domain.data_map_records import RECORDS
from shared.domain.errors import ErasedError
from shared.domain.records import Identity
from shared.ports import Services

_README = """Your data, as of {at}.

data.json    everything, in the form that schema.json describes
tables/      the same records, one table a kind, for a spreadsheet
files/       what you have sent, as you sent it
"""


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP file and the names in it."""

    content: bytes
    files: list[str]


def make_archive(services: Services, customer: str) -> Archive:
    """The archive of a customer; sealed content is opened, nothing of other people is in it."""
    document = _document(services, customer)
    at = document["generated_at"]
    files: dict[str, str | bytes] = {
        "README.txt": _README.format(at=at),
        "data.json": json.dumps(document, indent=1, ensure_ascii=False),
        "schema.json": json.dumps(schema(), indent=1),
    }
    files |= {
        f"tables/{name}.csv": _table(rows) for name, rows in document["records"].items() if rows
    }
    files |= dict(_sent(services, customer))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Archive(buffer.getvalue(), sorted(files))


def _sent(services: Services, customer: str) -> Iterator[tuple[str, bytes]]:
    """The files that the person has sent, opened."""
    for kind, record, sealed in services.files.sealed(customer):
        with contextlib.suppress(ErasedError):
            opened = services.vault.open(sealed, customer=customer, kind=kind, record=record)
            yield f"files/{kind}/{record}", opened


def _document(services: Services, customer: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA_ID,
        "generated_at": instant(present(services)),
        "customer": customer,
        "person": dict(services.people.details(customer)),
        "records": {
            kind.__name__: [
                _row(services, customer, stored.record, entry)
                for stored in services.store.all_of(kind, customer)
            ]
            for kind, entry in _theirs()
        },
        "purposes": [
            {
                "records": kind.__name__,
                "what": entry.what,
                "purpose": entry.purpose.value,
                "legal_basis": LEGAL_BASIS[entry.purpose],
                "kept_days": entry.term.keep.days if entry.term.keep else None,
            }
            for kind, entry in _theirs()
        ],
        "recipients": [
            {"name": p.name, "receives": p.receives, "region": p.region, "safeguard": p.safeguard}
            for p in PROCESSORS
        ],
    }


def _theirs() -> Iterator[tuple[type[Any], RecordMap]]:
    """The kinds of records that an export gives to the person."""
    for kind, entry in RECORDS.items():
        if entry.theirs and kind is not Identity:  # its other half, `Login`, says the same
            yield kind, entry


def _row(services: Services, customer: str, record: Any, entry: RecordMap) -> dict[str, Any]:
    """A record as JSON; times as text, sealed fields opened, codes that prove nothing left out."""
    row: dict[str, Any] = {}
    for member in fields(record):
        value = getattr(record, member.name)
        if member.name in entry.sealed:
            value = _opened(services, customer, record, entry.sealed[member.name], value)
        if member.name not in LEFT_OUT:
            row[member.name] = json.loads(json.dumps(value, default=_plain))
    return row


def _opened(
    services: Services, customer: str, record: Any, kind: str, sealed: bytes | None
) -> str | None:
    if not sealed:
        return None
    try:
        opened = services.vault.open(sealed, customer=customer, kind=kind, record=record.id)
    except ErasedError:
        return None
    return opened.decode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return {member.name: getattr(value, member.name) for member in fields(value)}
    return dict(value) if isinstance(value, Mapping) else list(value)


def _table(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV; what is no plain value as JSON, nothing that a spreadsheet would execute."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def schema() -> dict[str, Any]:
    """The JSON Schema of data.json."""
    return export_schema(_theirs())
