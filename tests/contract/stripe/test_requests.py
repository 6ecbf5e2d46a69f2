"""What Stripe refuses before it does anything."""

from typing import Any

import pytest
import requests
import stripe


def refusal(call: Any, *args: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*args)
    return caught.value


def test_an_unknown_parameter_is_refused_and_nothing_happens(shop):
    error = refusal(shop.client.v1.customers.create, {"nickname": "x"})
    assert error.http_status == 400
    assert error.code == "parameter_unknown"
    assert error.param == "nickname"
    assert error.user_message == "Received unknown parameter: nickname"
    assert shop.client.v1.customers.list().data == []


def test_an_unknown_parameter_deep_inside_is_named_by_its_path(shop):
    error = refusal(
        shop.client.v1.subscriptions.create, {"customer": "cus_x", "items": [{"prize": "p"}]}
    )
    assert error.user_message == "Received unknown parameter: items[0][prize]"


def test_a_missing_parameter_is_named(shop):
    error = refusal(shop.client.v1.credit_notes.create, {"amount": 1})
    assert (error.code, error.param) == ("parameter_missing", "invoice")
    assert error.user_message == "Missing required param: invoice."


def test_an_integer_must_be_one(shop):
    error = refusal(shop.client.v1.refunds.create, {"payment_intent": "pi_x", "amount": "1.5"})
    assert (error.code, error.user_message) == (
        "parameter_invalid_integer",
        "Invalid integer: 1.5",
    )


def test_an_enumeration_lists_its_values(shop):
    error = refusal(shop.client.v1.refunds.create, {"payment_intent": "pi", "reason": "whim"})
    assert error.user_message == (
        "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer"
    )


def test_an_empty_value_cannot_unset_what_cannot_be_unset(shop):
    error = refusal(shop.client.v1.refunds.create, {"payment_intent": ""})
    assert error.code == "parameter_invalid_empty"
    assert "'payment_intent' cannot be unset" in error.user_message


def test_what_stripe_knows_and_this_server_does_not_is_refused_loudly(shop):
    subscription = shop.subscribe(1000)
    params = {"add_invoice_items": [{"price": "price_x"}]}
    error = refusal(shop.client.v1.subscriptions.update, subscription.id, params)
    assert error.code == "local_stripe_unmodelled"
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_an_absent_object_is_a_404_that_names_it(shop):
    error = refusal(shop.client.v1.customers.retrieve, "cus_absent")
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert error.user_message == "No such customer: 'cus_absent'"


def test_an_unknown_address_is_a_404(shop):
    answer = requests.get(
        f"{shop.server.url}/v1/nonsense", headers={"Authorization": "Bearer sk_test_x"}, timeout=10
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith(
        "Unrecognized request URL (GET: /v1/nonsense)."
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="no key"),
        pytest.param({"Authorization": "Bearer sk_live_abcdefgh"}, 401, id="a live key"),
        pytest.param({"Authorization": "Basic !"}, 401, id="broken Basic"),
        pytest.param({"Authorization": "Bearer sk_test_any"}, 200, id="Bearer"),
        pytest.param({"Authorization": "Basic c2tfdGVzdF9hbnk6"}, 200, id="Basic"),
    ],
)
def test_any_test_key_opens_and_nothing_else(shop, headers, status):
    answer = requests.get(f"{shop.server.url}/v1/customers", headers=headers, timeout=10)
    assert answer.status_code == status


def test_a_foreign_api_version_is_refused(shop):
    headers = {"Authorization": "Bearer sk_test_x", "Stripe-Version": "2020-08-27"}
    answer = requests.get(f"{shop.server.url}/v1/customers", headers=headers, timeout=10)
    assert answer.status_code == 400


def test_every_request_is_in_the_log(shop):
    shop.client.v1.customers.create({"name": "Ann"}, {"idempotency_key": "k"})
    entry = shop.local("GET", "requests")[-1]
    assert entry == {
        "method": "POST",
        "path": "/v1/customers",
        "params": {"name": "Ann"},
        "idempotency_key": "k",
        "status": 200,
        "replayed": False,
    }
