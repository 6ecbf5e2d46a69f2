"""openapi.yaml as a judge of answers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from tests.infrastructure.cloudformation import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "infrastructure/openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every (method, path, operation)."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def resolve(node: Any) -> Any:
    """What a reference leads to; anything else is itself."""
    while isinstance(node, Mapping) and "$ref" in node:
        place: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        node = place
    return node


def validate(instance: object, schema: Mapping[str, Any]) -> None:
    """Hold a value against a schema of the document.

    Raises:
        jsonschema.ValidationError: it does not fit.
    """
    document = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(document, format_checker=FormatChecker()).validate(instance)


def operation(method: str, path: str) -> dict[str, Any]:
    """The operation that a concrete request asks for."""
    for known, template, one in operations():
        pattern = re.sub(r"\{\w+\}", r"[^/]+", template)
        if known == method and re.fullmatch(pattern, path):
            return one
    raise AssertionError(f"openapi.yaml has no {method} {path}")


def assert_answer_fits(
    method: str, path: str, status: int, headers: Mapping[str, str], body: object
) -> None:
    """The document lists this status for this request, with this content type and this body."""
    listed = operation(method, path)["responses"]
    assert str(status) in listed, f"{method} {path} answered {status}: {body}"
    content = resolve(listed[str(status)])["content"]
    kind = next(v for name, v in headers.items() if name.lower() == "content-type")
    validate(body, content[kind.partition(";")[0]]["schema"])
