"""The edge of the API: tokens, bodies, problems."""

import json
from typing import Any

import pytest

from functions.cancel_subscription import handler as cancel
from functions.check_access import handler as check_access
from functions.link_identity import handler as link_identity
from functions.quote_cancellation import handler as quote
from functions.show_account import handler as show_account
from functions.withdraw_cancellation import handler as withdraw
from shared.domain.errors import OutcomeUnknownError, UnavailableError
from tests.application.builders import CUSTOMER, SUBSCRIPTION
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import ISSUER, claims, http_event


def call(handler: Any, route: str, **event: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    answer = handler.lambda_handler(http_event(route, **event), None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def linked(services: HandlerServices, customer: str = CUSTOMER) -> dict[str, str]:
    body = {"issuer": ISSUER, "subject": "user-1", "customer": customer}
    token = claims(scope="service", sub="crm")
    status, _, _ = call(link_identity, "POST /v1/identities", body=body, jwt=token)
    assert status == 201
    assert services.store.table
    return claims()


def quoted(jwt: dict[str, str], timing: str = "immediately") -> dict[str, Any]:
    body = {"subscription": SUBSCRIPTION, "timing": timing}
    status, shown, _ = call(quote, "POST /v1/quotes", body=body, jwt=jwt)
    assert status == 201
    return shown


def confirmed(jwt: dict[str, str], quote_id: str, key: str = "k") -> Any:
    return call(
        cancel,
        "POST /v1/cancellations",
        body={"quote_id": quote_id},
        jwt=jwt,
        headers={"idempotency-key": key},
    )


def test_a_linked_customer_sees_the_account(services: HandlerServices) -> None:
    status, body, headers = call(show_account, "GET /v1/account", jwt=linked(services))
    assert (status, body["customer"], body["standing"]) == (200, CUSTOMER, "good")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("token", "status", "slug"),
    [
        (claims(token_use="id"), 401, "unauthorized"),
        (claims(scope=""), 401, "unauthorized"),
        (claims(sub=""), 401, "unauthorized"),
        ({}, 401, "unauthorized"),
        (None, 401, "unauthorized"),
        (claims(scope="openid"), 403, "wrong-scope"),
        (claims(scope="customers"), 403, "wrong-scope"),
        (claims(), 403, "not-linked"),
    ],
    ids=["ID token", "no scope", "no subject", "no claims", "none", "other", "longer", "unlinked"],
)
@pytest.mark.usefixtures("services")
def test_a_token_that_does_not_do_is_refused(token: Any, status: int, slug: str) -> None:
    answer, body, headers = call(show_account, "GET /v1/account", jwt=token)
    assert (answer, body["type"]) == (status, f"/problems/{slug}")
    assert headers["content-type"] == "application/problem+json"


def test_a_customers_token_reads_no_access_of_others(services: HandlerServices) -> None:
    status, body, _ = call(
        check_access,
        "GET /v1/access/{customer}",
        jwt=linked(services),
        path={"customer": CUSTOMER},
    )
    assert (status, body["type"]) == (403, "/problems/wrong-scope")


@pytest.mark.usefixtures("services")
def test_a_service_reads_access() -> None:
    token = claims(scope="service")
    status, body, _ = call(
        check_access, "GET /v1/access/{customer}", jwt=token, path={"customer": CUSTOMER}
    )
    assert (status, body["entitled"]) == (200, True)
    for nobody in ("cus_none", "operations", "unassigned"):
        path = {"customer": nobody}
        assert call(check_access, "GET /v1/access/{customer}", jwt=token, path=path)[0] == 404


def test_linking_twice_is_fine_and_linking_elsewhere_is_not(services: HandlerServices) -> None:
    linked(services)
    token = claims(scope="service")
    again = {"issuer": ISSUER, "subject": "user-1", "customer": CUSTOMER}
    assert call(link_identity, "POST /v1/identities", body=again, jwt=token)[0] == 200
    other = again | {"customer": "cus_eve"}
    assert call(link_identity, "POST /v1/identities", body=other, jwt=token)[0] == 409


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"", "$"),
        (b"nonsense", "$"),
        (b"[]", "$"),
        (b"{}", "$"),
        (b'{"subscription": 1, "timing": "immediately"}', "$.subscription"),
        (b'{"subscription": "sub_1", "timing": "tomorrow"}', "$.timing"),
        (b'{"subscription": "sub_1", "timing": "immediately", "amount": 1}', "$"),
        (b"\xff", "$"),
    ],
)
def test_a_bad_body_says_where(services: HandlerServices, raw: bytes, path: str) -> None:
    status, body, _ = call(quote, "POST /v1/quotes", raw=raw, jwt=linked(services), encoded=True)
    assert (status, body["errors"][0]["path"]) == (400, path)


def test_cancelling_needs_an_idempotency_key(services: HandlerServices) -> None:
    jwt = linked(services)
    status, body, _ = call(
        cancel, "POST /v1/cancellations", body={"quote_id": quoted(jwt)["id"]}, jwt=jwt
    )
    assert (status, body["errors"][0]["path"]) == (400, "Idempotency-Key")


def test_the_same_key_is_answered_the_same_and_says_so(services: HandlerServices) -> None:
    jwt = linked(services)
    quote_id = quoted(jwt)["id"]
    status, first, _ = confirmed(jwt, quote_id)
    again_status, again, headers = confirmed(jwt, quote_id)
    assert (status, again_status, again) == (202, 202, first)
    assert headers["idempotency-replayed"] == "true"


def test_the_same_key_with_another_body_conflicts(services: HandlerServices) -> None:
    jwt = linked(services)
    confirmed(jwt, quoted(jwt)["id"])
    status, body, _ = confirmed(jwt, "another")
    assert (status, body["type"]) == (409, "/problems/idempotency-mismatch")


def test_a_cancellation_is_read_and_taken_back(services: HandlerServices) -> None:
    jwt = linked(services)
    _, made, _ = confirmed(jwt, quoted(jwt, "at_period_end")["id"])
    path = {"id": made["id"]}
    assert call(cancel, "GET /v1/cancellations/{id}", jwt=jwt, path=path)[1] == made
    status, taken_back, _ = call(withdraw, "DELETE /v1/cancellations/{id}", jwt=jwt, path=path)
    assert (status, taken_back["state"]) == (200, "withdrawn")


def test_anothers_subscription_and_an_absent_one_look_alike(services: HandlerServices) -> None:
    jwt = linked(services, customer="cus_eve")
    answers = [
        call(quote, "POST /v1/quotes", body={"subscription": s, "timing": "immediately"}, jwt=jwt)
        for s in (SUBSCRIPTION, "sub_absent")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("fault", [UnavailableError("429"), OutcomeUnknownError("cut")])
def test_a_passing_failure_asks_to_try_again(services: HandlerServices, fault: Exception) -> None:
    jwt = linked(services)
    services.billing.fail_before["subscription"] = [fault]
    status, body, headers = call(
        quote,
        "POST /v1/quotes",
        body={"subscription": SUBSCRIPTION, "timing": "immediately"},
        jwt=jwt,
    )
    assert (status, body["type"]) == (503, "/problems/unavailable")
    assert headers["retry-after"]


def test_a_bug_is_answered_without_its_details(services: HandlerServices) -> None:
    jwt = linked(services)
    services.billing.fail_before["subscription"] = [ZeroDivisionError("secret detail")]
    status, body, _ = call(
        quote,
        "POST /v1/quotes",
        body={"subscription": SUBSCRIPTION, "timing": "immediately"},
        jwt=jwt,
    )
    assert (status, body["type"]) == (500, "/problems/internal")
    assert "secret" not in json.dumps(body)
