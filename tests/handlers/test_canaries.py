"""Nothing personal gets out: no log, metric, message or refusal repeats what only a person knows.

Every route and every consumer runs with canaries in all that a caller sends and in every error
that a port may raise; not one may be found again.
"""

import ast
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from shared.domain.errors import (
    BrokenInvariantError,
    ConflictingWriteError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.runtime import observability
from shared.runtime.access import ROUTES, Caller
from shared.runtime.log_form import FIELDS
from tests.handlers.conftest import HandlerServices
from tests.handlers.events import Context, claims, http_event, sqs_event
from tests.infrastructure.cloudformation import ROOT

NAME, MAIL, TEXT = "Ann Canary-9b1", "ann.canary9b1@example.com", "canary-9b1 wrote this"
CANARIES = (NAME, MAIL, TEXT, "9b1")
ID = "0" * 26


@dataclass
class Outputs:
    """What a handler says to the world: its log and metrics, and what it puts into queues."""

    stream: io.StringIO
    capsys: pytest.CaptureFixture[str]
    services: HandlerServices

    def text(self) -> str:
        printed = self.capsys.readouterr()
        queued = repr(self.services.waker.woken) + repr(self.services.brought_back)
        return self.stream.getvalue() + printed.out + printed.err + queued


@pytest.fixture
def outputs(
    services: HandlerServices,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Outputs:
    stream = io.StringIO()
    observability.logger()
    for handler in logging.getLogger("fairexit").handlers:
        if isinstance(handler, logging.StreamHandler):
            monkeypatch.setattr(handler, "stream", stream)
    return Outputs(stream, capsys, services)


def handlers() -> dict[str, Callable[..., Any]]:
    """Each route's handler."""
    found = {}
    for path in sorted(ROOT.glob("functions/*/handler.py")):
        module = import_module(f"functions.{path.parent.name}.handler")
        for route in ROUTES:
            if f'"{route}"' in path.read_text():
                found[route] = module.lambda_handler
    return found


HANDLERS = handlers()
BODIES: tuple[Any, ...] = (
    {"kind": "rectification", "changes": {"name": NAME, "email": MAIL}, "reason": "T-1"},
    {"kind": TEXT, "changes": {"name": 7}},
    {"text": TEXT, "code": TEXT, "step": TEXT, "reference": TEXT},
    {"quote_id": TEXT, "reason": TEXT, "feedback": f"{NAME} {MAIL}"},
    {"subscription": TEXT, "timing": TEXT},
    {"issuer": MAIL, "subject": NAME, "customer": TEXT},
    [TEXT],
    TEXT,
)


def call(route: str, body: Any, *, who: dict[str, Any] | None = None) -> dict[str, Any]:
    sent = {"x-canary": TEXT, "idempotency-key": "key-1", "stripe-signature": TEXT}
    jwt = claims(scope="openid customer service", **(who or {}))
    jwt |= {"cognito:groups": "[agent approver admin auditor]", "email": MAIL, "name": NAME}
    path = {"id": ID, "customer": "cus_1"}
    event = http_event(route, body=body, headers=sent, path=path, jwt=jwt)
    event["rawPath"], event["rawQueryString"] = f"/{TEXT}", f"q={MAIL}"
    answer: dict[str, Any] = HANDLERS[route](event, Context())
    return answer


def assert_clean(outputs: Outputs, answer: object = "") -> None:
    said = outputs.text() + json.dumps(answer, default=str)
    assert [canary for canary in CANARIES if canary in said] == []


def test_every_route_has_a_handler():
    assert set(HANDLERS) == set(ROUTES)


@pytest.mark.clause("privacy.security")
@pytest.mark.parametrize("route", [route for route in ROUTES if ROUTES[route] != Caller.STRIPE])
def test_no_route_repeats_what_it_was_sent(outputs: Outputs, route: str):
    for body in BODIES:
        answer = call(route, body)
        # What worked gives the caller back what is theirs; a refusal gives nothing.
        refused = answer["statusCode"] >= 400
        assert_clean(outputs, answer if refused else "")


ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError(TEXT),
    lambda: KeyError(MAIL),
    lambda: UnavailableError(f"at {MAIL}"),
    lambda: OutcomeUnknownError(f"at {MAIL}"),
    lambda: ConflictingWriteError(f"at {MAIL}"),
    lambda: BrokenInvariantError(f"at {MAIL}"),
)


def break_everything(services: HandlerServices, error: Callable[[], Exception]) -> None:
    """Every port raises, whatever is asked of it."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any, **__: Any) -> Any:
                raise error()

            return fail

    for port in ("store", "billing", "vault", "people", "files", "sign_ins", "bus", "mailer"):
        setattr(services, port, Broken())


@pytest.mark.clause("privacy.security")
@pytest.mark.parametrize("error", ERRORS, ids=lambda make: type(make()).__name__)
def test_no_failure_of_a_port_gets_out_with_its_text(
    outputs: Outputs, services: HandlerServices, error: Callable[[], Exception]
):
    break_everything(services, error)
    for route in HANDLERS:
        answer = call(route, BODIES[0])
        assert_clean(outputs, answer)


@pytest.mark.parametrize("error", ERRORS, ids=lambda make: type(make()).__name__)
@pytest.mark.parametrize(
    "function",
    [
        "process_stripe_event",
        "perform_money_effect",
        "perform_cancellation_effect",
        "perform_notification",
        "perform_privacy_effect",
        "perform_evidence_effect",
        "record_mail_feedback",
    ],
)
def test_no_consumer_says_why_in_the_words_of_others(
    outputs: Outputs,
    services: HandlerServices,
    function: str,
    error: Callable[[], Exception],
):
    break_everything(services, error)
    handle = import_module(f"functions.{function}.handler").lambda_handler
    body = {"customer": "cus_1", "effect": ID, "id": "evt_1", "type": TEXT, "object": TEXT}
    try:
        handle(sqs_event(body, TEXT), Context())
    except Exception as raised:  # noqa: BLE001 - what leaves the handler is logged by Lambda
        assert_clean(outputs, repr(raised))
    assert_clean(outputs)


def test_a_log_line_has_listed_fields_alone_and_of_others_errors_no_text(outputs: Outputs):
    logger = observability.logger()
    try:
        int(TEXT)
    except ValueError:
        logger.exception("it failed", customer="cus_1", secret=TEXT, note=f"mail {MAIL}")
    line = json.loads(outputs.stream.getvalue().splitlines()[-1])

    assert line["message"] == "it failed"
    assert (line["customer"], line["note"], line["error"]) == ("cus_1", "[withheld]", "ValueError")
    assert line["frames"][-1].endswith("fields_alone_and_of_others_errors_no_text")
    assert not {"secret", "exception", "cause"} & line.keys()
    assert_clean(outputs)


def logged() -> Iterator[tuple[str, ast.Call]]:
    """Every call that logs."""
    for path in [*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger()."):
                yield path.name, node


def test_messages_are_constants_and_fields_are_on_the_list():
    calls = list(logged())
    assert calls
    for name, node in calls:
        assert isinstance(node.args[0], ast.Constant), f"{name}: {ast.unparse(node)}"
        fields = {keyword.arg for keyword in node.keywords} - {"exc_info"}
        assert fields <= FIELDS, f"{name}: {fields - FIELDS}"
