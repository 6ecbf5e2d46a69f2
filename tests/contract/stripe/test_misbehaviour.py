"""Each kind of misbehaviour, seen from the client's side of the wire."""

import socket
import struct
import threading
from typing import Any

import pytest
import requests
import stripe

from infrastructure.local.stripe.errors import Refusal
from infrastructure.local.stripe.faults import KINDS
from infrastructure.local.stripe.limits import RateLimits

NO_TOLERANCE = 10**9


def fault(shop: Any, kind: str, **more: Any) -> None:
    shop.local("POST", "faults", kind=kind, **more)


def post(shop: Any, path: str = "/v1/customers", key: str = "k") -> requests.Response:
    headers = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": key}
    return requests.post(shop.server.url + path, headers=headers, data={"name": "A"}, timeout=10)


def customers(shop: Any) -> int:
    return len(shop.client.v1.customers.list().data)


@pytest.mark.parametrize(
    ("kind", "status", "retry", "made"),
    [
        ("conflict", 409, None, 0),
        ("rate_limited", 429, None, 0),
        ("rate_limited_retry", 429, "true", 0),
        ("error_before_commit", 500, None, 0),
        ("error_after_commit", 500, None, 1),
        ("bad_gateway", 502, None, 0),
    ],
)
def test_an_answer_goes_wrong_before_or_after_the_work(shop, kind, status, retry, made):
    fault(shop, kind, times=1, path="/v1/customers")
    answer = post(shop)
    assert answer.status_code == status
    assert answer.headers.get("Stripe-Should-Retry") == retry
    assert answer.headers["Content-Type"] == ("text/html" if status == 502 else "application/json")
    assert customers(shop) == made
    again = post(shop)
    assert again.status_code == (500 if made else 200)  # a 500 after the work is remembered
    assert customers(shop) == 1


@pytest.mark.parametrize(
    ("kind", "made"), [("cut_before_commit", 0), ("commit_then_cut", 1), ("partial_body", 1)]
)
def test_a_connection_ends_before_or_after_the_work(shop, kind, made):
    fault(shop, kind, times=1)
    with pytest.raises(requests.exceptions.RequestException):
        post(shop)
    assert customers(shop) == made
    assert post(shop).status_code == 200
    assert customers(shop) == 1


def test_a_partial_body_is_the_beginning_of_the_answer(shop):
    fault(shop, "partial_body", times=1)
    with socket.create_connection(("127.0.0.1", shop.server.server_port), timeout=10) as plain:
        plain.sendall(
            b"GET /v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk_test_x\r\n\r\n"
        )
        got = b""
        while part := plain.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert 0 < len(body) < length


def test_a_client_that_goes_away_is_no_defect(shop, capfd):
    with socket.create_connection(("127.0.0.1", shop.server.server_port), timeout=10) as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.sendall(b"GET /v1/customers HTTP/1.1\r\n")
    assert customers(shop) == 0
    assert capfd.readouterr().err == ""


def test_the_sdk_names_a_conflict_by_its_code(shop):
    fault(shop, "conflict", times=1)
    with pytest.raises(stripe.APIError) as caught:
        shop.client.v1.customers.create({}, {"idempotency_key": "k"})
    body: Any = caught.value.json_body
    assert body["error"]["code"] == "idempotency_key_in_use"


def test_a_key_in_flight_is_refused_and_free_again_later(shop):
    fault(shop, "latency", times=1, seconds=0.5, method="POST")
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(post(shop).status_code))
    slow.start()
    while not shop.local("GET", "audit"):  # until the slow one waits
        threading.Event().wait(0.01)
    during = post(shop)
    assert during.status_code == 409
    assert "another in-progress request using this Idempotent Key" in during.text
    assert requests.get(f"{shop.server.url}/_local/health", timeout=10).ok  # others go on
    slow.join()
    assert answers == [200]
    after = post(shop)
    assert (after.status_code, after.headers["Idempotent-Replayed"]) == (200, "true")
    assert customers(shop) == 1


def test_faults_strike_the_nth_call_and_the_audit_tells(shop):
    fault(shop, "rate_limited", after=2, times=1, path="/v1/customers", method="POST")
    assert [post(shop, key=f"k{n}").status_code for n in range(4)] == [200, 200, 429, 200]
    assert shop.local("GET", "audit") == [
        {"kind": "rate_limited", "method": "POST", "path": "/v1/customers"}
    ]


def test_a_seed_makes_chance_repeatable(shop):
    found = []
    for _ in range(2):
        shop.local("POST", "reset")
        fault(shop, "error_before_commit", probability=0.5, seed=7)
        found.append([post(shop, key=f"k{n}").status_code for n in range(12)])
    assert found[0] == found[1]
    assert {200, 500} == set(found[0])


def listen(shop: Any, inbox: Any) -> str:
    made = shop.client.v1.webhook_endpoints.create(
        {"url": inbox.url, "enabled_events": ["customer.created"]}
    )
    return str(made.secret)


def test_a_dropped_webhook_never_comes_though_the_event_is_there(shop, inbox):
    listen(shop, inbox)
    fault(shop, "dropped", path="customer.created")
    shop.customer()
    assert shop.settle()["dropped"] == 1
    assert inbox.taken == []
    (event,) = shop.events("customer.created")
    assert event.pending_webhooks == 1


def test_an_event_that_is_never_generated_is_nowhere(shop, inbox):
    listen(shop, inbox)
    fault(shop, "never_generated", path="customer.created")
    shop.customer()
    shop.settle()
    assert inbox.taken == []
    assert shop.events("customer.created") == []


def test_a_stale_timestamp_is_old_and_the_next_attempt_is_not(shop, inbox):
    secret = listen(shop, inbox)
    inbox.answers = [400]
    fault(shop, "stale_timestamp", times=1)
    shop.customer()
    shop.settle()
    (first, old), (second, new) = inbox.taken
    assert first == second
    instants = [int(signed.split(",")[0][2:]) for signed in (old, new)]
    assert instants[1] - instants[0] >= 600
    for signed in (old, new):
        stripe.WebhookSignature.verify_header(first.decode(), signed, secret, NO_TOLERANCE)


def test_a_wrong_secret_signs_one_attempt(shop, inbox):
    secret = listen(shop, inbox)
    inbox.answers = [400]
    fault(shop, "wrong_secret", times=1)
    shop.customer()
    shop.settle()
    (body, wrong), (_, right) = inbox.taken
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), wrong, secret)
    stripe.WebhookSignature.verify_header(body.decode(), right, secret)


def test_an_old_api_version_is_in_the_body_and_rightly_signed(shop, inbox):
    secret = listen(shop, inbox)
    fault(shop, "old_api_version", times=1)
    shop.customer()
    shop.settle()
    ((body, signed),) = inbox.taken
    event = stripe.Webhook.construct_event(body, signed, secret, NO_TOLERANCE)
    assert event.api_version == "2025-03-31.basil"


@pytest.mark.parametrize("kind", ["delayed", "shuffled"])
def test_late_webhooks_let_others_pass(shop, inbox, kind):
    shop.client.v1.webhook_endpoints.create(
        {"url": inbox.url, "enabled_events": ["customer.created", "product.created"]}
    )
    fault(shop, kind, path="customer.created", seconds=1, times=1)
    shop.customer()
    shop.client.v1.products.create({"name": "Line"})
    shop.settle()
    assert [event["type"] for event in inbox.events()] == ["product.created", "customer.created"]


def test_every_kind_of_fault_is_described_and_listed(shop):
    for kind in KINDS:
        fault(shop, kind, path="/nowhere")
    listed = [entry["kind"] for entry in shop.local("GET", "faults")]
    assert listed == list(KINDS)
    shop.local("DELETE", "faults")
    assert shop.local("GET", "faults") == []


@pytest.mark.parametrize(
    ("limits", "endpoints", "reason"),
    [
        ({"all": 2}, ["a", "b", "c"], "global-rate"),
        ({"endpoint": 2}, ["a", "b", "a", "a"], "endpoint-rate"),
    ],
)
def test_a_limit_holds_for_a_second(limits, endpoints, reason):
    rates = RateLimits()
    for number, endpoint in enumerate(endpoints[:-1]):
        rates.admit(limits, endpoint, 100 + number / 10)
    with pytest.raises(Refusal) as caught:
        rates.admit(limits, endpoints[-1], 100.9)
    assert caught.value.status == 429
    assert caught.value.headers["Stripe-Rate-Limited-Reason"] == reason
    rates.admit(limits, endpoints[-1], 101.05)


def test_limits_apply_once_they_are_set(shop):
    shop.local("POST", "settings", rate_limit={"all": 0})
    with pytest.raises(stripe.RateLimitError) as caught:
        shop.client.v1.customers.list()
    body: Any = caught.value.json_body
    assert body["error"]["code"] == "rate_limit"
    shop.local("POST", "settings", rate_limit=None)
    assert customers(shop) == 0


def test_an_unknown_setting_names_the_known_ones(shop):
    assert "counter_fee" in shop.refused("POST", "settings", weather="fine")
