"""The front door: decodes bracketed forms and checks them against the SDK's parameter classes.

Stripe validates before it executes: an unknown parameter, a missing one, or a value of the wrong
type is refused here, and nothing has happened (documentation).
"""

import json
import re
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.sdk import (
    ANY,
    Choice,
    Node,
    Nullable,
    Reference,
    Scalar,
    Sdk,
    Sequence,
    Table,
    Union,
)

SEGMENT = re.compile(r"\[([^\]]*)\]")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def _refuse(message: str, param: str, code: str | None = None) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, message, param=param, code=code, executed=False)


def decode(text: str) -> dict[str, Any]:
    """`items[0][price]=p&expand[]=a` as nested dictionaries; lists become dictionaries by index."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        head, bracket, rest = key.partition("[")
        path = [head, *SEGMENT.findall(bracket + rest)]
        place = root
        for index, segment in enumerate(path):
            name = segment or str(len(place))
            if index == len(path) - 1:
                place[name] = value
                break
            child = place.setdefault(name, {})
            if not isinstance(child, dict):
                raise _refuse("Invalid object", head)
            place = child
    return root


def from_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a multipart form; a file is its name and its content, a character a byte."""
    kind, options = parse_options_header(content_type)
    _, form, files = FormDataParser().parse(BytesIO(body), kind, len(body), options)
    fields = decode(urlencode(list(form.items(multi=True))))
    uploads = {}
    for name, file in files.items():
        with file.stream as content:
            uploads[name] = {
                "filename": file.filename,
                "content": content.read().decode("latin-1"),
            }
    return fields | uploads


def from_json(text: str) -> dict[str, Any]:
    """A JSON body in the form in which a bracketed one is decoded."""
    try:
        document = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise _refuse(f"Invalid JSON: {error}", "") from None
    if not isinstance(document, dict):
        raise _refuse("Invalid object", "")
    return {name: _as_form(value) for name, value in document.items()}


def _as_form(value: Any) -> Any:
    match value:
        case dict():
            return {name: _as_form(entry) for name, entry in value.items()}
        case list():
            return {str(index): _as_form(entry) for index, entry in enumerate(value)}
        case str():
            return value
    return json.dumps(value)


def check(sdk: Sdk, node: Node, raw: dict[str, Any]) -> dict[str, Any]:
    """The typed parameters of a request, or a Refusal in Stripe's words."""
    if not isinstance(node, Reference):
        return raw
    return _record(sdk, node, raw, "")


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _record(sdk: Sdk, node: Reference, raw: Any, path: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _refuse("Invalid object", path)
    fields = sdk.record(node)
    for name in raw:
        if name not in fields:  # recorded
            inside = _inside(path, name)
            raise _refuse(f"Received unknown parameter: {inside}", inside, "parameter_unknown")
    values = {}
    for name, field in fields.items():
        inside = _inside(path, name)
        if name in raw:
            values[name] = _coerce(sdk, field.node, raw[name], inside)
        elif field.required:  # recorded
            raise _refuse(f"Missing required param: {inside}.", inside, "parameter_missing")
    return values


def _coerce(sdk: Sdk, node: Node, raw: Any, path: str) -> Any:
    match node:
        case Union(options):
            return _first(sdk, options, raw, path)
        case Nullable(inner):
            return _coerce(sdk, inner, raw, path)
        case Choice(values):
            return _choice(values, raw, path)
        case Scalar(name):
            return _scalar(name, raw, path)
        case Reference():
            return _record(sdk, node, raw, path)
    if not isinstance(raw, dict):
        word = "array" if isinstance(node, Sequence) else "hash"
        raise _refuse(f"Invalid {word}", path)
    if isinstance(node, Sequence):
        return [
            _coerce(sdk, node.inner, value, f"{path}[{index}]")
            for index, value in enumerate(raw.values())
        ]
    inner = node.inner if isinstance(node, Table) else ANY
    # An empty value unsets a key of a hash (SDK docstring of `metadata`).
    return {
        key: value if value == "" else _coerce(sdk, inner, value, _inside(path, key))
        for key, value in raw.items()
    }


def _first(sdk: Sdk, options: tuple[Node, ...], raw: Any, path: str) -> Any:
    """The first alternative that fits; when none does, the last one's words."""
    for option in options[:-1]:
        try:
            return _coerce(sdk, option, raw, path)
        except Refusal:
            continue
    return _coerce(sdk, options[-1], raw, path)


def _choice(values: tuple[object, ...], raw: Any, path: str) -> Any:
    if raw in values:
        return raw
    if raw == "":
        raise _empty(path)
    words = [str(value) for value in values]
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])}, or {words[-1]}"
    raise _refuse(f"Invalid {path}: must be one of {listed}", path)  # recorded


def _empty(path: str) -> Refusal:
    """An empty value where nothing can be unset (recorded)."""
    return _refuse(
        f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a"
        f" parameter; however '{path}' cannot be unset. You should remove '{path}' from your"
        " request or supply a non-empty value.",
        path,
        "parameter_invalid_empty",
    )


def _scalar(name: str, raw: Any, path: str) -> Any:
    if name == "any":
        return raw
    if not isinstance(raw, str):
        raise _refuse(f"Invalid {'string' if name == 'str' else name}: {raw}", path)
    if raw == "":
        raise _empty(path)
    match name:
        case "int":
            if re.fullmatch(r"-?\d+", raw) is None:  # recorded
                raise _refuse(f"Invalid integer: {raw}", path, "parameter_invalid_integer")
            return int(raw)
        case "bool":
            if raw not in ("true", "false"):
                raise _refuse(f"Invalid boolean: {raw}", path)
            return raw == "true"
        case "float" | "decimal":
            if DECIMAL.fullmatch(raw) is None:
                raise _refuse(f"Invalid decimal: {raw}", path)
            return raw if name == "decimal" else float(raw)
    return raw
