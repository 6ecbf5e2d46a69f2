"""Lambda: Python functions run under the project's own host, as AWS's runtime would run them."""

# ruff: noqa: SLF001 -- a shim reaches for private names by its nature; the version is asserted

import os
import shlex
import threading
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

HOST = Path(__file__).resolve().parent.parent / "lambda_host.py"
PYTHON = "FAIREXIT_PYTHON"  # the application's interpreter
LOGS = "FAIREXIT_LOGS"  # a folder: what each function wrote, one file a function

# What a function may see of the emulator's own environment; all else would leak into it.
PASSED_ON = {"PATH", "HOME", "LANG", "FAIREXIT_CLOCK_FILE", "FAIREXIT_CRASHES", "FAIREXIT_WORKERS"}

# Cold starts in parallel on a small machine outlast AWS's ten seconds for them, so a burst waits
# for a free worker instead of starting one each.
WORKERS_PER_FUNCTION = 4

# How long a worker's output is awaited after its answer; MiniStack's 50 ms would be added to every
# invocation that logs nothing.
LOG_WAIT_SECONDS = 0.003


def is_python(config: dict[str, Any]) -> bool:
    """Return whether the function's runtime is a Python one."""
    return str(config.get("Runtime", "")).startswith("python")


def code_path(config: dict[str, Any], code: str) -> str:
    """Return PYTHONPATH as Lambda has it: the function's own code before its layers."""
    parts = [code]
    for reference in config.get("Layers") or []:
        blob = lambda_svc._resolve_layer_zip(reference)
        if blob:
            parts.append(str(Path(lambda_svc._docker_extracted_dir(blob, "layer")) / "python"))
    return os.pathsep.join(parts)


def install_host() -> None:
    """Run Python functions through MiniStack's Runtime API server and our host.

    Restores AWS's error types, globals that survive an error, a complete context, and a process
    environment that holds the function's variables alone. MiniStack's own Python worker names
    every error `Runtime.HandlerError`, dies of it, and inherits the emulator's environment.
    """
    class_for, unpack = lambda_runtime._worker_class_for, lambda_svc._provided_runtime_code_dir
    environment_of = lambda_svc._provided_worker_env
    execute = lambda_svc._execute_function_warm
    execute_on_runtime_api = lambda_svc._execute_function_provided_warm
    command = f"#!/bin/sh\nexec {shlex.quote(os.environ[PYTHON])} -P {shlex.quote(str(HOST))}\n"

    def unpack_with_bootstrap(archive: bytes) -> str:
        folder: str = unpack(archive)
        bootstrap = Path(folder) / "bootstrap"
        with writing:
            if not bootstrap.exists():
                unfinished = bootstrap.with_suffix(".new")
                unfinished.write_text(command)
                unfinished.chmod(0o755)
                unfinished.rename(bootstrap)
        return folder

    def environment(config: dict[str, Any], code: str, port: int) -> dict[str, str]:
        whole: dict[str, str] = environment_of(config, code, port)
        declared = lambda_svc._runtime_env_vars(config)
        own = {
            key: value
            for key, value in whole.items()
            if key in declared or key in PASSED_ON or os.environ.get(key) != value
        }
        group = (config.get("LoggingConfig") or {}).get("LogGroup")
        own["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
        own["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{config['Runtime']}"
        own["AWS_LAMBDA_LOG_GROUP_NAME"] = group or f"/aws/lambda/{config.get('FunctionName')}"
        own["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand"
        own["TZ"] = ":UTC"
        own["PYTHONPATH"] = code_path(config, code)
        return own

    def worker_class(config: dict[str, Any]) -> Any:
        return lambda_runtime.ProvidedWorker if is_python(config) else class_for(config)

    def execute_warm(function: dict[str, Any], event: Any, request_id: str) -> Any:
        config = function.get("config") or function
        if not is_python(config):
            return execute(function, event, request_id)
        with slots.of(config["FunctionArn"]):
            return execute_on_runtime_api(function, event, request_id)

    writing, slots = threading.Lock(), Slots()
    lambda_svc._provided_runtime_code_dir = unpack_with_bootstrap
    lambda_svc._provided_worker_env = environment
    lambda_runtime._worker_class_for = worker_class
    lambda_svc._execute_function_warm = execute_warm


class Slots:
    """So many invocations of one function at a time; the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[str, threading.BoundedSemaphore] = {}

    def of(self, function: str) -> threading.BoundedSemaphore:
        """Return the semaphore of a function's ARN."""
        with self._lock:
            return self._slots.setdefault(
                function, threading.BoundedSemaphore(WORKERS_PER_FUNCTION)
            )


def install_prompt_answers() -> None:
    """Take out two waits that AWS does not have: for silent logs, and for delayed ACKs."""
    worker, provided = lambda_runtime.Worker, lambda_runtime.ProvidedWorker
    drain, build = worker._drain_stderr_bounded, provided._build_handler_class

    def drain_promptly(self: Any, first_line_wait: float = LOG_WAIT_SECONDS, **named: Any) -> Any:
        return drain(self, first_line_wait, **named)

    def build_without_nagle(self: Any, *arguments: Any) -> Any:
        handler = build(self, *arguments)
        handler.disable_nagle_algorithm = True  # header and body are two writes
        return handler

    worker._drain_stderr_bounded = drain_promptly
    provided._build_handler_class = build_without_nagle


def install_event_details() -> None:
    """Complete HTTP events: a `cookies` array; no `pathParameters` where the path has none.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    execute = lambda_svc._execute_function_with_config_scope

    def with_details(function: Any, event: Any) -> Any:
        if isinstance(event, dict) and event.get("version") == "2.0" and "routeKey" in event:
            if event.get("pathParameters") is None:
                event.pop("pathParameters", None)
            if cookie := event["headers"].pop("cookie", None):
                event["cookies"] = [part.strip() for part in cookie.split(";")]
        return execute(function, event)

    lambda_svc._execute_function_with_config_scope = with_details


class Tee:
    """A worker's output on its way to CloudWatch Logs, copied line by line into a file."""

    def __init__(self, stream: Any, file: Path) -> None:
        self._stream, self._file = stream, file.open("ab", buffering=0)

    def readline(self) -> bytes:
        """Hand a line on."""
        line: bytes = self._stream.readline()
        self._file.write(line)
        return line

    def close(self) -> None:
        """Close both ends."""
        self._file.close()
        self._stream.close()


def install_log_files() -> None:
    """Write what each function prints to a file as well, also what it prints before it fails.

    MiniStack drops the output of a function that does not get through its imports.
    """
    pump, folder = lambda_runtime.ProvidedWorker._pump_output, Path(os.environ[LOGS])

    def pump_and_keep(self: Any, stream: Any, lines: Any) -> None:
        group = (self.config.get("LoggingConfig") or {}).get("LogGroup") or self.func_name
        pump(self, Tee(stream, folder / f"{group.rsplit('/', 1)[-1]}.log"), lines)

    lambda_runtime.ProvidedWorker._pump_output = pump_and_keep


def install() -> None:
    """Put the shims in place."""
    install_host()
    install_prompt_answers()
    install_event_details()
    install_log_files()
