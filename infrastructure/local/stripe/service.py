"""The whole service apart from the socket: authentication, validation, idempotency, execution."""

import base64
import threading
import time
import traceback
from http import HTTPStatus

from infrastructure.local.stripe import parameters, webhooks
from infrastructure.local.stripe.checks import violations
from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.dispatcher import Dispatcher
from infrastructure.local.stripe.due import run_due
from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.exchange import (
    Request,
    Response,
    after,
    answer_json,
    answer_refusal,
    before,
    held_back,
    server_error,
)
from infrastructure.local.stripe.families import SERVICES
from infrastructure.local.stripe.faults import Faults
from infrastructure.local.stripe.idempotency import IdempotencyKeys
from infrastructure.local.stripe.invariants import broken
from infrastructure.local.stripe.limits import RateLimits
from infrastructure.local.stripe.routes import Route, Router
from infrastructure.local.stripe.sdk import Sdk
from infrastructure.local.stripe.state import Cause, Json, Store
from infrastructure.local.stripe.views import show

LOG_MAX = 100_000
MEMORY_OF_KEY = {"Idempotent-Replayed": "true"}
REMOVED = {("POST", "/v1/payment_intents"): ("payment_method_types",)}


class LocalStripe:
    """The whole service, independent of the socket: `answer` turns a request into a response."""

    store: Store
    dispatcher: Dispatcher

    def __init__(self, clock: Clock, sdk: Sdk | None = None) -> None:
        self.sdk = sdk or Sdk()
        self.clock = clock
        self.lock = threading.RLock()
        self.router = Router(self.sdk, SERVICES)
        self.faults: Faults = Faults()
        self.dispatcher = Dispatcher(clock, self.sdk.api_version, self.faults, self._settled)
        self.reset()

    def reset(self) -> None:
        """Forgets everything; identifiers start anew."""
        self.store = Store(self.sdk, self.clock)
        self.store.on_event = self._on_event
        self.store.generates = lambda kind: not self.faults.strike("never_generated", "POST", kind)
        self.keys = IdempotencyKeys()
        self.limits = RateLimits()
        self.log: list[Json] = []
        self.faults.clear()
        self.faults.audit.clear()
        self._requests = 0
        self._reported = 0

    # -- the API

    def answer(self, request: Request) -> Response:
        """Serves one request; all requests run one after the other, slow ones wait outside."""
        with self.lock:
            self._requests += 1
            identifier = f"req_local{self._requests:09}"
            entry: Json = {
                "method": request.method,
                "path": request.path,
                "params": {},
                "idempotency_key": request.key,
                "status": None,
                "replayed": False,
            }
            try:
                if request.key is not None:
                    self.keys.begin(request.key)
            except Refusal as refusal:
                return self._finished(request, answer_refusal(refusal, identifier), entry)
            slow = held_back(self.faults, request)
        try:
            if slow is not None:
                time.sleep(slow.seconds)
            with self.lock:
                response = self._serve(request, identifier, entry)
                return self._finished(request, response, entry)
        finally:
            if request.key is not None:
                self.keys.end(request.key)

    def _serve(self, request: Request, identifier: str, entry: Json) -> Response:
        instead = before(self.faults, request, identifier)
        if instead is not None:
            entry["fault"], response = instead
        else:
            try:
                response = self._answer(request, identifier, entry)
            except Exception:  # noqa: BLE001 -- whatever it is, it must be loud and on record
                response = self._defective()
        response.headers["Request-Id"] = identifier
        response.headers["Stripe-Version"] = self.sdk.api_version
        if request.key is not None:
            response.headers["Idempotency-Key"] = request.key
        return response

    def _finished(self, request: Request, response: Response, entry: Json) -> Response:
        entry["status"] = response.status
        if not response.cut:
            struck = after(self.faults, request, response)
            if struck is not None:
                entry["fault"] = struck
        self.log.append(entry)
        del self.log[:-LOG_MAX]
        self.flush()
        return response

    def _answer(self, request: Request, identifier: str, entry: Json) -> Response:
        self.run_due()
        try:
            _authenticate(request.headers.get("authorization", ""), request.method)
            self._check_version(request)
            route, ids = self.router.find(request.method, request.path)
            limits, instant = self.store.settings["rate_limit"], time.monotonic()
            self.limits.admit(limits, f"{request.method} {route.endpoint.path}", instant)
            params = self._params(request)
            entry["params"] = {name: given for name, given in params.items() if name != "file"}
            typed = parameters.check(self.sdk, route.endpoint.params, params)
            now = self.store.now()
            if request.key is not None:
                kept = self.keys.recall(request.key, request.path, params, now)
                if kept is not None:
                    entry["replayed"] = True
                    headers = MEMORY_OF_KEY | {"Original-Request": kept.request}
                    return Response(kept.status, kept.body, headers)
            self.store.cause = Cause(identifier, request.key)
            response, executed = self._execute(route, typed, ids, identifier)
        except Refusal as refusal:
            return answer_refusal(refusal, identifier)
        finally:
            self.store.cause = Cause()
        if executed and self.faults.strike("error_after_commit", request.method, request.path):
            entry["fault"] = "error_after_commit"
            response = answer_refusal(server_error(), identifier)
        if request.key is not None and executed:
            answer = (response.status, response.body, identifier)
            self.keys.keep(request.key, request.path, params, answer, now)
        return response

    def _params(self, request: Request) -> Json:
        """The parameters by name, still strings; v2 takes JSON bodies (SDK)."""
        if request.method == "POST" and request.path.startswith("/v2/"):
            return parameters.from_json(request.body.decode("utf-8", "replace"))
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            return parameters.from_multipart(request.body, kind)
        body = request.body.decode("utf-8", "replace")
        params = parameters.decode(body if request.method == "POST" else request.query)
        if "stripe-version" not in request.headers:
            # Without the header the account's own version speaks; an older account's still takes
            # what endive removed (SDK changelog), and the official CLI sends it.
            for name in REMOVED.get((request.method, request.path), ()):
                params.pop(name, None)
        return params

    def _execute(
        self, route: Route, params: Json, ids: tuple[str, ...], identifier: str
    ) -> tuple[Response, bool]:
        try:
            result = route.execute(self.store, params, ids)
            shown = show(self.store, result, route.result, params.get("expand", []))
        except Refusal as refusal:
            return answer_refusal(refusal, identifier), refusal.executed
        faults = list(violations(self.sdk, route.result, shown, route.endpoint.path))
        self.store.violations.extend(faults + broken(self.store))
        fresh = self.store.violations[self._reported :]
        self._reported = len(self.store.violations)
        if fresh:  # of this answer, of its events, or of what the clock did since the last one
            return answer_json(HTTPStatus.INTERNAL_SERVER_ERROR, _defect(fresh)), True
        return answer_json(HTTPStatus.OK, shown), True

    def _defective(self) -> Response:
        """The answer to an exception of this server's own, which is kept for `/_local/health`."""
        self.store.violations.append(traceback.format_exc())
        self._reported = len(self.store.violations)
        defect = _defect(self.store.violations[-1:])
        return answer_json(HTTPStatus.INTERNAL_SERVER_ERROR, defect)

    def _check_version(self, request: Request) -> None:
        """Only the pinned version is spoken; text unverified."""
        version = request.headers.get("stripe-version", self.sdk.api_version)
        if version != self.sdk.api_version:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"Invalid Stripe API version: {version}", executed=False
            )

    # -- events and time

    def _on_event(self, event: Json) -> None:
        """Every event is checked as it is born, like every answer."""
        kind = event["data"]["object"]["object"]
        for name, thing in (("event", event), (kind, event["data"]["object"])):
            node = self.sdk.object_reference(name)
            where = f"{event['type']} {name}"
            self.store.violations.extend(violations(self.sdk, node, thing, where))
        webhooks.enqueue(self.store, event)

    def _settled(self, event: str) -> None:
        with self.lock:
            thing = self.store.find(event)
            if thing is not None and thing["pending_webhooks"] > 0:
                thing["pending_webhooks"] -= 1

    def flush(self) -> None:
        """Hands the events of what has been committed to the dispatcher."""
        for delivery in self.store.outbox:
            event = self.store.find(delivery.event)
            self.dispatcher.send(delivery, event["type"] if event else "")
        self.store.outbox.clear()

    def run_due(self, until: float | None = None) -> None:
        """Does what is due by now, or by `until`, each thing at its own instant."""
        run_due(self.store, self.clock.now() if until is None else until)

    def tick(self) -> None:
        """What the passing of time brings without any request."""
        with self.lock:
            try:
                self.run_due()
                self.store.violations.extend(broken(self.store))
            except Exception:  # noqa: BLE001 -- the next request tells
                self.store.violations.append(traceback.format_exc())
            self.flush()


def _defect(faults: list[str]) -> Json:
    message = f"defect of the local Stripe: {'; '.join(faults[:5])}"
    return {"error": {"message": message, "type": "api_error"}}


def _authenticate(header: str, method: str) -> None:
    """Any test key, as Bearer or as the user of Basic (documentation; texts recorded).

    A restricted key stands for one that may read everything and write nothing.
    """
    scheme, _, credential = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credential, validate=True).decode()
        except ValueError:
            decoded = ""
        credential = decoded.partition(":")[0]
    if not credential:
        raise Refusal(
            HTTPStatus.UNAUTHORIZED,
            "You did not provide an API key. You need to provide your API key in the Authorization"
            " header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            executed=False,
        )
    if credential.startswith("rk_test_") and method != "GET":
        shown = f"{credential[:8]}{'*' * 8}{credential[-4:]}"
        message = f"The provided key '{shown}' does not have the required permissions."
        raise Refusal(HTTPStatus.FORBIDDEN, message, executed=False)
    if not credential.startswith(("sk_test_", "rk_test_")):
        shown = f"{credential[:8]}{'*' * 8}{credential[-4:]}"
        raise Refusal(HTTPStatus.UNAUTHORIZED, f"Invalid API Key provided: {shown}", executed=False)
