"""Stripe's events as envelopes: which object to look at, and nothing personal."""

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import UntrustedError

# What the pinned SDK speaks; kept here as a literal so that no import of the SDK is needed to know
# it. A test holds it against the SDK.
API_VERSION = "2026-10-28.endive"

HANDLED = frozenset(
    {
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.payment_failed",
        "invoice.overdue",
        "invoice.paid",
        "invoice.voided",
        "invoice.marked_uncollectible",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "radar.early_fraud_warning.created",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)

# Larger than any event that Stripe describes; what is larger is not worth hashing.
MAX_BODY_BYTES = 512 * 1024


def parse_event(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a verified delivery.

    Raises:
        UntrustedError: it is not UTF-8, not JSON, nested without end, or not an event.
    """
    try:
        event = json.loads(body.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UntrustedError("the body is not JSON") from error
    if not isinstance(event, dict) or not isinstance(event.get("id"), str):
        raise UntrustedError("the body is not an event")
    if not isinstance(event.get("type"), str):
        raise UntrustedError("the event has no type")
    return event


def envelope(event: Mapping[str, Any]) -> dict[str, Any]:
    """What travels on: ids, type, time and status."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, Mapping) else None
    thing = thing if isinstance(thing, Mapping) else {}
    request = event.get("request")
    request = request if isinstance(request, Mapping) else {}
    customer = thing.get("customer")
    return {
        "event": event["id"],
        "type": event["type"],
        "created": event.get("created"),
        "api_version": event.get("api_version"),
        "livemode": event.get("livemode"),
        "object": thing.get("id"),
        "object_kind": thing.get("object"),
        "customer": customer.get("id") if isinstance(customer, Mapping) else customer,
        "status": thing.get("status"),
        "idempotency_key": request.get("idempotency_key"),
    }


def unusable(event: Mapping[str, Any], taken: Mapping[str, Any], *, livemode: bool) -> str | None:
    """Why a verified event is parked instead of processed; None when it can be used."""
    if event.get("object") != "event":
        return "thin"
    if _release(taken["api_version"]) != _release(API_VERSION):
        return "api_version"
    if taken["livemode"] is not livemode:
        return "livemode"
    if taken["type"] not in HANDLED:
        return "unhandled_type"
    if not isinstance(taken["object"], str):
        return "no_object"
    return None


def _release(version: object) -> str | None:
    """The major release in a version: ``endive`` in ``2026-10-28.endive``."""
    return version.partition(".")[2] if isinstance(version, str) else None
