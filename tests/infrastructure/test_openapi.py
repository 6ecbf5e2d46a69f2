"""openapi.yaml is what the stack routes to, and is sound in itself."""

import copy
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from shared.adapters.policy_files import load_policy_for
from shared.domain.account import CauseKind, Standing
from shared.domain.arrears import Rung
from shared.domain.cancellation import CancellationState, Timing
from shared.domain.case import parse_case
from shared.domain.clauses import Outcome
from shared.domain.decision import Ruled
from shared.domain.dispute import DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.facts import Finding, SettleAs
from shared.domain.refund import decide_refund, quote_document
from shared.domain.refund_operation import RefundStatus
from shared.domain.subscription import SubscriptionStatus
from shared.runtime.access import ROUTES, Caller
from tests.infrastructure import cloudformation
from tests.infrastructure.openapi import DOCUMENT, SCHEMAS, operations, resolve, validate

TEMPLATE = cloudformation.load()


def walk(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping of a document, from the outside in."""
    if isinstance(node, Mapping):
        yield node
        for child in node.values():
            yield from walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from walk(child)


EXAMPLES = [
    pytest.param(media["schema"], media["example"], id=str(index))
    for index, media in enumerate(
        media for node in walk(DOCUMENT) for media in node.get("content", {}).values()
    )
    if "example" in media
]


def test_its_routes_are_those_of_the_stack():
    assert {(method, path) for method, path, _ in operations()} == set(
        cloudformation.routes(TEMPLATE)
    )


def test_each_route_asks_for_the_token_that_its_function_accepts():
    asked = {
        (method, path): [
            scheme for way in one.get("security", DOCUMENT["security"]) for scheme in way
        ]
        for method, path, one in operations()
    }
    functions = cloudformation.functions(TEMPLATE)
    accepted = {}
    for route, name in cloudformation.routes(TEMPLATE).items():
        settings = functions[name]["Environment"]["Variables"]
        scopes = {
            "CUSTOMER_SCOPE": "customer",
            "SERVICE_SCOPE": "service",
            "GROUPS_CLAIM": "staff",
        }
        accepted[route] = [who for setting, who in scopes.items() if setting in settings]
    accepted["POST", "/webhooks/stripe"] = ["stripeSignature"]

    assert asked == accepted


def test_it_says_who_may_call_what_the_code_lets_call():
    said = {
        f"{method} {path}": frozenset(one["x-roles"])
        if "x-roles" in one
        else one.get("security", DOCUMENT["security"])[0].keys()
        for method, path, one in operations()
    }
    allowed = {
        route: who if isinstance(who, frozenset) else {who.value} - {Caller.GUEST}
        for route, who in ROUTES.items()
    }

    assert said == allowed


def test_every_route_of_staff_lists_its_roles():
    listed = {
        path
        for _, path, one in operations()
        if {"staff": []} in one.get("security", DOCUMENT["security"])
    }
    assert listed == {path for _, path, one in operations() if one.get("x-roles")}
    assert listed == {path for _, path, _ in operations() if path.startswith("/v1/staff/")}


def test_every_reference_leads_somewhere():
    found = [node for node in walk(DOCUMENT) if isinstance(node.get("$ref"), str)]

    assert found
    for reference in found:
        assert resolve(reference) is not None


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_json_schema(name: str):
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(("schema", "example"), EXAMPLES)
def test_every_example_fits_its_schema(schema: dict[str, Any], example: object):
    validate(example, schema)


@pytest.mark.parametrize(("schema", "example"), EXAMPLES)
def test_no_example_fits_with_a_member_too_many(schema: dict[str, Any], example: dict[str, Any]):
    with pytest.raises(ValidationError):
        validate({**copy.deepcopy(example), "a_member_too_many": 1}, schema)


def objects(node: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema of an object, with the name it stands under."""
    if isinstance(node, Mapping):
        if node.get("type") == "object":
            yield name, node
        for key, child in node.items():
            yield from objects(child, key)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child, name)


def test_every_object_is_closed():
    left_open = {
        name
        for name, schema in objects(SCHEMAS, "")
        if schema.get("additionalProperties") is not False
    }

    # What a clause saw differs by the kind of clause, details by the kind of audit entry; findings
    # are members of the case document, lines go by their ids, fields are the bucket's.
    assert left_open == {"saw", "details", "findings", "lines", "fields"}


def test_every_member_of_an_answer_is_always_there():
    optional = {
        f"{name}.{member}"
        for name, schema in SCHEMAS.items()
        if schema.get("type") == "object" and not name.endswith("Request")
        for member in set(schema["properties"]) - set(schema["required"])
    }

    assert optional == set()


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (SCHEMAS["CancellationState"], CancellationState),
        (SCHEMAS["Timing"], Timing),
        (SCHEMAS["Refund"]["properties"]["status"], RefundStatus),
        (SCHEMAS["Subscription"]["properties"]["status"], SubscriptionStatus),
        (SCHEMAS["Account"]["properties"]["standing"], Standing),
        (SCHEMAS["Cause"]["properties"]["kind"], CauseKind),
        (SCHEMAS["Dispute"]["properties"]["kind"], DisputeKind),
        (SCHEMAS["Dispute"]["properties"]["phase"], DisputePhase),
        (SCHEMAS["Dispute"]["properties"]["outcome"], DisputeOutcome),
        (SCHEMAS["ArrearsStep"]["properties"]["rung"], Rung),
        (SCHEMAS["Finding"], Finding),
        (SCHEMAS["Quote"]["properties"]["outcome"], Outcome),
        (SCHEMAS["Quote"]["properties"]["settle_as"], SettleAs),
        (SCHEMAS["Quote"]["properties"]["trace"]["items"]["properties"]["ruled"], Ruled),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_its_words_are_those_of_the_core(schema: Mapping[str, Any], kind: type[StrEnum]):
    assert set(schema["enum"]) == set(kind)


def case_of(ground: str, **customer: object) -> dict[str, Any]:
    """An annual plan of USD 1,200.00 after ten weeks, under the pack that ships."""
    period = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}
    line = {"id": "il_1", "kind": "subscription", "amount": 120_000, "period": period}
    return {
        "policy": "voip",
        "now": "2026-03-10T12:00:00Z",
        "customer": customer,
        "invoices": [
            {
                "number": "A-1",
                "currency": "usd",
                "lines": [line],
                "payments": [{"id": "pi_1", "amount": 120_000}],
            }
        ],
        "request": {"ground": ground, "verified": None},
    }


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (case_of("unused_period"), "granted"),
        (case_of("unused_period", standing="suspended"), "denied"),
        (case_of("billing_error"), "needs_verification"),
        (case_of("vendor_fault"), "referred"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["request"]["ground"],
)
def test_a_decision_of_the_engine_fits_the_quote(case: dict[str, Any], outcome: str):
    parsed = parse_case(case)
    decision = decide_refund(load_policy_for(parsed), parsed)
    document = json.loads(json.dumps(quote_document(decision)))

    validate(document, SCHEMAS["Quote"])
    assert document["outcome"] == outcome


PLAIN_TAKERS = (
    *("/v1/receivables", "/v1/activity", "/v1/cancellations"),
    *("/v1/privacy-requests", "/v1/breach-reports"),
)
# What does nothing when it is asked again, or says what is there.
SAME_AGAIN = ("}/privacy-requests", "/steps", "/legal-holds", "/closure")


def test_what_changes_something_takes_an_idempotency_key():
    takers = [
        (method, path)
        for method, path, one in operations()
        if {"$ref": "#/components/parameters/IdempotencyKey"} in one.get("parameters", [])
    ]

    # Whatever changes something for a caller who may have to ask again.
    assert takers == [
        (method, path)
        for method, path, _ in operations()
        if method == "POST"
        and (path in PLAIN_TAKERS or path.startswith("/v1/staff/accounts/"))
        and not path.endswith(SAME_AGAIN)
    ]


def test_every_route_of_a_signed_in_caller_says_how_it_refuses():
    for _, path, one in operations():
        if path.startswith("/v1/") and one.get("security") != [{}]:
            assert {"401", "403", "503"} <= set(one["responses"])
            takes = {"requestBody", "parameters"} & set(one)
            assert ("400" in one["responses"]) == bool(takes)
