"""Host one Lambda function: speak the Lambda Runtime API as AWS's Python runtime does.

Runs under the application's interpreter as a script, so that a function finds its own code, the
layer (both through PYTHONPATH) and third-party packages, and nothing of `infrastructure`.
Error shapes are those of awslambdaric, against which a contract test holds this file.

Three things are added. With FAIREXIT_CLOCK_FILE set, the application's system clock is moved by
that file's offset; signatures, tokens and the SDKs stay on real time. With FAIREXIT_CRASHES set,
the process dies where a plan in that folder says; see `crash_points.py`. With FAIREXIT_WORKERS set,
a file in that folder says what the process is doing; see `workers.py`.
"""

import http.client
import importlib
import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

API = "/2018-06-01/runtime"


class Fault(Exception):  # noqa: N818 -- a reported fact, never raised past this file
    """What AWS names `Runtime.<kind>`: the platform's own errors around a handler."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.report = {
            "errorMessage": message,
            "errorType": f"Runtime.{kind}",
            "requestId": "",
            "stackTrace": trace or [],
        }


class Context:
    """The second argument of a handler, with the attributes that AWS documents."""

    def __init__(self, headers: http.client.HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = None
        self.identity = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's timeout, never below zero."""
        return max(0, self._deadline_ms - int(time.time() * 1000))


def move_the_clock(file: Path) -> None:
    """Make the application's clock read real time plus the offset that `file` holds."""
    module = importlib.import_module("shared.adapters.system_clock")

    def now(_self: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=json.loads(file.read_text())["offset_seconds"])

    module.SystemClock.now = now


class Mark:
    """A file that tells others who this process is and what it does; it outlives a kill."""

    def __init__(self, folder: str | None) -> None:
        group = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "").rpartition("/")[2]
        self._stem = Path(folder) / f"{os.getpid()}.{group}" if folder else None
        self._file: Path | None = None

    def set(self, state: str) -> None:
        """Say that the process is `starting`, `idle`, or `at_work` on an event."""
        if self._stem is None:
            return
        file = self._stem.with_name(f"{self._stem.name}.{state}")
        if self._file is None:
            file.touch()
        else:
            self._file.rename(file)
        self._file = file


def crash_points(folder: Path) -> Any:
    """Load the file beside this one, which no path of a function leads to."""
    file = Path(__file__).with_name("crash_points.py")
    spec = importlib.util.spec_from_file_location("crash_points", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.install(folder)


def load(handler: str) -> Callable[[Any, Context], Any]:
    """Import the handler that `package.module.function` names; raise `Fault` as AWS reports it."""
    module_name, dot, name = handler.rpartition(".")
    if not dot:
        message = "not enough values to unpack (expected 2, got 1)"
        raise Fault("MalformedHandlerName", f"Bad handler '{handler}': {message}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("ImportModuleError", message) from None
    except SyntaxError as error:
        where = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("UserCodeSyntaxError", message, [where]) from None
    try:
        return getattr(module, name)  # type: ignore[no-any-return]
    except AttributeError:
        message = f"Handler '{name}' missing on module '{module_name}'"
        raise Fault("HandlerNotFound", message) from None


def describe(error: BaseException, trace: TracebackType | None) -> dict[str, Any]:
    """Shape an error as Lambda reports it: its class, its text, where it came from."""
    if isinstance(error, Fault):
        return error.report
    frames = [
        (frame.filename, frame.lineno or 0, frame.name, frame.line)
        for frame in traceback.extract_tb(trace)
    ]
    while frames and frames[0][0] == __file__:
        del frames[0]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": "",
        "stackTrace": traceback.format_list(frames),
    }


def plain(value: object) -> object:
    """Say how a value that JSON does not know is written: a Decimal as its number."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)


def answer(handler: Callable[[Any, Context], Any], event: bytes, context: Context) -> bytes:
    """Call the handler with the decoded event and encode what it returns."""
    result = handler(json.loads(event), context)
    try:
        return json.dumps(result, default=plain, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 -- AWS reports whatever the encoder raised
        raise Fault("MarshalError", f"Unable to marshal response: {error}") from None


def log_error(report: dict[str, Any]) -> None:
    """Write an error into the function's log, as AWS does."""
    print(f"[ERROR] {report['errorType']}: {report['errorMessage']}")
    print("".join(report["stackTrace"]), flush=True)


def main() -> None:
    """Load the function, then serve invocations until the runtime API goes away."""
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    mark = Mark(os.environ.get("FAIREXIT_WORKERS"))
    mark.set("starting")

    def call(method: str, path: str, body: bytes | None = None) -> http.client.HTTPResponse:
        runtime.request(method, API + path, body, {"Content-Type": "application/json"})
        return runtime.getresponse()

    try:
        if clock_file := os.environ.get("FAIREXIT_CLOCK_FILE"):
            move_the_clock(Path(clock_file))
        crashes = os.environ.get("FAIREXIT_CRASHES")
        points = crash_points(Path(crashes)) if crashes else None
        handler = load(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 -- whatever stops the import is the init error
        report = describe(error, error.__traceback__)
        log_error(report)
        call("POST", "/init/error", json.dumps(report).encode()).read()
        sys.exit(1)
    mark.set("idle")
    while True:
        response = call("GET", "/invocation/next")
        event = response.read()
        mark.set("at_work")
        if response.status != http.HTTPStatus.OK:
            return
        context = Context(response.headers)
        path = f"/invocation/{context.aws_request_id}"
        try:
            result, outcome = answer(handler, event, context), "response"
        except Exception as error:  # noqa: BLE001 -- a handler's error is an answer, not an end
            report = describe(error, error.__traceback__)
            report["requestId"] = context.aws_request_id
            log_error(report)
            result, outcome = json.dumps(report).encode(), "error"
        sys.stdout.flush()
        sys.stderr.flush()
        if points is not None:
            points.die_if("before", points.answers(event.decode(), result.decode()))
        mark.set("idle")  # from here on its death may cost nobody anything
        call("POST", f"{path}/{outcome}", result).read()


if __name__ == "__main__":
    main()
