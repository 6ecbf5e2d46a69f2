"""The template and the handlers agree on settings, routes and events."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from shared.runtime import settings
from tests.infrastructure import cloudformation
from tests.infrastructure.cloudformation import ROOT

TEMPLATE = cloudformation.load()
FUNCTIONS = cloudformation.functions(TEMPLATE)
# Read by Powertools itself.
POWERTOOLS = {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}


def source(name: str) -> str:
    """The handler of a function, by logical id."""
    folder = cloudformation.folder(FUNCTIONS[name])
    return (ROOT / "functions" / folder / "handler.py").read_text()


def parts(code: str) -> Iterator[str]:
    """The settings that a handler asks `services_for` for."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "services_for":
            yield from (ast.unparse(argument) for argument in node.args)


def names(part: str) -> set[str]:
    """The names in the environment that a part of the settings reads."""
    return {field.name.upper() for field in fields(getattr(settings, part))}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_settings_that_it_reads_and_no_others(name: str):
    read: set[str] = set().union(*(names(part) for part in parts(source(name))))

    assert set(FUNCTIONS[name]["Environment"]["Variables"]) == read


def test_every_function_has_the_common_settings():
    shared = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])

    assert shared == names("Common") | POWERTOOLS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_serves_the_routes_that_lead_to_it(name: str):
    served = set(re.findall(r'"((?:GET|POST|DELETE) /[^"]*)"', source(name)))
    led = {f"{m} {p}" for (m, p), owner in cloudformation.routes(TEMPLATE).items() if owner == name}

    assert served == led


def test_every_domain_event_that_is_published_has_its_schema_and_the_other_way_round():
    code = "".join(path.read_text() for path in ROOT.glob("shared/application/**/*.py"))
    published = set(re.findall(r'\.publish\(\s*"(\w+)"', code))
    described = {path.stem for path in ROOT.glob("infrastructure/events/*.json")}

    assert published == described


def test_only_the_billing_adapter_imports_stripe():
    importers = {
        path.name
        for folder in ("shared", "functions")
        for path in ROOT.glob(f"{folder}/**/*.py")
        if re.search(r"^\s*(?:import|from) stripe\b", path.read_text(), re.MULTILINE)
    }

    assert importers == {"stripe_client.py", "stripe_errors.py", "stripe_invoices.py"}
