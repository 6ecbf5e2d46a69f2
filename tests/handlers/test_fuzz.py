"""The API fuzzed from its own document: no 5xx, answers as documented, no change on a refusal.

A slice runs with every test run; `make fuzz` runs the larger part.
"""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.core import NotSet

from shared.application.cases.open_case import OpenCase, open_case
from shared.application.identify_customer import link_identity
from shared.domain.facts import Ground
from shared.runtime.access import ROUTES, Caller
from tests.application.builders import CUSTOMER
from tests.handlers.api_under_test import call
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims
from tests.infrastructure.openapi import DOCUMENT, assert_answer_fits

CASES = int(os.environ.get("FUZZ_CASES", "10"))
API = schemathesis.openapi.from_dict(DOCUMENT)
OK = 300
SERVER_ERROR = 500
counted = {"cases": 0, "refused": 0}


@pytest.fixture
def ready(services: HandlerServices) -> tuple[HandlerServices, str]:
    """Ann is linked and has an open case."""
    link_identity(services, issuer=ISSUER, subject="user-1", customer=CUSTOMER, by="test")
    wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR)
    return services, open_case(services, customer=CUSTOMER, wanted=wanted, by="test").case.id


def token(route: str) -> dict[str, Any] | None:
    """A token that this route lets in, so that what is behind the door is fuzzed."""
    match ROUTES[route]:
        case Caller.CUSTOMER:
            return claims()
        case Caller.SERVICE:
            return claims(scope="service", sub="crm")
        case Caller.STRIPE | Caller.GUEST:
            return None
    return claims(sub="staff-1") | {"cognito:groups": "[agent approver admin auditor]"}


def changed(services: HandlerServices) -> dict[tuple[str, str], int]:
    """The version of every item; that somebody looked is on record whatever came of it."""
    items = services.store.table.items()
    return {key: item["version"] for key, item in items if not key[1].startswith("SEEN#")}


@API.parametrize()
@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_api(case: "Case[Any]", ready: tuple[HandlerServices, str]) -> None:
    services, known = ready
    route = f"{case.method} {case.path}"
    if route not in ROUTES:
        return  # another method: the gateway's own answer
    path = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    if counted["cases"] % 2 and "customer" in path:
        path["customer"] = CUSTOMER
    if counted["cases"] % 2 and "id" in path:
        path["id"] = known
    raw = case.body if isinstance(case.body, bytes) else None
    body = None if raw is not None or isinstance(case.body, NotSet) else case.body
    headers = {str(name).lower(): str(value) for name, value in (case.headers or {}).items()}
    query = {str(name): str(value) for name, value in (case.query or {}).items()}
    before = changed(services)
    status, answer, sent = call(
        route, jwt=token(route), path=path, body=body, raw=raw, headers=headers, query=query
    )
    counted["cases"] += 1
    assert status < SERVER_ERROR, answer
    assert_answer_fits(case.method, case.path, status, sent, answer)
    if status >= OK:
        counted["refused"] += 1
        assert changed(services) == before


def test_so_many_cases_were_tried() -> None:
    """Prints with `-s`; the slice is never empty."""
    print(f"\nfuzz: {counted['cases']} cases, {counted['refused']} refused, none broke the API")  # noqa: T201
    assert counted["cases"] >= len(ROUTES)
