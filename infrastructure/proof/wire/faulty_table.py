"""A proxy in front of the table that cuts connections, before a commit and after it."""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

SHARE = 0.06
THROTTLED = b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}'


class FaultyTable:
    """Listens on a free port for as long as the block lasts."""

    def __init__(self, upstream: str, seed: int) -> None:
        self.fired: Counter[str] = Counter()
        self._random = random.Random(seed)  # noqa: S311 - repeatable
        self._lock = threading.Lock()
        address = urlsplit(upstream)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                fault = proxy.draw(self.headers.get("x-amz-target", ""))
                if fault == "table_throttled":
                    self._answer(400, THROTTLED)
                    return
                if fault == "table_cut_before":
                    self.close_connection = True
                    return
                upstream = http.client.HTTPConnection(address.hostname or "", address.port)
                upstream.request("POST", self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                if fault == "table_commit_then_cut":
                    self.close_connection = True
                    return
                self._answer(answer.status, content)

            def _answer(self, status: int, content: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", "application/x-amz-json-1.0")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def draw(self, target: str) -> str | None:
        """The fault of a call, if any; only commits are cut."""
        if not target.endswith("TransactWriteItems"):
            return None
        with self._lock:
            chance = self._random.random()
            for name in ("table_commit_then_cut", "table_cut_before", "table_throttled"):
                if chance < SHARE:
                    self.fired[name] += 1
                    return name
                chance -= SHARE
        return None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
