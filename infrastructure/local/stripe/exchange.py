"""Requests and responses, and the answers that faults give instead of the API."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.faults import Fault, Faults
from infrastructure.local.stripe.idempotency import in_use
from infrastructure.local.stripe.limits import too_many

PAGE_502 = b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"


@dataclass(slots=True)
class Request:
    """One API request as it came."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]  # names in lower case

    @property
    def key(self) -> str | None:
        """The idempotency key; only POST has one (documentation)."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass(slots=True)
class Response:
    """What to send; `cut` closes the connection instead, after `sent` bytes of the body if any."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    cut: bool = False
    sent: int = 0


def answer_json(status: int, document: Any, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer, indented as Stripe's are (recorded)."""
    return Response(status, json.dumps(document, indent=2).encode(), dict(headers or {}))


def answer_refusal(refusal: Refusal, identifier: str) -> Response:
    """Stripe's error body."""
    return answer_json(refusal.status, refusal.body(identifier), refusal.headers)


def server_error() -> Refusal:
    """A 500 of Stripe's own (text as reported by users)."""
    return Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "An unknown error occurred.",
        kind="api_error",
        executed=False,
    )


def before(faults: Faults, request: Request, identifier: str) -> tuple[str, Response] | None:
    """The fault that strikes instead of the request, and its answer."""
    at = (request.method, request.path)
    if faults.strike("cut_before_commit", *at):
        return "cut_before_commit", Response(0, b"", cut=True)
    if faults.strike("bad_gateway", *at):
        return "bad_gateway", Response(HTTPStatus.BAD_GATEWAY, PAGE_502, {}, "text/html")
    for kind, refusal, headers in (
        ("conflict", in_use(request.key or ""), {}),
        ("rate_limited", too_many("endpoint-rate"), {}),
        ("rate_limited_retry", too_many("endpoint-rate"), {"Stripe-Should-Retry": "true"}),
        ("error_before_commit", server_error(), {}),
    ):
        if faults.strike(kind, *at):
            refusal.headers |= headers
            return kind, answer_refusal(refusal, identifier)
    return None


def after(faults: Faults, request: Request, response: Response) -> str | None:
    """The fault that strikes the answer on its way."""
    at = (request.method, request.path)
    if faults.strike("commit_then_cut", *at):
        response.cut = True
        return "commit_then_cut"
    if faults.strike("partial_body", *at):
        response.cut, response.sent = True, len(response.body) // 2
        return "partial_body"
    return None


def held_back(faults: Faults, request: Request) -> Fault | None:
    """The fault that makes this request slow."""
    return faults.strike("latency", request.method, request.path)
