"""Webhooks: signed, delivered over HTTP, tried again, and doubled on demand."""

from typing import Any

import pytest
import stripe

# Signatures carry virtual time, which is far from the time of this machine.
NO_TOLERANCE = 10**9


def register(shop: Any, inbox: Any, *kinds: str) -> Any:
    return shop.client.v1.webhook_endpoints.create(
        {"url": inbox.url, "enabled_events": list(kinds or ["*"])}
    )


def test_an_event_arrives_signed_and_is_the_one_in_the_list(shop, inbox):
    endpoint = register(shop, inbox)
    assert endpoint.secret.startswith("whsec_")
    customer = shop.client.v1.customers.create({"name": "Ann"}, {"idempotency_key": "k"})
    assert shop.settle() == {
        "pending": 0,
        "delivered": 1,
        "failed": 0,
        "duplicates": 0,
        "dropped": 0,
    }
    body, signature = inbox.taken[0]
    event = stripe.Webhook.construct_event(body, signature, endpoint.secret, NO_TOLERANCE)
    assert (event.type, event.data.object.id) == ("customer.created", customer.id)
    assert event.api_version == stripe.api_version
    assert event.request.idempotency_key == "k"
    listed = shop.client.v1.events.retrieve(event.id)
    assert listed.data.object.id == customer.id
    assert (event.pending_webhooks, listed.pending_webhooks) == (1, 0)


def test_the_signature_is_stamped_by_the_virtual_clock(shop, inbox):
    register(shop, inbox)
    shop.until("2026-03-10T12:00:00Z")
    shop.client.v1.customers.create({})
    shop.settle()
    stamp = int(inbox.taken[0][1].split(",")[0].removeprefix("t="))
    assert 0 <= stamp - inbox.events()[0]["created"] < 60


def test_a_changed_body_or_another_secret_fails(shop, inbox):
    endpoint = register(shop, inbox)
    shop.client.v1.customers.create({})
    shop.settle()
    body, signature = inbox.taken[0]
    for forged, secret in ((body + b" ", endpoint.secret), (body, "whsec_other")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(forged, signature, secret, NO_TOLERANCE)


def test_only_wanted_kinds_are_sent(shop, inbox):
    register(shop, inbox, "product.created")
    shop.client.v1.customers.create({})
    shop.client.v1.products.create({"name": "Line"})
    shop.settle()
    assert [event["type"] for event in inbox.events()] == ["product.created"]


def test_a_refused_delivery_is_tried_again(shop, inbox):
    inbox.answers += [500, 503]
    register(shop, inbox)
    shop.client.v1.customers.create({})
    assert shop.settle() == {
        "pending": 0,
        "delivered": 1,
        "failed": 0,
        "duplicates": 0,
        "dropped": 0,
    }
    assert len({event["id"] for event in inbox.events()}) == 1
    assert len(inbox.taken) == 3


def test_the_snapshot_is_of_the_time_of_the_event(shop, inbox):
    register(shop, inbox, "customer.created", "customer.updated")
    customer = shop.client.v1.customers.create({"name": "Ann"})
    shop.client.v1.customers.update(customer.id, {"name": "Ben"})
    shop.settle()
    by_type = {event["type"]: event["data"] for event in inbox.events()}
    assert by_type["customer.created"]["object"]["name"] == "Ann"
    assert by_type["customer.updated"]["object"]["name"] == "Ben"
    assert by_type["customer.updated"]["previous_attributes"] == {"name": "Ann"}


def test_a_change_that_changes_nothing_tells_nothing(shop, inbox):
    customer = shop.client.v1.customers.create({"name": "Ann"})
    register(shop, inbox)
    shop.client.v1.customers.update(customer.id, {"name": "Ann"})
    assert shop.settle()["delivered"] == 0


def test_deliveries_are_doubled_with_a_probability_and_a_seed(shop, inbox):
    register(shop, inbox, "product.created")

    def duplicates() -> Any:
        shop.local("POST", "faults", kind="duplicate_deliveries", probability=0.5, seed=7)
        for _ in range(20):
            shop.client.v1.products.create({"name": "Line"})
        counts = shop.settle()
        fired = shop.local("GET", "faults")[0]["fired"]
        shop.local("DELETE", "faults")
        return counts["duplicates"], fired

    first, fired = duplicates()
    assert first == fired
    assert 0 < first < 20
    assert len(inbox.taken) == 20 + first
    assert len({event["id"] for event in inbox.events()}) == 20
    total, again = duplicates()
    assert (total, again) == (2 * first, fired)


def test_the_secret_is_told_once(shop, inbox):
    endpoint = register(shop, inbox)
    assert "secret" not in shop.client.v1.webhook_endpoints.retrieve(endpoint.id)
    assert "secret" not in shop.client.v1.webhook_endpoints.list().data[0]


def test_a_deleted_endpoint_gets_nothing(shop, inbox):
    endpoint = register(shop, inbox)
    assert shop.client.v1.webhook_endpoints.delete(endpoint.id).deleted
    shop.client.v1.customers.create({})
    assert shop.settle()["delivered"] == 0


def test_events_are_listed_by_pattern_and_by_delivery(shop, inbox):
    register(shop, inbox, "customer.created")
    customer = shop.customer()
    shop.settle()
    kinds = [event.type for event in shop.events("customer.*")]
    assert kinds == ["customer.updated", "customer.created"]
    two = shop.client.v1.events.list({"types": ["customer.created", "payment_method.attached"]})
    assert [event.type for event in two.data] == ["payment_method.attached", "customer.created"]
    assert shop.client.v1.events.list({"delivery_success": False}).data == []
    assert shop.events("customer.created")[0].data.object.id == customer.id
