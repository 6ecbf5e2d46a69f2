"""Misbehaviour on demand, and the control plane."""

import json
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe


def test_a_refund_is_made_once_although_the_answer_was_cut(shop):
    payment = shop.paid(1000)
    params = {"payment_intent": payment.id, "amount": 400}
    options = {"idempotency_key": "refund-1"}
    shop.local("POST", "faults", kind="commit_then_cut", method="POST", path="/v1/refunds")
    with pytest.raises(stripe.APIConnectionError):
        shop.client.v1.refunds.create(params, options)
    made = shop.client.v1.refunds.list({"payment_intent": payment.id}).data
    assert [refund.amount for refund in made] == [400]
    again = shop.client.v1.refunds.create(params, options)
    assert again.id == made[0].id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(shop.client.v1.refunds.list({"payment_intent": payment.id}).data) == 1
    fault = shop.local("GET", "faults")[0]
    assert (fault["times"], fault["fired"]) == (1, 1)
    cut, replay = [e for e in shop.local("GET", "requests") if e["path"] == "/v1/refunds"][0::2][:2]
    assert cut["fault"] == "commit_then_cut"
    assert replay["replayed"]


def test_without_a_key_the_same_retry_refunds_twice(shop):
    payment = shop.paid(1000)
    params = {"payment_intent": payment.id, "amount": 400}
    shop.local("POST", "faults", kind="commit_then_cut", path="/v1/refunds")
    with pytest.raises(stripe.APIConnectionError):
        shop.client.v1.refunds.create(params)
    shop.client.v1.refunds.create(params)
    assert len(shop.client.v1.refunds.list({"payment_intent": payment.id}).data) == 2


def test_a_fault_strikes_only_where_it_was_asked_to(shop):
    shop.local("POST", "faults", kind="commit_then_cut", method="POST", path="/v1/refunds*")
    shop.client.v1.customers.create({})
    shop.client.v1.refunds.list()
    assert shop.local("GET", "faults")[0]["fired"] == 0


def test_an_unknown_fault_names_the_known_ones(shop):
    message = shop.refused("POST", "faults", kind="earthquake")
    assert "commit_then_cut" in message


def test_the_clock_only_moves_forward(shop):
    before = shop.local("GET", "clock")["now"]
    message = shop.refused("POST", "clock", now="2025-12-31T00:00:00Z")
    assert message.startswith("the clock only moves forward: 2025-12-31T00:00:00Z lies before")
    assert shop.local("GET", "clock")["now"] >= before


@pytest.mark.parametrize("document", [{}, {"now": "2026-02-01"}, {"now": "x"}, {"soon": 1}])
def test_the_clock_wants_an_instant_or_seconds(shop, document):
    assert shop.refused("POST", "clock", **document)


def test_reset_forgets_everything(shop):
    shop.subscribe(1000)
    shop.until("2026-03-01T00:00:00Z")
    shop.local("POST", "reset")
    assert shop.local("GET", "health")["objects"] == {}
    assert shop.local("GET", "clock")["now"].startswith("2026-01-01T00:00:0")


def test_the_same_steps_give_the_same_identifiers(shop):
    def steps() -> Any:
        subscription = shop.subscribe(1000)
        return subscription.id, shop.payment(subscription.latest_invoice).latest_charge.id

    first = steps()
    shop.local("POST", "reset")
    assert steps() == first


def test_an_unknown_control_is_a_404(shop):
    assert shop.refused("GET", "weather") == "there is no GET /_local/weather"


def test_it_starts_as_a_process_and_shares_its_clock_in_a_file(tmp_path):
    file = tmp_path / "clock.json"
    command = [sys.executable, "-m", "infrastructure.local.stripe", "--port", "0"]
    command += ["--clock", str(file), "--start", "2026-01-01T00:00:00Z"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout is not None
    try:
        url = process.stdout.readline().split()[-1]
        answer = requests.post(
            f"{url}/_local/clock", json={"now": "2026-03-10T12:00:00Z"}, timeout=10
        )
        assert answer.status_code == 200
        offset = json.loads(file.read_text(encoding="utf-8"))["offset_seconds"]
        virtual = datetime.fromtimestamp(time.time() + offset, UTC)
        assert virtual.isoformat().startswith("2026-03-10T12:")
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


def test_a_busy_port_is_one_clear_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "infrastructure.local.stripe", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 1
    assert done.stdout.startswith(f"the local Stripe cannot listen on port {port}: ")
    assert done.stderr == ""
