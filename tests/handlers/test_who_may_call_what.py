"""Every route × every caller × own, another's and absent objects: no wrong allow, no tell-tale.

The routes and who may call them come from the API's document; a route without a row in
`shared/runtime/access.py`, or a row without a route, fails.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.application.cases.open_case import OpenCase, open_case
from shared.application.identify_customer import link_identity
from shared.domain.facts import Ground
from shared.domain.staff import StaffRole
from shared.runtime.access import ROUTES, Caller
from tests.application.builders import CUSTOMER, SUBSCRIPTION
from tests.handlers.api_under_test import HANDLERS, call, parameters
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims
from tests.infrastructure.openapi import operations

# Trusted by signature, or by nothing but a limit on how often.
OPEN = (Caller.STRIPE, Caller.GUEST)
EVE = "cus_eve"
ABSENT = "0" * 26
TEXT = "because"
# Bodies that are right in form, so that a route gets as far as to look at its object.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /v1/quotes": {"subscription": SUBSCRIPTION, "timing": "immediately"},
    "POST /v1/cancellations": {"quote_id": ABSENT},
    "POST /v1/refund-requests": {"invoice": "in_1", "ground": "billing_error"},
    "POST /v1/refund-requests/{id}/evidence": {
        "kind": "log",
        "content_type": "text/plain",
        "size": 9,
    },
    "POST /v1/refund-requests/{id}/replies": {"message": TEXT},
    "POST /v1/refund-requests/{id}/callback": {"at": "2026-03-10T12:00:00Z"},
    "POST /v1/staff/cases": {
        "customer": CUSTOMER,
        "invoice": "in_1",
        "ground": "service_disruption",
        "channel": "email",
        "statement": TEXT,
    },
    "POST /v1/staff/cases/{customer}/{id}/findings": {"reason": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/questions": {"message": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/callback": {"message": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/evidence": {
        "kind": "log",
        "content_type": "text/plain",
        "size": 9,
    },
    "POST /v1/staff/cases/{customer}/{id}/decision": {"decide": "refer", "reason": TEXT},
    "POST /v1/staff/cases/{customer}/{id}/transfers": {
        "refund": ABSENT,
        "amount": 1,
        "reference": TEXT,
        "reason": TEXT,
    },
}
GROUPS = {
    **{role.value: f"[{role.value}]" for role in StaffRole},
    "every role": "[agent approver admin auditor]",
    "two roles": "[auditor agent]",
    "role as a list": ["agent"],
    "no group": "[]",
    "group in capitals": "[Agent]",
    "group that begins so": "[agents]",
}
STAFF = {
    f"staff: {name}": claims(sub="staff-1") | {"cognito:groups": groups}
    for name, groups in GROUPS.items()
}
BROKEN: Mapping[str, Any] = {
    "no token": None,
    "no claims": {},
    **{f"no {claim}": claims(**{claim: ""}) for claim in ("sub", "iss", "scope")},
    "ID token": claims(token_use="id"),
    "refresh token": claims(token_use="refresh"),
    "ID token of an admin": claims(token_use="id") | {"cognito:groups": "[admin]"},
    "admin without a subject": claims(sub="") | {"cognito:groups": "[admin]"},
    "admin without a scope": claims(scope="") | {"cognito:groups": "[admin]"},
}
POWERLESS: Mapping[str, Any] = {
    "other scope": claims(scope="openid"),
    "scope that begins so": claims(scope="customers services"),
    "scope in capitals": claims(scope="CUSTOMER"),
    "another subject": claims(sub="nobody"),
    "another issuer": claims(iss="https://elsewhere.example"),
    "customer in a claim": claims(sub="nobody") | {"customer": CUSTOMER},
    "address in a claim": claims(sub="nobody") | {"email": "ann@example.com"},
}
SIGNED_IN: Mapping[str, Any] = {
    "the customer": claims(),
    "another customer": claims(sub="eve"),
    "a service": claims(sub="crm", scope="service"),
}
CALLERS: Mapping[str, Any] = {**BROKEN, **POWERLESS, **SIGNED_IN, **STAFF}


@pytest.fixture
def case(services: HandlerServices) -> str:
    """Ann is linked and has an open case; Eve is linked and has nothing."""
    for subject, customer in (("user-1", CUSTOMER), ("eve", EVE)):
        link_identity(services, issuer=ISSUER, subject=subject, customer=customer, by="test")
    wanted = OpenCase(invoice="in_1", ground=Ground.BILLING_ERROR)
    return open_case(services, customer=CUSTOMER, wanted=wanted, by="test").case.id


def ask(route: str, jwt: Any, **path: str) -> tuple[int, Any, Mapping[str, str]]:
    filled = {name: path.get(name, ABSENT) for name in parameters(route)}
    headers = {"idempotency-key": "k"}
    body = BODIES.get(route, {}) if route.startswith("POST") else None
    return call(route, jwt=jwt, path=filled, body=body, headers=headers)


def allowed(route: str, caller: str) -> bool:
    """Whether the table lets this caller pass the door."""
    who = ROUTES[route]
    if isinstance(who, frozenset):
        groups: Any = STAFF.get(caller, {}).get("cognito:groups", "")
        words = groups if isinstance(groups, list) else groups.strip("[]").split()
        return bool(who & {role for role in StaffRole if role.value in words})
    if who is Caller.CUSTOMER:
        return caller in ("the customer", "another customer")
    return who is Caller.SERVICE and caller == "a service"


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    documented = {f"{method} {path}" for method, path, _ in operations()}
    assert set(ROUTES) == set(HANDLERS) == documented


@pytest.mark.clause("moneyback.own_account")
@pytest.mark.parametrize("route", [r for r in ROUTES if ROUTES[r] not in OPEN])
def test_only_whom_the_table_names_gets_past_the_door(
    services: HandlerServices, case: str, route: str
) -> None:
    """Each cell: refused with 401 or 403 and nothing written, or let in and answered otherwise."""
    own, others = {"id": case, "customer": CUSTOMER}, {"id": ABSENT, "customer": EVE}
    places: tuple[dict[str, str], ...] = (own, others, {"customer": "cus_absent"})
    for caller, jwt in CALLERS.items():
        for place in places if set(parameters(route)) else places[:1]:
            commits = services.store.commits
            status, body, _ = ask(route, jwt, **place)
            if allowed(route, caller):
                assert status not in (401, 403), (caller, place, body)
                assert status < 500, (caller, place, body)
                continue
            assert status == (401 if caller in BROKEN else 403), (caller, place, body)
            assert services.store.commits == commits, (caller, place)


@pytest.mark.clause("moneyback.own_account")
@pytest.mark.parametrize(
    "route", [r for r in ROUTES if ROUTES[r] is Caller.CUSTOMER and "{id}" in r]
)
def test_anothers_object_and_an_absent_one_get_the_same_answer(
    services: HandlerServices, case: str, route: str
) -> None:
    eve = SIGNED_IN["another customer"]
    commits = services.store.commits
    others, absent = ask(route, eve, id=case), ask(route, eve, id=ABSENT)
    assert others == absent
    assert others[0] in (400, 404)
    assert services.store.commits == commits


def test_a_name_that_nothing_could_have_is_absent(services: HandlerServices, case: str) -> None:
    del services
    for name in ("x" * 5000, "ü", "a b", "\ud800", "#", "..", f"{case}x"):
        status, _, _ = ask("GET /v1/refund-requests/{id}", SIGNED_IN["the customer"], id=name)
        assert status == 404, name


def test_the_matrix_is_as_large_as_it_should_be() -> None:
    cells = sum(
        len(CALLERS) * (3 if set(parameters(route)) else 1)
        for route, who in ROUTES.items()
        if who not in OPEN
    )
    assert cells >= 1500
