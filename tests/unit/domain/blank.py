"""A record of any kind with as little in it as it takes."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

AT = datetime(2026, 1, 1, tzinfo=UTC)


def blank(kind: type[Any], /, **known: Any) -> Any:
    """What has a default keeps it; the first of an enum, the same instant, a word."""
    hints = get_type_hints(kind)
    needed = [
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING and one.name not in known
    ]
    return kind(**known, **{name: _value(hints[name]) for name in needed})


def _value(hint: Any) -> Any:
    if type(None) in get_args(hint):
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    shape = get_origin(hint) or hint
    values = {str: "x", int: 1, bool: True, bytes: b"", datetime: AT, tuple: (), Mapping: {}}
    return values[shape]
