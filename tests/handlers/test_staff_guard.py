"""The guard of staff's routes: a groups claim becomes roles, and the route's row decides."""

import json
from typing import Any, cast

import pytest

from shared.domain.staff import StaffRole
from shared.runtime import access
from shared.runtime.bootstrap import AwsServices
from shared.runtime.http import Request, Response, api
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims, http_event

ROUTE = "GET /v1/staff/somewhere"
ALLOWED = frozenset({StaffRole.AGENT, StaffRole.APPROVER})


@pytest.fixture(autouse=True)
def row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "ROUTES", {ROUTE: ALLOWED})


def ask(services: HandlerServices, jwt: Any, route: str = ROUTE) -> tuple[int, dict[str, Any]]:
    def show(request: Request) -> Response:
        person = request.staff(cast("AwsServices", services))
        return Response(200, {"actor": person.actor, "roles": sorted(person.roles)})

    answer = api({route: show})(http_event(route, jwt=jwt), None)
    return answer["statusCode"], json.loads(answer["body"])


def in_groups(groups: Any) -> dict[str, Any]:
    return claims(sub="staff-1") | {"cognito:groups": groups}


@pytest.mark.parametrize(
    "groups",
    ["[agent]", "[other agent]", "agent", "agent,other", ["agent"], "[auditor agent]"],
    ids=str,
)
def test_a_role_that_the_route_lists_may_call(services: HandlerServices, groups: Any) -> None:
    status, body = ask(services, in_groups(groups))
    assert (status, body["actor"]) == (200, f"staff:{ISSUER}#staff-1")
    assert "agent" in body["roles"]


@pytest.mark.parametrize(
    "groups",
    [None, "", "[]", "[auditor]", "[admin]", "[agents]", "[Agent]", "agent|approver", {}, 7],
    ids=str,
)
def test_no_other_group_may(services: HandlerServices, groups: Any) -> None:
    status, body = ask(services, in_groups(groups))
    assert (status, body["type"]) == (403, "/problems/wrong-role")
    assert "agent or approver" in body["detail"]


@pytest.mark.parametrize(
    "change", [{"token_use": "id"}, {"scope": ""}, {"sub": ""}, {"iss": ""}], ids=str
)
def test_a_role_needs_an_access_token_of_somebody(
    services: HandlerServices, change: dict[str, str]
) -> None:
    status, body = ask(services, in_groups("[agent]") | change)
    assert (status, body["type"]) == (401, "/problems/unauthorized")


def test_a_route_without_a_row_answers_no_role(services: HandlerServices) -> None:
    everybody = in_groups("[agent approver admin auditor]")
    status, body = ask(services, everybody, "GET /v1/staff/elsewhere")
    assert (status, body["type"]) == (403, "/problems/wrong-role")
