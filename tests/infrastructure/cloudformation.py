"""template.yaml as plain data, with the questions that its rules ask."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infrastructure.local import stage

ROOT = Path(__file__).resolve().parents[2]

Template = Mapping[str, Any]


def load() -> dict[str, Any]:
    """The template that ships."""
    return stage.read_template(ROOT / "template.yaml")


def resources(template: Template, kind: str) -> dict[str, Mapping[str, Any]]:
    """Logical id to properties of every resource of a type."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: Template) -> dict[str, Mapping[str, Any]]:
    """Logical id to properties of every function."""
    return resources(template, "AWS::Serverless::Function")


def queues(template: Template) -> dict[str, Mapping[str, Any]]:
    """Logical id to properties of every queue."""
    return resources(template, "AWS::SQS::Queue")


def events(function: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Properties of a function's triggers of a type."""
    found = function.get("Events", {}).values()
    return [event["Properties"] for event in found if event["Type"] == kind]


def routes(template: Template) -> dict[tuple[str, str], str]:
    """(method, path) of every route to the function's logical id."""
    return {
        (event["Method"], event["Path"]): name
        for name, function in functions(template).items()
        for event in events(function, "HttpApi")
    }


def timeout(template: Template, function: Mapping[str, Any]) -> int:
    """A function's timeout in seconds, with the global one as its default."""
    seconds = function.get("Timeout", template["Globals"]["Function"]["Timeout"])
    assert isinstance(seconds, int)
    return seconds


def folder(function: Mapping[str, Any]) -> str:
    """The name of a function's folder."""
    return Path(str(function["CodeUri"])).name


def target(value: Any) -> str:
    """The logical id (or text) that a reference, an attribute or a substitution starts from."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Ref":
            return str(argument)
        if name == "Fn::GetAtt":
            return str(argument[0])
        if name == "Fn::Sub":
            text = argument if isinstance(argument, str) else argument[0]
            variable = re.match(r"\$\{([A-Za-z]+)", text)
            return variable[1] if variable else text
    raise AssertionError(f"not a reference: {value}")


def listed(value: Any) -> list[Any]:
    """A value or a list of values, as a list."""
    return value if isinstance(value, list) else [value]


def statements(template: Template, role: str) -> Iterator[tuple[str, str, Any]]:
    """(effect, action, resource) of everything that a role says, one by one."""
    for policy in template["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            for action in listed(statement["Action"]):
                for resource in listed(statement["Resource"]):
                    yield statement["Effect"], action, resource
