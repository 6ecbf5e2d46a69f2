"""Who may call the API: only a customer's access token that is good, and linked."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.local.logins import PASSWORD
from infrastructure.local.stack import Stack
from tests.scenarios.customers import Customer, ask

pytestmark = pytest.mark.stack

ABSENT = "0" * 26
CUSTOMERS_ROUTES = [
    ("GET", "/v1/account"),
    ("GET", "/v1/subscriptions"),
    ("POST", "/v1/quotes"),
    ("POST", "/v1/cancellations"),
    ("GET", f"/v1/cancellations/{ABSENT}"),
    ("DELETE", f"/v1/cancellations/{ABSENT}"),
]
SERVICES_ROUTES = [("GET", "/v1/access/cus_any"), ("POST", "/v1/identities")]
EVERY_ROUTE = [*CUSTOMERS_ROUTES, *SERVICES_ROUTES]


@pytest.fixture(scope="module")
def newcomer_without_link(stack: Stack) -> str:
    """A good sign-in that belongs to no customer: its access token."""
    email = f"unlinked-{uuid.uuid4().hex}@example.com"
    stack.logins.create(email)
    return stack.sign_in(email).access


def sign_in_at(stack: Stack, pool: str, client: str, email: str) -> str:
    """An access token of any client of any pool."""
    cognito = stack.aws("cognito-idp")
    user = {"UserPoolId": pool, "Username": email}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    answer = cognito.initiate_auth(
        AuthFlow="USER_PASSWORD_AUTH",
        ClientId=client,
        AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def new_client(stack: Stack, pool: str) -> str:
    """Another client application of a pool."""
    made = stack.aws("cognito-idp").create_user_pool_client(
        UserPoolId=pool, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    return str(made["UserPoolClient"]["ClientId"])


def foreign(stack: Stack) -> str:
    """A token of somebody else's user pool."""
    pool = stack.aws("cognito-idp").create_user_pool(PoolName="foreign")["UserPool"]["Id"]
    return sign_in_at(stack, pool, new_client(stack, pool), "foreign@example.com")


def of_another_audience(stack: Stack) -> str:
    """A token of our own pool for an application that the API does not serve."""
    pool = stack.outputs["UserPoolId"]
    return sign_in_at(stack, pool, new_client(stack, pool), f"{uuid.uuid4().hex}@example.com")


def expired(stack: Stack) -> str:
    """A token that lived for a second."""
    email = f"expired-{uuid.uuid4().hex}@example.com"
    stack.logins.create(email)
    with lifetime_of_a_second(stack):
        token = stack.sign_in(email).access
    while claims(token)["exp"] >= time.time():
        ask(stack, 401, "GET", "/v1/account")  # real time passes by itself
    return token


class lifetime_of_a_second:  # noqa: N801 -- used like a function
    """For a while, the customers' tokens live for one second."""

    def __init__(self, stack: Stack) -> None:
        self._cognito = stack.aws("cognito-idp")
        self._client = {
            "UserPoolId": stack.outputs["UserPoolId"],
            "ClientId": stack.outputs["CustomerClientId"],
        }

    def __enter__(self) -> None:
        described = self._cognito.describe_user_pool_client(**self._client)["UserPoolClient"]
        self._before = {
            name: described[name]
            for name in ("AccessTokenValidity", "TokenValidityUnits", "ExplicitAuthFlows")
            if described.get(name) is not None
        }
        self._update(AccessTokenValidity=1, TokenValidityUnits={"AccessToken": "seconds"})

    def __exit__(self, *_: object) -> None:
        self._update()

    def _update(self, **changes: Any) -> None:
        self._cognito.update_user_pool_client(**self._client, **{**self._before, **changes})


def claims(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def tampered(stack: Stack) -> str:
    """A good token whose claims were changed afterwards."""
    email = f"tampered-{uuid.uuid4().hex}@example.com"
    stack.logins.create(email)
    token = stack.sign_in(email).access
    head, _, signature = token.split(".")
    other = json.dumps({**claims(token), "sub": "somebody"}).encode()
    return ".".join([head, base64.urlsafe_b64encode(other).decode().rstrip("="), signature])


def of_no_signature(stack: Stack) -> str:
    """A token that says that it needs no signature."""
    email = f"none-{uuid.uuid4().hex}@example.com"
    stack.logins.create(email)
    _, body, _ = stack.sign_in(email).access.split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{body}."


def identity(stack: Stack) -> str:
    """An ID token of a customer who is linked."""
    email = f"identity-{uuid.uuid4().hex}@example.com"
    stack.add_customer_login(email, f"cus_{uuid.uuid4().hex}")
    return stack.sign_in(email).id


BAD_TOKENS: dict[str, Callable[[Stack], str | None]] = {
    "none": lambda _: None,
    "nonsense": lambda _: "nonsense",
    "tampered": tampered,
    "unsigned": of_no_signature,
    "foreign": foreign,
    "wrong audience": of_another_audience,
    "expired": expired,
    "ID token": identity,
}


@pytest.fixture(scope="module", params=BAD_TOKENS)
def bad_token(stack: Stack, request: pytest.FixtureRequest) -> str | None:
    return BAD_TOKENS[request.param](stack)


def test_no_route_takes_a_bad_token(stack: Stack, bad_token: str | None):
    for method, path in EVERY_ROUTE:
        body: Any = {} if method == "POST" else None
        ask(stack, 401, method, path, bad_token, body=body)


def test_a_login_without_a_link_is_told_what_to_do(stack: Stack, newcomer_without_link: str):
    quote = {"subscription": "sub_any", "timing": "immediately"}
    bodies = {"/v1/quotes": quote, "/v1/cancellations": {"quote_id": ABSENT}}
    for method, path in CUSTOMERS_ROUTES:
        headers = {"Idempotency-Key": "any"}
        sent = {"body": bodies.get(path), "headers": headers}
        problem = ask(stack, 403, method, path, newcomer_without_link, **sent).json()
        assert problem["type"] == "/problems/not-linked"
        assert "support" in problem["detail"].lower() or "link" in problem["detail"].lower()


def test_a_customer_may_not_ask_what_only_services_may(stack: Stack, newcomer_without_link: str):
    for method, path in SERVICES_ROUTES:
        body: Any = {} if method == "POST" else None
        problem = ask(stack, 403, method, path, newcomer_without_link, body=body).json()
        assert problem["type"] == "/problems/wrong-scope"


def test_a_service_may_not_act_as_a_customer(stack: Stack):
    for method, path in CUSTOMERS_ROUTES:
        body: Any = {} if method == "POST" else None
        problem = ask(stack, 403, method, path, stack.service_token(), body=body).json()
        assert problem["type"] == "/problems/wrong-scope"


def test_a_login_is_linked_once(stack: Stack, newcomer: Callable[..., Customer]):
    mine, other = newcomer(), newcomer()
    link = {
        "issuer": stack.outputs["Issuer"],
        "subject": claims(mine.token)["sub"],
        "customer": mine.id,
    }
    service = stack.service_token()
    ask(stack, 200, "POST", "/v1/identities", service, body=link)
    ask(stack, 409, "POST", "/v1/identities", service, body=link | {"customer": other.id})
    assert mine.account()["customer"] == mine.id


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/quotes", {}),
        ("/v1/quotes", {"subscription": "sub_1", "timing": "yesterday"}),
        ("/v1/quotes", {"subscription": "sub_1", "timing": "immediately", "amount": 1}),
        ("/v1/quotes", {"subscription": 1, "timing": "immediately"}),
        ("/v1/quotes", []),
        ("/v1/cancellations", {}),
        ("/v1/cancellations", {"quote_id": ABSENT, "refund": 100}),
        ("/v1/cancellations", {"quote_id": ABSENT, "feedback": 7}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_place(
    linked: str, stack: Stack, path: str, body: Any
):
    headers = {"Idempotency-Key": "any"}
    problem = ask(stack, 400, "POST", path, linked, body=body, headers=headers).json()
    assert problem["errors"]
    assert all(error["path"] and error["message"] for error in problem["errors"])


@pytest.fixture(scope="module")
def linked(stack: Stack) -> str:
    """The access token of a customer without subscriptions."""
    email = f"linked-{uuid.uuid4().hex}@example.com"
    stack.add_customer_login(email, f"cus_{uuid.uuid4().hex}")
    return stack.sign_in(email).access


def test_a_confirmation_needs_an_idempotency_key(linked: str, stack: Stack):
    body = {"quote_id": ABSENT}
    for headers in ({}, {"Idempotency-Key": "x" * 256}):
        problem = ask(stack, 400, "POST", "/v1/cancellations", linked, body=body, headers=headers)
        assert problem.json()["errors"][0]["path"] == "Idempotency-Key"
