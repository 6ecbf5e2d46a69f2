"""A local Stripe on a free port, a real client, and the few things that every test sets up."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import stripe

from infrastructure.local.stripe.clock import Clock
from infrastructure.local.stripe.sdk import Sdk
from infrastructure.local.stripe.server import Server
from infrastructure.local.stripe.service import LocalStripe
from tests.contract.stripe.accounts import Account, Served, Simulated

START = "2026-01-01T00:00:00Z"


@dataclass
class Shop:
    """A running local Stripe and a client that talks to it over HTTP."""

    server: Server
    client: Any

    def local(self, method: str, path: str, /, **document: Any) -> Any:
        answer = requests.request(
            method, f"{self.server.url}/_local/{path}", json=document, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, /, **document: Any) -> str:
        answer = requests.request(
            method, f"{self.server.url}/_local/{path}", json=document, timeout=10
        )
        assert answer.status_code in (400, 404), answer.text
        return str(answer.json()["error"])

    def until(self, now: str) -> None:
        self.local("POST", "clock", now=now)

    def wait(self, seconds: float) -> None:
        self.local("POST", "clock", advance_seconds=seconds)

    def customer(self, method: str = "pm_card_visa", **params: Any) -> Any:
        settings = {"default_payment_method": method}
        return self.client.v1.customers.create(
            {"name": "Ann", "payment_method": method, "invoice_settings": settings, **params}
        )

    def price(self, amount: int, interval: str = "month", currency: str = "usd") -> str:
        price = self.client.v1.prices.create(
            {
                "product_data": {"name": "Line"},
                "currency": currency,
                "unit_amount": amount,
                "recurring": {"interval": interval},
            }
        )
        return str(price.id)

    def subscribe(self, amount: int, interval: str = "month", **params: Any) -> Any:
        customer = params.pop("customer", None) or self.customer().id
        price = self.price(amount, interval, params.pop("currency", "usd"))
        return self.client.v1.subscriptions.create(
            {"customer": customer, "items": [{"price": price}], **params}
        )

    def invoices(self, subscription: str) -> Any:
        return self.client.v1.invoices.list({"subscription": subscription}).data

    def payment(self, invoice: str) -> Any:
        rows = self.client.v1.invoice_payments.list({"invoice": invoice}).data
        return self.client.v1.payment_intents.retrieve(
            rows[0].payment.payment_intent,
            {"expand": ["latest_charge.balance_transaction"]},
        )

    def paid(self, amount: int = 1000) -> Any:
        """A payment of a subscription's first invoice."""
        return self.payment(self.subscribe(amount).latest_invoice)

    def events(self, kind: str) -> Any:
        return self.client.v1.events.list({"type": kind, "limit": 100}).data

    def kinds(self) -> list[str]:
        """The types of all events, the oldest first."""
        events = self.client.v1.events.list({"limit": 100})
        return [event.type for event in events.auto_paging_iter()][::-1]

    def settle(self) -> Any:
        """Waits until no delivery is under way; the counts."""
        for _ in range(2000):
            counts = self.local("GET", "deliveries")
            if counts["pending"] == 0:
                return counts
            threading.Event().wait(0.005)
        raise AssertionError(counts)


@pytest.fixture(scope="session")
def sdk() -> Sdk:
    return Sdk()


@pytest.fixture
def shop(sdk: Sdk) -> Iterator[Shop]:
    # A slow machine must not be a later second.
    server = Server(0, LocalStripe(Clock(start=START, system=lambda: 0.0), sdk))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    http = stripe.RequestsClient()
    client = stripe.StripeClient(
        "sk_test_local",
        base_addresses={"api": server.url, "files": server.url},
        max_network_retries=0,
        http_client=http,
    )
    shop = Shop(server, client)
    try:
        yield shop
        assert shop.local("GET", "health")["violations"] == []
    finally:
        http.close()
        server.shutdown()
        thread.join()
        server.server_close()


class Receiver(BaseHTTPRequestHandler):
    server: "Inbox"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.taken.append((body, self.headers.get("Stripe-Signature", "")))
            status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


class Inbox(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.lock = threading.Lock()
        self.taken: list[tuple[bytes, str]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> Any:
        return f"http://127.0.0.1:{self.server_port}/webhooks/stripe"

    def events(self) -> Any:
        return [json.loads(body) for body, _ in self.taken]


@pytest.fixture
def inbox():
    server = Inbox()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["simulated", "local"])
def account(request: pytest.FixtureRequest) -> Account:
    """Whoever wins here has won on both: the lifetimes' Stripe, and the local one over HTTP."""
    if request.param == "simulated":
        return Simulated()
    return Served(request.getfixturevalue("shop"))
