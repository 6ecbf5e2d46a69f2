"""Events as snapshots, thin, and in EventBridge's envelope; secrets that roll."""

import json
from typing import Any

import pytest
import requests
import stripe

# Signatures carry virtual time, which is far from the time of this machine.
NO_TOLERANCE = 10**9


def destination(shop: Any, url: str, payload: str, *events: str) -> Any:
    return shop.client.v2.core.event_destinations.create(
        {
            "name": "sink",
            "type": "webhook_endpoint",
            "event_payload": payload,
            "enabled_events": list(events),
            "webhook_endpoint": {"url": url},
            "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        }
    )


def test_a_thin_event_names_its_object_and_both_can_be_fetched(shop, inbox):
    made = destination(shop, inbox.url, "thin", "v1.customer.created")
    customer = shop.customer()
    shop.settle()
    ((body, signed),) = inbox.taken
    secret = made.webhook_endpoint.signing_secret
    notification = shop.client.parse_event_notification(
        body, signed, secret, tolerance=NO_TOLERANCE
    )
    assert notification.type == "v1.customer.created"
    assert notification.related_object.id == customer.id
    assert notification.fetch_related_object().id == customer.id
    event = shop.client.v2.core.events.retrieve(notification.id)
    assert shop.client.v1.events.retrieve(event.snapshot_event).data.object.id == customer.id
    with pytest.raises(ValueError, match="thin"):
        stripe.Webhook.construct_event(body, signed, secret, NO_TOLERANCE)


def test_a_destination_of_snapshots_gets_what_an_endpoint_gets(shop, inbox):
    made = destination(shop, inbox.url, "snapshot", "customer.created")
    shop.customer()
    shop.settle()
    ((body, signed),) = inbox.taken
    event = stripe.Webhook.construct_event(
        body, signed, made.webhook_endpoint.signing_secret, NO_TOLERANCE
    )
    assert event.type == "customer.created"


def test_a_disabled_or_deleted_destination_gets_nothing(shop, inbox):
    made = destination(shop, inbox.url, "snapshot", "customer.created")
    assert shop.client.v2.core.event_destinations.disable(made.id).status == "disabled"
    shop.customer()
    assert shop.client.v2.core.event_destinations.enable(made.id).status == "enabled"
    shop.client.v2.core.event_destinations.delete(made.id)
    shop.customer()
    shop.settle()
    assert inbox.taken == []


def test_eventbridge_gets_an_envelope_without_a_signature(shop, inbox):
    shop.local("POST", "settings", eventbridge_url=inbox.url)
    made = shop.client.v2.core.event_destinations.create(
        {
            "name": "bus",
            "type": "amazon_eventbridge",
            "event_payload": "snapshot",
            "enabled_events": ["customer.created"],
            "amazon_eventbridge": {"aws_account_id": "000000000000", "aws_region": "eu-west-1"},
        }
    )
    customer = shop.customer()
    shop.settle()
    ((body, signed),) = inbox.taken
    assert signed == ""
    envelope = json.loads(body)
    assert envelope["source"] == f"aws.partner/stripe.com/{made.id}"
    assert made.id.startswith("ed_test_")
    assert (envelope["detail-type"], envelope["region"]) == ("customer.created", "eu-west-1")
    event = shop.client.construct_event_without_verification(body.decode())
    assert event.data.object.id == customer.id


@pytest.mark.parametrize("form", ["snapshot", "thin", "eventbridge"])
def test_the_control_plane_shows_every_event_in_each_form(shop, form):
    shop.customer()
    assert len(shop.local("GET", f"events/{form}")) == len(shop.kinds())


def test_an_unknown_form_is_refused(shop):
    assert "thin or eventbridge" in shop.refused("GET", "events/smoke")


def test_while_a_secret_rolls_both_sign_and_then_only_the_new_one(shop, inbox):
    made = shop.client.v1.webhook_endpoints.create(
        {"url": inbox.url, "enabled_events": ["customer.created"]}
    )
    new = shop.local("POST", f"webhook_endpoints/{made.id}", expires_after_seconds=3600)
    shop.customer()
    shop.settle()
    shop.wait(4000)
    shop.customer()
    shop.settle()
    (first, both), (second, later) = inbox.taken
    assert (both.count("v1="), later.count("v1=")) == (2, 1)
    for body, signed, secret in (
        (first, both, made.secret),
        (first, both, new),
        (second, later, new),
    ):
        stripe.WebhookSignature.verify_header(body.decode(), signed, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(second.decode(), later, made.secret)


def test_a_disabled_endpoint_gets_nothing(shop, inbox):
    made = shop.client.v1.webhook_endpoints.create(
        {"url": inbox.url, "enabled_events": ["customer.created"]}
    )
    assert shop.client.v1.webhook_endpoints.update(made.id, {"disabled": True}).status == "disabled"
    shop.customer()
    shop.settle()
    assert inbox.taken == []


def test_a_v2_body_that_is_not_json_is_refused(shop):
    answer = requests.post(
        f"{shop.server.url}/v2/core/event_destinations",
        data="name=x",
        headers={"Authorization": "Bearer sk_test_x"},
        timeout=10,
    )
    assert answer.status_code == 400
