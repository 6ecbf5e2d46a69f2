"""Checks what the local Stripe says against the SDK's response classes.

A violation is a defect of this server: it is answered as a loud 500 and kept for `/_local/health`.
"""

import re
from collections.abc import Iterator
from typing import Any

from infrastructure.local.stripe.sdk import (
    Choice,
    Expandable,
    Node,
    Nullable,
    Page,
    Reference,
    Scalar,
    Sdk,
    Sequence,
    Table,
    Union,
)

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
# A fetched thin event has it; the SDK declares it in a class for each type.
UNDECLARED = {"v2/core/_event": {"related_object"}}
PAGE_FIELDS = {
    "list": {"object", "data", "has_more", "url"},
    "search_result": {"object", "data", "has_more", "url", "next_page"},
}


def violations(sdk: Sdk, node: Node, value: Any, path: str = "") -> Iterator[str]:
    """Yields one sentence for each place where `value` is not what the SDK declares."""
    match node:
        case Scalar(name) if not _is_scalar(name, value):
            yield f"{path}: {value!r} is not {name}"
        case Choice(values) if value not in values:
            yield f"{path}: {value!r} is none of {values}"
        case Nullable(inner) if value is not None:
            yield from violations(sdk, inner, value, path)
        case Expandable(inner) if not isinstance(value, str):
            yield from violations(sdk, inner, value, path)
        case Union(options):
            faults = [list(violations(sdk, option, value, path)) for option in options]
            if all(faults):
                yield from min(faults, key=len)
        case Sequence() | Table() | Page() | Reference():
            yield from _compound(sdk, node, value, path)


def _compound(
    sdk: Sdk, node: Sequence | Table | Page | Reference, value: Any, path: str
) -> Iterator[str]:
    match node, value:
        case Sequence(inner), list():
            for index, entry in enumerate(value):
                yield from violations(sdk, inner, entry, f"{path}[{index}]")
        case Table(inner), dict():
            for key, entry in value.items():
                yield from violations(sdk, inner, entry, f"{path}.{key}")
        case Page(inner), {"object": kind} if set(value) == PAGE_FIELDS.get(kind):
            yield from violations(sdk, Sequence(inner), value["data"], f"{path}.data")
        case Reference(), dict():
            yield from _record(sdk, node, value, path)
        case _:
            yield f"{path}: {value!r} is not a {type(node).__name__.lower()}"


def _is_scalar(name: str, value: Any) -> bool:
    match name:
        case "any":
            return True
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "decimal":
            return isinstance(value, str) and DECIMAL.fullmatch(value) is not None
    return isinstance(value, str)


def _record(sdk: Sdk, reference: Reference, value: dict[str, Any], path: str) -> Iterator[str]:
    fields = sdk.record(reference)
    # The SDK declares the whole class for a deletion; Stripe sends three members (recorded).
    if value.get("deleted") is True:
        fields = {name: fields[name] for name in ("id", "object", "deleted")}
    for name, field in fields.items():
        if name in value:
            yield from violations(sdk, field.node, value[name], f"{path}.{name}")
        elif field.required:
            yield f"{path}.{name}: missing"
    for name in value.keys() - fields.keys() - UNDECLARED.get(reference.module, set()):
        yield f"{path}.{name}: not declared by {reference.name}"
