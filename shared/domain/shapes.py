"""Shapes: a document's form, declared once, that reads it, faults it and describes it.

Each shape turns plain data (parsed JSON or TOML) into values, notes *every* fault with its path,
what was found and what is allowed, and tells its own JSON Schema. Reading never stops at the first
fault; a value that could not be read is ``FAULTY``, a record with such a part is a ``Partial``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, Protocol

from shared.domain.errors import FairexitError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: where, what stands there, what may stand there."""

    path: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; allowed: {self.allowed}"


class FaultsError(FairexitError):
    """A document that cannot be used; every fault at once, in the order of the document."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class _Marker(Enum):
    FAULTY = "faulty"
    REQUIRED = "required"


FAULTY: Final = _Marker.FAULTY
REQUIRED: Final = _Marker.REQUIRED


@dataclass(frozen=True, slots=True)
class Partial:
    """A record of which some part could not be read; checks may still look at the rest."""

    values: Mapping[str, Any]


def peek(thing: Any, name: str) -> Any:
    """A member of a record, be it whole or partial; ``FAULTY`` where there is none."""
    if isinstance(thing, Partial):
        return thing.values.get(name, FAULTY)
    if isinstance(thing, dict):
        return thing[name]
    return FAULTY if thing is FAULTY else getattr(thing, name)


def shown(value: object) -> str:
    """A value as a fault shows it: JSON, shortened."""
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."


SHOWN_MAX = 80  # enough to recognise a value; more would bury the other faults


class Shape(Protocol):
    """A form that values may take."""

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """The value, or ``FAULTY`` (or a ``Partial``) after noting why."""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of what is allowed."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value: ``convert`` gives ``FAULTY`` for what is not ``allowed``."""

    convert: Callable[[Any], Any]
    allowed: str
    form: Mapping[str, Any]

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        result = self.convert(value)
        if result is FAULTY:
            faults.append(Fault(path, shown(value), self.allowed))
        return result

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return dict(self.form)


@dataclass(frozen=True, slots=True)
class Anything:
    """An object whose members are free."""

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        if isinstance(value, dict):
            return value
        faults.append(Fault(path, shown(value), "an object"))
        return FAULTY

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return {"type": "object"}


@dataclass(frozen=True, slots=True)
class Nullable:
    """The shape, or null."""

    shape: Shape

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        return None if value is None else self.shape.read(value, path, faults)

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return {"anyOf": [self.shape.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of the shape, read as a tuple."""

    shape: Shape

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        if not isinstance(value, list):
            faults.append(Fault(path, shown(value), "a list"))
            return FAULTY
        return tuple(
            self.shape.read(item, f"{path}[{index}]", faults) for index, item in enumerate(value)
        )

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return {"type": "array", "items": self.shape.schema()}


@dataclass(frozen=True, slots=True)
class Table:
    """An object whose keys and values each have a shape, read as a dict."""

    keys: Scalar
    values: Shape

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            faults.append(Fault(path, shown(value), "an object"))
            return FAULTY
        return {
            self.keys.read(key, f"{path}.{key}", faults): self.values.read(
                item, f"{path}.{key}", faults
            )
            for key, item in value.items()
        }

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return {
            "type": "object",
            "propertyNames": self.keys.schema(),
            "additionalProperties": self.values.schema(),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a record: its shape, its default (or ``REQUIRED``), and what it means."""

    shape: Shape
    default: Any = REQUIRED
    note: str = ""
    attribute: str | None = None  # where the name is a Python keyword


Check = Callable[[Mapping[str, Any], str, list[Fault]], None]


def no_check(_values: Mapping[str, Any], _path: str, _faults: list[Fault]) -> None:
    """A record whose members are independent of each other."""


@dataclass(frozen=True, slots=True)
class Record:
    """An object with named members and no others, built by ``build`` from keyword arguments.

    ``check`` sees the members' values (some maybe ``FAULTY``) and notes what contradicts.
    """

    build: Callable[..., Any]
    members: Mapping[str, Member]
    check: Check = no_check
    note: str = ""

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            faults.append(Fault(path, shown(value), "an object"))
            return FAULTY
        before = len(faults)
        if not self.members.keys() >= value.keys():
            known = ", ".join(self.members)
            faults.extend(
                Fault(f"{path}.{key}", "an unknown key", f"one of {known}")
                for key in value
                if key not in self.members
            )
        values: dict[str, Any] = {}
        for name, member in self.members.items():
            if name in value:
                result = member.shape.read(value[name], f"{path}.{name}", faults)
            elif member.default is REQUIRED:
                faults.append(Fault(f"{path}.{name}", "nothing", allowed_text(member.shape)))
                result = FAULTY
            else:
                result = member.default
            values[member.attribute or name] = result
        self.check(values, path, faults)
        return self.build(**values) if len(faults) == before else Partial(values)

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        properties = {name: member_schema(member) for name, member in self.members.items()}
        required = [name for name, m in self.members.items() if m.default is REQUIRED]
        described = {"description": self.note} if self.note else {}
        return described | {
            "type": "object",
            "additionalProperties": False,
            "required": required,
            "properties": properties,
        }


@dataclass(frozen=True, slots=True)
class OneOf:
    """Records told apart by the value of one key, which each of them also names as a member."""

    key: str
    variants: Mapping[Any, "Record | OneOf"]

    def read(self, value: Any, path: str, faults: list[Fault]) -> Any:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            faults.append(Fault(path, shown(value), "an object"))
            return FAULTY
        found = value.get(self.key)
        variant = self.variants.get(found) if isinstance(found, str) else None
        if variant is None:
            allowed = "one of " + ", ".join(self.variants)
            what = shown(found) if self.key in value else "nothing"
            faults.append(Fault(f"{path}.{self.key}", what, allowed))
            return FAULTY
        return variant.read(value, path, faults)

    def schema(self) -> dict[str, Any]:
        """See :class:`Shape`."""
        return {"oneOf": [variant.schema() for variant in self.variants.values()]}


def allowed_text(shape: Shape) -> str:
    """What a fault says is allowed where a required member is missing."""
    return shape.allowed if isinstance(shape, Scalar) else "it is required"


def member_schema(member: Member) -> dict[str, Any]:
    """The member's schema with its default and meaning."""
    schema = member.shape.schema()
    if member.note:
        schema["description"] = member.note
    if member.default is not REQUIRED:
        schema["default"] = plain(member.default)
    return schema


def plain(value: Any) -> Any:
    """A default as JSON shows it."""
    match value:
        case StrEnum():
            return value.value
        case tuple() | frozenset():
            return [plain(item) for item in value]
        case None | bool() | int() | str() | dict():
            return value
        case _:
            return {}


def read_document(shape: Shape, value: Any) -> Any:
    """The value that a document describes; :class:`FaultsError` with every fault otherwise."""
    faults: list[Fault] = []
    result = shape.read(value, "$", faults)
    if faults:
        raise FaultsError(tuple(faults))
    return result
