"""Each domain event has a JSON Schema that closes it and an example that fits."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.infrastructure.cloudformation import ROOT

SCHEMAS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text())
    for path in sorted(ROOT.glob("infrastructure/events/*.json"))
}
COMMON = {"id", "schema_version", "occurred_at", "customer", "livemode"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_json_schema_under_its_own_name(name: str):
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)
    version = schema["properties"]["schema_version"]["const"]
    assert (schema["title"], schema["$id"]) == (name, f"fairexit/events/{name}/{version}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_has_the_members_that_every_event_has(name: str):
    assert set(SCHEMAS[name]["required"]) >= COMMON


@pytest.mark.parametrize("name", SCHEMAS)
def test_its_example_fits_and_nothing_may_be_added_or_missing(name: str):
    schema = SCHEMAS[name]
    validator = Draft202012Validator(schema)
    (example,) = schema["examples"]

    validator.validate(example)
    with pytest.raises(ValidationError):
        validator.validate({**example, "email": "ann@example.com"})
    for member in schema["required"]:
        with pytest.raises(ValidationError):
            validator.validate({key: example[key] for key in example if key != member})
