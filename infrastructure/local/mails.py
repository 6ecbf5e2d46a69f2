"""The mails that the system sent, as the embedded SES keeps them, and a page that shows them."""

import html
import http.server
import json
import threading
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

from infrastructure.local.ports import HOST

ACCOUNT = "000000000000"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails sent</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}}
article{{border-top:1px solid #888}}pre{{white-space:pre-wrap;font:inherit}}</style>
<h1>Mails sent: {count}</h1><p>Newest first. Reload to see new ones.</p>{mails}</html>"""

MAIL = """<article><h2>{subject}</h2><p>to {to}, at {at}</p><pre>{text}</pre></article>"""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the system sent; `at` is the real instant, as SES has it."""

    to: str
    subject: str
    text: str
    at: datetime


def read_mails(aws_endpoint: str) -> list[Mail]:
    """Return the mails sent so far, oldest first."""
    with urllib.request.urlopen(f"{aws_endpoint}/_ministack/ses/messages", timeout=10) as response:
        messages = json.load(response)["messages"].get(ACCOUNT, [])
    mails = [
        Mail(
            to=", ".join(message["To"]),
            subject=message["Subject"],
            text=message["BodyText"] or message["BodyHtml"] or "",
            at=datetime.fromtimestamp(message["Timestamp"], UTC),
        )
        for message in messages
    ]
    return sorted(mails, key=lambda mail: mail.at)


def render(mails: list[Mail]) -> bytes:
    """Return the page; whatever a mail holds is shown as text."""
    shown = "".join(
        MAIL.format(
            subject=html.escape(mail.subject),
            to=html.escape(mail.to),
            at=f"{mail.at:%H:%M:%S}",
            text=html.escape(mail.text),
        )
        for mail in reversed(mails)
    )
    return PAGE.format(count=len(mails), mails=shown).encode()


class MailPage:
    """Serves the page on its own thread until stopped."""

    def __init__(self, port: int, aws_endpoint: str) -> None:
        """Start serving."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = render(read_mails(aws_endpoint))
                self.send_response(200 if self.path == "/" else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header(
                    "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"
                )
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the story."""

        self.url = f"http://{HOST}:{port}/"
        self._server = http.server.ThreadingHTTPServer((HOST, port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving and give the port back."""
        self._server.shutdown()
        self._server.server_close()
