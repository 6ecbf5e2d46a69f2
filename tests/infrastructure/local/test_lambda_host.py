"""Our Lambda host answers the Runtime API as AWS's own client for Python does.

Each case runs twice: under `awslambdaric`, which is what AWS runs, and under our host.
"""

import http.server
import importlib.util
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOST = ROOT / "infrastructure" / "local" / "lambda_host.py"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("awslambdaric") is None,
    reason="awslambdaric, the other side of the comparison, is built for Linux alone",
)

CODE = '''
import decimal
calls = 0

def count(event, context):
    """Globals live on, also after an error."""
    global calls
    calls += 1
    if event == "raise":
        raise ValueError("no such thing")
    if event == "raise through a call":
        deeper(event)
    if event == "give what JSON has not":
        return {1, 2}
    return {"calls": calls, "event": event}

def deeper(event):
    raise LookupError({"where": event})

def describe(event, context):
    left = context.get_remaining_time_in_millis()
    return [context.aws_request_id, context.invoked_function_arn, context.function_name,
            context.function_version, context.memory_limit_in_mb, context.log_group_name,
            context.log_stream_name, context.client_context, 0 < left <= 30000]

def decimals(event, context):
    return {"whole": decimal.Decimal("12"), "part": decimal.Decimal("1.5"), "word": "Zürich"}
'''
FILES = {
    "good/__init__.py": "",
    "good/handler.py": CODE,
    "broken/__init__.py": "",
    "broken/syntax.py": "def lambda_handler(event context): pass\n",
    "broken/absent.py": "import a_module_that_nobody_has\n",
    "broken/raises.py": "raise RuntimeError('settings are missing')\n",
}
VARIABLES = {
    "AWS_LAMBDA_FUNCTION_NAME": "fairexit-hello",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/fairexit/hello",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/03/10/[7]abc",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "PATH": "/usr/bin:/bin",
}


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The platform's side: hands out events, keeps what comes back as (path, body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.reports: queue.Queue[tuple[str, Any]] = queue.Queue()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """A host that is killed while it waits resets its connection."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RuntimeApi

    def do_GET(self) -> None:
        request_id, event = self.server.events.get()
        self.answer(
            200 if request_id else 500,
            json.dumps(event).encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:hello",
                "Content-Type": "application/json",
            },
        )

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reports.put((self.path, json.loads(body)))
        self.answer(202, b"", {})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def run(command: list[str], handler: str, events: list[Any], folder: Path) -> list[Any]:
    """Start a host, give it the events in turn; return what it reported for each."""
    api = RuntimeApi()
    process = subprocess.Popen(  # noqa: S603 -- one of our two hosts
        command,
        cwd=folder,
        env={
            **VARIABLES,
            "PYTHONPATH": str(folder),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}",
            "LAMBDA_TASK_ROOT": str(folder),
            "_HANDLER": handler,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        reports = []
        for number, event in enumerate(events):
            api.events.put((f"request-{number}", event))
            path, document = api.reports.get(timeout=30)
            reports.append((path, document))
        return reports
    finally:
        process.kill()
        process.wait()
        api.events.put(("", None))
        api.shutdown()
        api.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("handler", "events"),
    [
        ("good.handler.count", ["once", "raise", "again"]),
        ("good.handler.count", ["raise through a call"]),
        ("good.handler.count", ["give what JSON has not", "again"]),
        ("good.handler.describe", [{}]),
        ("good.handler.decimals", [None]),
        ("good.handler.absent", ["anything"]),
        ("good.nowhere.count", ["anything"]),
        ("nodots", ["anything"]),
        ("broken.syntax.lambda_handler", ["anything"]),
        ("broken.absent.lambda_handler", ["anything"]),
        ("broken.raises.lambda_handler", ["anything"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_our_host_reports_what_awslambdaric_reports(handler, events, folder):
    theirs = run([sys.executable, "-m", "awslambdaric", handler], handler, events, folder)
    ours = run([sys.executable, "-P", str(HOST)], handler, events, folder)
    assert ours == theirs
