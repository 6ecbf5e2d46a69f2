"""The edge of the API: requests in, RFC 9457 problems and JSON out, the same for every function."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from shared.application.client_keys import Answer, ClientCall
from shared.application.identify_customer import identify_customer
from shared.application.privacy.log_access import log_access
from shared.domain.errors import (
    ConflictError,
    ConflictingWriteError,
    ErasedError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UntrustedError,
)
from shared.domain.privacy import FRESH_SIGN_IN
from shared.domain.staff import StaffMember, StaffRole
from shared.runtime.access import roles_of
from shared.runtime.bootstrap import AwsServices
from shared.runtime.observability import count, count_broken, logger
from shared.runtime.settings import CustomerApi, ServiceApi, StaffApi

B = TypeVar("B")

_STATUS: dict[type[RejectedError], int] = {
    InvalidRequestError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooManyRequestsError: 429,
    ErasedError: 410,
}
_PASSING = (UnavailableError, OutcomeUnknownError, ConflictingWriteError)
_MAX_KEY = 255
# Ids of ours and of Stripe's; a longer one would not even fit into a key of the table.
_NAME = re.compile(r"[\x21-\x7e]{1,255}")
_CUSTOMER = re.compile(r"cus_[A-Za-z0-9_]{1,251}")
_QUOTED = re.compile(r"value '.*'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a JSON body, further headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def fault_in(error: msgspec.MsgspecError) -> dict[str, str]:
    """Where something that was sent is not what is taken (`path`), and why (`message`)."""
    message, _, path = str(error).partition(" - at `")
    # What was sent may be personal, and answers are kept: say what is wrong, not what was.
    return {"path": path.rstrip("`") or "$", "message": _QUOTED.sub("value", message)}


class Request:
    """An HTTP API event (payload 2.0), read on demand."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event
        self.route = str(event.get("routeKey", ""))
        self.headers: Mapping[str, str] = event.get("headers") or {}

    def body(self) -> bytes:
        """The raw body, exactly as sent."""
        text = self._event.get("body") or ""
        if not self._event.get("isBase64Encoded"):
            return str(text).encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(text, validate=True)
        except ValueError as error:
            raise UntrustedError("the body is not what its encoding says") from error

    def json(self, shape: type[B]) -> B:
        """The body as `shape`.

        Raises:
            InvalidRequestError: with the path of the fault.
        """
        try:
            return msgspec.json.decode(self.body(), type=shape)
        except msgspec.MsgspecError as error:
            faults = {"errors": [fault_in(error)]}
            raise InvalidRequestError(
                "invalid-request", "The body is not what this route takes.", faults
            ) from error

    def path(self, name: str) -> str:
        """A path parameter.

        Raises:
            NotFoundError: nothing of ours is named like that.
        """
        value = str((self._event.get("pathParameters") or {})[name])
        shape = _CUSTOMER if name == "customer" else _NAME
        if not shape.fullmatch(value):
            raise NotFoundError(name)
        return value

    def query(self, name: str) -> str | None:
        """A parameter of the query, None where it is not there."""
        return (self._event.get("queryStringParameters") or {}).get(name)

    def access_claims(self) -> Mapping[str, Any]:
        """The claims of an access token.

        The gateway has checked signature, issuer, audience and expiry; what it does not check is
        that the token is an access token.

        Raises:
            UnauthenticatedError: an ID token, or none.
        """
        context = self._event.get("requestContext") or {}
        claims = ((context.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
        if claims.get("token_use", "access") != "access" or not claims.get("scope"):
            raise UnauthenticatedError("unauthorized", "An access token is needed.")
        if not claims.get("sub") or not claims.get("iss"):
            raise UnauthenticatedError("unauthorized", "The token names no subject.")
        return claims

    def claims(self, scope: str) -> Mapping[str, Any]:
        """The claims of an access token that carries `scope`.

        Raises:
            UnauthenticatedError: an ID token, or none.
            ForbiddenError: an access token without the scope.
        """
        claims = self.access_claims()
        if scope not in str(claims["scope"]).split():
            raise ForbiddenError("wrong-scope", f"The access token needs the scope {scope}.")
        return claims

    def customer(self, services: AwsServices) -> str:
        """The customer whose sign-in this is."""
        claims = self.claims(services.settings.get(CustomerApi).customer_scope)
        return identify_customer(services, issuer=claims["iss"], subject=claims["sub"])

    def service(self, services: AwsServices) -> str:
        """The company's own service that calls."""
        return str(self.claims(services.settings.get(ServiceApi).service_scope)["sub"])

    def staff(self, services: AwsServices) -> StaffMember:
        """The member of staff who calls, with a role that this route allows.

        Where the route is a customer's, the access log has it before anything is shown.

        Raises:
            UnauthenticatedError: no access token.
            ForbiddenError: somebody without a fitting role.
        """
        claims = self.access_claims()
        groups = _words(claims.get(services.settings.get(StaffApi).groups_claim))
        roles = frozenset(role for role in StaffRole if role.value in groups)
        allowed = roles_of(self.route)
        if not roles & allowed:
            listed = " or ".join(sorted(allowed))
            raise ForbiddenError("wrong-role", f"This needs the role {listed}.")
        person = StaffMember(str(claims["iss"]), str(claims["sub"]), roles)
        customer = (self._event.get("pathParameters") or {}).get("customer")
        if customer:
            log_access(services, customer, actor=person.actor, what=self.route)
        return person

    def is_fresh(self, now: datetime) -> bool:
        """Whether the caller has signed in just now; no where the issuer does not say when."""
        at = str(self.access_claims().get("auth_time", ""))
        if not at.isdecimal():
            return False
        age = now - datetime.fromtimestamp(int(at), UTC)
        # A minute for clocks that differ.
        return -timedelta(minutes=1) <= age <= FRESH_SIGN_IN

    def client_call(self, route: str) -> ClientCall:
        """The caller's Idempotency-Key on `route`.

        Raises:
            InvalidRequestError: there is none, or it is too long.
        """
        key = self.headers.get("idempotency-key", "")
        if not 0 < len(key) <= _MAX_KEY:
            fault = {"path": "Idempotency-Key", "message": "a header of 1 to 255 characters"}
            raise InvalidRequestError(
                "invalid-request", "This route needs an Idempotency-Key.", {"errors": [fault]}
            )
        # What the path names is part of what is asked: a key is not another object's answer.
        named = sorted((self._event.get("pathParameters") or {}).items())
        asked = (json.dumps(named).encode() if named else b"") + self.body()
        return ClientCall(route, key, hashlib.sha256(asked).hexdigest())


def _words(claim: object) -> set[str]:
    """The members of a claim that is a list.

    An HTTP API hands a list on as text, `[agent approver]`; some issuers write one with commas.
    """
    if isinstance(claim, list):
        return {str(member) for member in claim}
    text = str(claim or "").removeprefix("[").removesuffix("]")
    return set(text.replace(",", " ").split())


Route = Callable[[Request], Response]


def api(routes: Mapping[str, Route]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler that serves `routes` (``"GET /v1/account"``) of an HTTP API."""

    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        route = event["routeKey"]
        try:
            response = routes[route](Request(event))
        except RejectedError as error:
            response = problem(_STATUS[type(error)], error.slug, error.detail, error.members)
        except UntrustedError as error:
            response = problem(400, "untrusted", str(error))
        except _PASSING:
            logger().warning("a passing failure", route=route, exc_info=True)
            response = problem(503, "unavailable", "Try again with the same request.", retry=2)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            logger().exception("an unhandled failure", route=route)
            count_broken(error)
            response = problem(500, "internal", "Something is broken here; it has been noted.")
        count("Answers", route=route, status=str(response.status))
        return _written(response)

    return handle


def problem(
    status: int,
    slug: str,
    detail: str,
    members: Mapping[str, Any] | None = None,
    *,
    retry: int | None = None,
) -> Response:
    """A problem document (RFC 9457)."""
    body = {
        "type": f"/problems/{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    headers = {"content-type": "application/problem+json"}
    if retry is not None:
        headers["retry-after"] = str(retry)
    return Response(status, body | dict(members or {}), headers)


def answered(answer: Answer) -> Response:
    """What a use case has answered to a key, and whether that is the first answer given again."""
    headers = {"idempotency-replayed": "true"} if answer.replayed else {}
    return Response(answer.status, answer.body, headers)


def _written(response: Response) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return {
        "statusCode": response.status,
        "headers": headers | dict(response.headers),
        "body": json.dumps(response.body),
    }
