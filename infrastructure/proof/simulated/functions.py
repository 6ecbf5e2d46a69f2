"""The product's functions as they are deployed: their handlers, each run by one simulated worker.

What a handler takes from its environment, its composition root and its log, is that of the worker
which runs it, for as long as the world goes on.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from greenlet import getcurrent

from infrastructure.proof.simulated.faults import Fault
from infrastructure.proof.simulated.hub import SECOND
from shared.domain.effects import Lane
from shared.domain.errors import UnavailableError
from shared.runtime import bootstrap, http, sqs
from shared.runtime import settings as parts

if TYPE_CHECKING:
    from infrastructure.proof.simulated.worker import Ports

ISSUER = "https://issuer.example"
SCOPE, SERVICE_SCOPE, GROUPS = "customer", "service", "groups"
SETTINGS = parts.Settings(
    {
        parts.CustomerApi: parts.CustomerApi(SCOPE),
        parts.ServiceApi: parts.ServiceApi(SERVICE_SCOPE),
        parts.StaffApi: parts.StaffApi(GROUPS),
    }
)


class Consumer(NamedTuple):
    """Who takes a queue's messages: how many at once, by how many workers, how often each."""

    function: str
    batch: int
    workers: int
    most: int


# As the template has them; its rules are held against these.
EVENTS = Consumer("process_stripe_event", 10, 10, 8)
LANES = {
    Lane.MONEY: Consumer("perform_money_effect", 5, 10, 5),
    Lane.CANCELLATION: Consumer("perform_cancellation_effect", 5, 20, 5),
    Lane.NOTIFICATION: Consumer("perform_notification", 5, 10, 5),
    Lane.EVIDENCE: Consumer("perform_evidence_effect", 1, 2, 5),
}
ROUTES = {
    "POST /v1/quotes": "quote_cancellation",
    "POST /v1/cancellations": "cancel_subscription",
    "GET /v1/cancellations/{id}": "cancel_subscription",
    "DELETE /v1/cancellations/{id}": "withdraw_cancellation",
    "GET /v1/subscriptions": "show_account",
    "GET /v1/access/{customer}": "check_access",
    "POST /v1/refund-requests": "refund_requests",
    "GET /v1/refund-requests": "refund_requests",
    "GET /v1/refund-requests/{id}": "refund_requests",
    "DELETE /v1/refund-requests/{id}": "refund_requests",
    "POST /v1/refund-requests/{id}/replies": "refund_requests",
    "GET /v1/staff/cases": "review_cases",
    "POST /v1/staff/cases": "review_cases",
    "GET /v1/staff/cases/{customer}/{id}": "review_cases",
    "POST /v1/staff/cases/{customer}/{id}/findings": "review_cases",
    "POST /v1/staff/cases/{customer}/{id}/questions": "review_cases",
    "POST /v1/staff/cases/{customer}/{id}/decision": "decide_cases",
}
SWEEPER, COMPARER = "do_due_work", "reconcile_with_stripe"
RECEIVER = "receive_stripe_webhook"
SECRET = "whsec_proof"  # noqa: S105 - nobody's

_NAMES = {
    *(consumer.function for consumer in (EVENTS, *LANES.values())),
    *ROUTES.values(),
    SWEEPER,
    COMPARER,
    RECEIVER,
}
_HANDLERS = {name: importlib.import_module(f"functions.{name}.handler") for name in _NAMES}


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells of an invocation, as far as a handler asks."""

    ports: Ports

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is ended."""
        return self.ports.worker.time_left()


def invoke(ports: Ports, function: str, event: dict[str, Any]) -> Any:
    """Run a handler as the worker that `ports` belong to, here and now."""
    _own()["ports"] = ports
    return _HANDLERS[function].lambda_handler(event, Context(ports))


def request(
    ports: Ports,
    route: str,
    *,
    subject: str,
    body: object = None,
    key: str = "",
    path: Mapping[str, str] | None = None,
    groups: Sequence[str] = (),
) -> tuple[int, dict[str, Any]]:
    """Call a route as somebody who has signed in: the status and the body of the answer.

    Whoever is of the staff is so by the groups in the claims.
    """
    scope = SERVICE_SCOPE if route.startswith("GET /v1/access") else SCOPE
    claims = {"iss": ISSUER, "sub": subject, "token_use": "access", "scope": scope}
    claims[GROUPS] = " ".join(groups)
    event = {
        "routeKey": route,
        "headers": {"idempotency-key": key},
        "pathParameters": path or {},
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}},
        "body": json.dumps(body) if body is not None else "",
    }
    answer = invoke(ports, ROUTES[route], event)
    return answer["statusCode"], json.loads(answer["body"])


def _own() -> dict[str, Any]:
    """What belongs to the worker that is running now."""
    mine: dict[str, Any] = vars(getcurrent())
    return mine


def _running() -> Ports:
    ports: Ports = _own()["ports"]
    return ports


class _Log:
    """What functions say; of what failed the watch hears."""

    def exception(self, *_said: object, **_fields: object) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            _running().worker.world.watch.failed(error)

    warning = exception

    def error(self, *_said: object, **_fields: object) -> None:
        """Nothing that failed."""

    info = error


class ReceivedMessages:
    """What a consumer does with the messages that it holds (`bootstrap.received_messages`)."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def bring_back(self, record: Mapping[str, Any], seconds: int) -> None:
        """Let a message be received again in so many seconds."""
        worker = self._ports.worker
        fault = worker.enter("queue", "bring_back")
        if fault is Fault.QUEUE_FAILS:
            raise UnavailableError("queue: throttled")
        self._ports.held[record["messageId"]].come_back(worker.world.hub.now + seconds * SECOND)
        worker.leave(fault)


_STAND_INS = {
    "services_for": lambda *_wanted: _running(),
    "received_messages": lambda: ReceivedMessages(_running()),
    "logger": _Log,
    "count": lambda *_name, **_apart: None,
    "measure": lambda *_name, **_apart: None,
}


@contextmanager
def deployed() -> Iterator[None]:
    """As long as it lasts, handlers find the ports of the worker that runs them."""
    before = []
    for module in (bootstrap, sqs, http, *_HANDLERS.values()):
        for name, stand_in in _STAND_INS.items():
            if name in vars(module):
                before.append((module, name, vars(module)[name]))
                setattr(module, name, stand_in)
    try:
        yield
    finally:
        for module, name, real in before:
            setattr(module, name, real)
