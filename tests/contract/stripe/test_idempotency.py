"""Keys: the first answer is replayed, and only for the same request."""

from typing import Any

import pytest
import requests
import stripe

KEY = {"Authorization": "Bearer sk_test_x", "Idempotency-Key": "k1"}


def post(shop, path, **form) -> Any:
    return requests.post(f"{shop.server.url}/v1/{path}", data=form, headers=KEY, timeout=10)


def test_the_same_request_is_answered_the_same_and_done_once(shop):
    first = post(shop, "customers", name="Ann")
    second = post(shop, "customers", name="Ann")
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(shop.client.v1.customers.list().data) == 1
    assert [entry["replayed"] for entry in shop.local("GET", "requests")[:2]] == [False, True]


def test_other_parameters_are_refused(shop):
    post(shop, "customers", name="Ann")
    answer = post(shop, "customers", name="Ben")
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"
    assert answer.json()["error"]["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first"
        " used with. Try using a key other than 'k1' if you meant to execute a different request."
    )


def test_another_endpoint_is_refused(shop):
    post(shop, "customers", name="Ann")
    answer = post(shop, "products", name="Ann")
    assert answer.status_code == 400
    assert "('/v1/customers' vs '/v1/products')" in answer.json()["error"]["message"]


def test_a_refusal_while_executing_is_remembered(shop):
    payment = shop.paid(1000)
    first = post(shop, "refunds", payment_intent=payment.id, amount=2000)
    second = post(shop, "refunds", payment_intent=payment.id, amount=2000)
    assert (first.status_code, second.status_code) == (400, 400)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_refusal_by_validation_is_not_remembered(shop):
    assert post(shop, "customers", nmae="Ann").status_code == 400
    answer = post(shop, "customers", name="Ann")
    assert answer.status_code == 200
    assert "Idempotent-Replayed" not in answer.headers


def test_a_key_is_forgotten_after_24_hours(shop):
    payment = shop.paid(1000)
    options = {"idempotency_key": "refund-1"}
    params = {"payment_intent": payment.id, "amount": 300}
    first = shop.client.v1.refunds.create(params, options)
    shop.wait(24 * 3600 - 60)
    assert shop.client.v1.refunds.create(params, options).id == first.id
    shop.wait(120)
    assert shop.client.v1.refunds.create(params, options).id != first.id


def test_a_delete_has_no_key(shop):
    subscription = shop.subscribe(1000)
    options = {"idempotency_key": "cancel-1"}
    shop.client.v1.subscriptions.cancel(subscription.id, {}, options)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.subscriptions.cancel(subscription.id, {}, options)
    assert caught.value.http_status == 404


def test_an_event_names_the_request_and_its_key(shop):
    post(shop, "customers", name="Ann")
    event = shop.events("customer.created")[0]
    assert event.request.idempotency_key == "k1"
    assert event.request.id.startswith("req_")
