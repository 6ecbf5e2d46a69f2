"""The three forms in which an event travels: snapshot, thin, and in EventBridge's envelope."""

import uuid
from typing import Any

from infrastructure.local.stripe.clock import format_instant
from infrastructure.local.stripe.resources import RESOURCES
from infrastructure.local.stripe.state import Json, Store, snapshot

URLS = {resource.kind: resource.url for resource in RESOURCES}
# Stripe's region for a test account's partner events is the destination's own.
ACCOUNT = "000000000000"


def thin_type(kind: str) -> str:
    """`charge.dispute.created` is `v1.charge.dispute.created` (SDK: endive's event classes)."""
    return f"v1.{kind}"


def thin(event: Json) -> Json:
    """What happened to which object, without the object (SDK: v2.core.event notification)."""
    thing = event["data"]["object"]
    request = event["request"] or {}
    form: Json = {
        "id": event["id"],
        "object": "v2.core.event",
        "type": thin_type(event["type"]),
        "created": format_instant(event["created"]),
        "livemode": False,
        "related_object": {
            "id": thing["id"],
            "type": thing["object"],
            "url": f"{URLS.get(thing['object'], '/v1/' + thing['object'])}/{thing['id']}",
        },
    }
    if request.get("id"):
        form["reason"] = {"type": "request", "request": snapshot(request)}
    return form


def retrieved(event: Json) -> Json:
    """A thin event fetched from the API, which names its snapshot (SDK)."""
    return {**thin(event), "snapshot_event": event["id"]}


def eventbridge(event: Json, destination: str, region: str) -> Json:
    """The envelope of a partner event source (sample in the SDK's source distribution).

    It has no signature; the source's name tells a sandbox by `ed_test_`.
    """
    source = f"aws.partner/stripe.com/{destination}"
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{destination}/{event['id']}")),
        "detail-type": event["type"],
        "source": source,
        "account": ACCOUNT,
        "time": format_instant(event["created"]),
        "region": region,
        "resources": [],
        "detail": snapshot(event),
    }


def rendered(store: Store, form: str) -> list[Any]:
    """All events in a form, the oldest first; for the control plane."""
    events = list(store.rows("event"))[::-1]
    match form:
        case "thin":
            return [thin(event) for event in events]
        case "eventbridge":
            return [eventbridge(event, "ed_test_local", "eu-central-1") for event in events]
        case "snapshot":
            return [snapshot(event) for event in events]
    raise ValueError(f"an event's form is snapshot, thin or eventbridge, not {form!r}")
