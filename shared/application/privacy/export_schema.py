"""The JSON Schema of an export, made from the records themselves, field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from shared.domain.data_map import RecordMap

SCHEMA_ID = "https://fairexit.example/schemas/export/1"
# What proves something is not told again, not to its owner either.
LEFT_OUT = frozenset({"code_digest"})

_PLAIN: Mapping[type, Mapping[str, str]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    NoneType: {"type": "null"},
}
_SEALED = {"type": ["string", "null"]}  # opened; null once it is erased


def export_schema(theirs: Iterable[tuple[type, RecordMap]]) -> dict[str, Any]:
    """The schema of data.json, which holds these kinds of records."""
    records = {
        kind.__name__: {
            "type": "array",
            "description": entry.what,
            "items": _record(kind, entry),
        }
        for kind, entry in theirs
    }
    text, rows = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
    properties = {
        "schema": {"const": SCHEMA_ID},
        "generated_at": {"type": "string", "format": "date-time"},
        "customer": text,
        "person": {"type": "object"},
        "records": _object(records),
        "purposes": rows,
        "recipients": rows,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **_object(properties),
    }


def _record(kind: type, entry: RecordMap) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return _object(
        {
            name: {
                "description": f"{entry.kind_of(name)}",
                **(_SEALED if name in entry.sealed else _type(hints[name])),
            }
            for name in (member.name for member in fields(kind))
            if name not in LEFT_OUT
        }
    )


def _type(hint: Any) -> dict[str, Any]:
    """The schema of a field's type; of what may be anything, one that takes anything."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        return _object({one.name: _type(hints[one.name]) for one in fields(hint)})
    origin, members = get_origin(hint), get_args(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object"}
    if origin in (tuple, list, frozenset):
        of_one_kind = origin is not tuple or members[-1] is Ellipsis
        return {"type": "array", **({"items": _type(members[0])} if of_one_kind else {})}
    if NoneType in members:
        return {"anyOf": [_type(member) for member in members]}
    return {}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
