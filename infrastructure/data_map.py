"""Writes what is made from the data map: docs/data-map.md, and the schema of an export."""

import json
from pathlib import Path

from shared.application.privacy.make_archive import schema
from shared.domain.data_map import (
    ERASED_KINDS,
    LEGAL_BASIS,
    PROCESSORS,
    FieldKind,
    RecordMap,
    Term,
)
from shared.domain.data_map_records import RECORDS

PAGE = Path(__file__).parent.parent / "docs" / "data-map.md"
EXPORT = Path(__file__).parent / "export.schema.json"

_HEAD = """# Data map

What is stored of a person, why, for how long, and who receives it. Written by `make data-map`
from `shared/domain/data_map_records.py`, which export, erasure and retention follow too; a stored
field that is missing there fails the tests.

Names, mail addresses, phone numbers and postal addresses are not stored: they stay at Stripe and
are read when a mail is sent or an export is made. `customer` is Stripe's id of a person, a
pseudonym. Texts, evidence and mails are sealed under the customer's own data key ([decision
0014](adr/0014-vault.md)). There are no pages yet, so there are no cookies.

A copy of their data that people ask for has the form of
[export.schema.json](../infrastructure/export.schema.json).

Everything is in the region of the stack. Point-in-time recovery keeps the table as it was for 35
days; the table of data keys has no backup, so what was erased stays unreadable there too, and [a
restore](runbooks/restore.md) erases the rest again before it opens.
"""


def page() -> str:
    """The whole document."""
    parts = [_HEAD, _processors(), _purposes(), _terms(), "\n## Records\n"]
    parts += [_record(kind.__name__, entry) for kind, entry in RECORDS.items()]
    return "\n".join(parts)


def export() -> str:
    """The schema of what people get as a copy of their data."""
    return json.dumps(schema(), indent=1) + "\n"


def _processors() -> str:
    rows = [f"| {p.name} | {p.receives} | {p.region} | {p.safeguard} |" for p in PROCESSORS]
    head = [
        "\n## Processors\n",
        "| processor | receives | region | safeguard |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def _purposes() -> str:
    rows = [f"| {purpose} | {basis} |" for purpose, basis in LEGAL_BASIS.items()]
    return "\n".join(["\n## Purposes\n", "| purpose | legal basis |", "|---|---|", *rows])


def _terms() -> str:
    used = {entry.term for entry in RECORDS.values()}
    used |= {entry.sooner[0] for entry in RECORDS.values() if entry.sooner}
    rows = [
        f"| {term.name} | {_days(term)} | {term.why} |"
        for term in sorted(used, key=lambda term: term.name)
    ]
    return "\n".join(["\n## Terms\n", "| term | kept | why |", "|---|---|---|", *rows])


def _days(term: Term) -> str:
    return "while the account exists" if term.keep is None else f"{term.keep.days} days"


def _record(name: str, entry: RecordMap) -> str:
    term = f"term *{entry.term.name}*"
    if entry.counts_from:
        term += f" from `{entry.counts_from}`"
    if entry.sooner:
        term += f", *{entry.sooner[0].name}* from `{entry.sooner[1]}`"
    lines = [f"\n### {name}\n", f"{entry.what.capitalize()}. Purpose *{entry.purpose}*, {term}.\n"]
    lines += ["| field | kind | on erasure | processors |", "|---|---|---|---|"]
    lines += [
        f"| `{field}` | {kind} | {_erasure(kind, field, entry)} | {_processors_of(field, entry)} |"
        for kind in FieldKind
        for field in entry.kinds.get(kind, "").split()
    ]
    return "\n".join(lines)


def _erasure(kind: FieldKind, field: str, entry: RecordMap) -> str:
    if kind not in ERASED_KINDS:
        return "kept to its term"
    return "emptied; its data key is destroyed" if field in entry.sealed else "emptied"


def _processors_of(field: str, entry: RecordMap) -> str:
    return "AWS, Stripe" if field in entry.to_stripe.split() else "AWS"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    EXPORT.write_text(export(), encoding="utf-8")
