"""Events as envelopes."""

import json
from typing import Any

import pytest
import stripe

from shared.adapters.stripe_events import API_VERSION, envelope, parse_event, unusable
from shared.domain.errors import UntrustedError


def event(**change: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": "charge.dispute.created",
        "created": 1,
        "api_version": API_VERSION,
        "livemode": False,
        "data": {
            "object": {
                "id": "du_1",
                "object": "dispute",
                "status": "needs_response",
                "evidence": {"customer_email_address": "ann@example.com"},
            }
        },
        "request": {"id": None, "idempotency_key": "refund_payment:test:01J0:1"},
    } | change


def test_the_version_is_the_pinned_sdks() -> None:
    assert stripe.api_version == API_VERSION


def test_an_envelope_holds_ids_and_nothing_personal() -> None:
    taken = envelope(event())
    assert taken["object"] == "du_1"
    assert taken["idempotency_key"] == "refund_payment:test:01J0:1"
    assert "ann@example.com" not in json.dumps(taken)


def test_an_expanded_customer_leaves_only_its_id() -> None:
    thing = {"id": "sub_1", "object": "subscription", "customer": {"id": "cus_1", "email": "x"}}
    assert envelope(event(data={"object": thing}))["customer"] == "cus_1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"object": "v2.core.event"}, "thin"),
        ({"api_version": "2025-03-31.basil"}, "api_version"),
        ({"api_version": None}, "api_version"),
        ({"api_version": "2026-11-26.endive"}, None),
        ({"livemode": True}, "livemode"),
        ({"type": "charge.invented"}, "unhandled_type"),
        ({"data": {"object": {}}}, "no_object"),
        ({"data": None}, "no_object"),
    ],
)
def test_an_event_that_cannot_be_used_says_why(change: dict[str, Any], reason: str | None) -> None:
    changed = event(**change)
    assert unusable(changed, envelope(changed), livemode=False) == reason


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"not json", b"null", b"[]", b"{}", b'"text"', b"[" * 200_000, b'{"id":1}'],
    ids=lambda body: repr(body[:10]),
)
def test_a_body_that_is_no_event_is_not_trusted(body: bytes) -> None:
    with pytest.raises(UntrustedError):
        parse_event(body)
