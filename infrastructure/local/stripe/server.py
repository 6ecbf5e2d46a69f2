"""The HTTP server around the service; `/_local/` is the control plane."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from infrastructure.local.stripe import control
from infrastructure.local.stripe.exchange import Request, answer_json
from infrastructure.local.stripe.service import LocalStripe

TICK_SECONDS = 1.0


class Handler(BaseHTTPRequestHandler):
    """Between the socket and `LocalStripe`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def _serve(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if url.path.startswith("/_local/"):
            status, document = control.answer(self.server.service, self.command, url.path, body)
            response = answer_json(status, document)
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, url.path, url.query, body, headers)
            response = self.server.service.answer(request)
        if response.cut and not response.sent:
            self._hang_up()
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body[: response.sent] if response.cut else response.body)
        if response.cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 -- the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: `/_local/requests` is the log."""


class Server(ThreadingHTTPServer):
    """Listens on loopback and keeps time."""

    daemon_threads = True

    def __init__(self, port: int, service: LocalStripe) -> None:
        self.service = service
        self._stopped = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def _tick(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            self.service.tick()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's defect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Ends the clock's thread and the deliveries too."""
        self._stopped.set()
        self.service.dispatcher.stop()
        super().server_close()
