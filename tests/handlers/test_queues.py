"""The edges of the queues, the schedule and the webhook."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from functions.do_due_work import handler as do_due_work
from functions.perform_money_effect import handler as perform_effect
from functions.process_stripe_event import handler as process_stripe_event
from functions.receive_stripe_webhook import handler as webhook
from shared.adapters.stripe_events import API_VERSION, MAX_BODY_BYTES
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import UnavailableError
from shared.ports import Put
from tests.application.builders import CUSTOMER, SUBSCRIPTION, chargeback
from tests.fakes.services import START
from tests.handlers.conftest import WEBHOOK_SECRET, HandlerServices
from tests.handlers.events import Context, http_event, sqs_event

ROUTE = "POST /webhooks/stripe"


def event(**change: Any) -> dict[str, Any]:
    thing = {"id": SUBSCRIPTION, "object": "subscription", "customer": CUSTOMER}
    return {
        "id": "evt_1",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1,
        "api_version": API_VERSION,
        "livemode": False,
        "data": {"object": thing},
    } | change


def deliver(services: HandlerServices, body: bytes, *, encoded: bool = False, skew: int = 0) -> int:
    at = int(services.clock.now().timestamp()) + skew
    signed = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
    headers = {"stripe-signature": f"t={at},v1={signed.hexdigest()}"}
    request = http_event(ROUTE, raw=body, headers=headers, encoded=encoded)
    status: int = webhook.lambda_handler(request, None)["statusCode"]
    return status


@pytest.mark.parametrize("encoded", [True, False])
def test_a_signed_event_reaches_the_inbox(services: HandlerServices, *, encoded: bool) -> None:
    assert deliver(services, json.dumps(event()).encode(), encoded=encoded) == 200
    assert [taken["event"] for taken in services.inbox] == ["evt_1"]


@pytest.mark.clause("voip.activation")
def test_a_signed_first_payment_brings_the_set_up_mail(services: HandlerServices) -> None:
    services.billing.invoices["in_1"] = replace(
        services.billing.invoices["in_1"], customer=CUSTOMER, paid_at=START, created_at=START
    )
    invoice = {"id": "in_1", "object": "invoice", "customer": CUSTOMER}
    paid = event(type="invoice.paid", data={"object": invoice})
    assert deliver(services, json.dumps(paid).encode()) == 200
    process_stripe_event.lambda_handler(sqs_event(*services.inbox), Context())
    services.run_effects()
    assert [mail["template"] for mail in services.mailer.sent] == ["account_activated"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "charge.invented"}, "unhandled_type"),
        ({"api_version": "2025-03-31.basil"}, "api_version"),
        ({"object": "v2.core.event"}, "thin"),
        ({"livemode": True}, "livemode"),
    ],
)
def test_a_signed_event_that_cannot_be_used_is_parked(
    services: HandlerServices, change: dict[str, Any], reason: str
) -> None:
    assert deliver(services, json.dumps(event(**change)).encode()) == 200
    assert services.inbox == []
    assert [why for _, why in services.parked] == [reason]


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe\x00", b"not json", b"null", b"{}", b"x" * (MAX_BODY_BYTES + 1)],
    ids=["empty", "not UTF-8", "not JSON", "null", "no event", "too large"],
)
def test_a_signed_body_that_is_no_event_is_refused(services: HandlerServices, body: bytes) -> None:
    assert deliver(services, body, encoded=True) == 400
    assert (services.inbox, services.parked) == ([], [])


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_stale_or_future_delivery_is_refused(services: HandlerServices, skew: int) -> None:
    assert deliver(services, json.dumps(event()).encode(), skew=skew) == 400
    assert services.inbox == []


def test_an_unsigned_delivery_is_refused(services: HandlerServices) -> None:
    answer = webhook.lambda_handler(http_event(ROUTE, body=event()), None)
    assert answer["statusCode"] == 400
    assert services.inbox == []


def test_a_body_that_breaks_its_own_encoding_is_refused(services: HandlerServices) -> None:
    request = http_event(ROUTE, raw=b"", encoded=True) | {"body": "%%%"}
    assert webhook.lambda_handler(request, None)["statusCode"] == 400
    assert services.inbox == []


def test_only_the_failed_messages_of_a_batch_come_back(services: HandlerServices) -> None:
    services.billing.disputes["du_1"] = chargeback()
    good = {
        "event": "evt_1",
        "type": "charge.dispute.created",
        "object": "du_1",
        "object_kind": "dispute",
        "customer": None,
    }
    unknown = good | {"event": "evt_2", "object": "du_unknown"}
    batch = sqs_event(good, "not json", unknown)
    answer = process_stripe_event.lambda_handler(batch, Context())
    assert [failed["itemIdentifier"] for failed in answer["batchItemFailures"]] == ["m1", "m2"]
    assert services.brought_back == [("m1", 2), ("m2", 2)]


@pytest.mark.parametrize(("received", "seconds"), [(1, 2), (3, 60), (7, 3600), (99, 3600)])
def test_a_message_that_fails_stays_away_ever_longer(
    services: HandlerServices, received: int, seconds: int
) -> None:
    process_stripe_event.lambda_handler(sqs_event("not json", received=received), Context())
    assert services.brought_back == [("m0", seconds)]


def test_nothing_is_begun_that_could_be_cut_off(services: HandlerServices) -> None:
    """The first message finds time, the second does not: it is untouched and comes back at once."""
    for name in ("01A", "01B"):
        due_effect(services, name)
    batch = sqs_event(*({"customer": CUSTOMER, "effect": name} for name in ("01A", "01B")))
    answer = perform_effect.lambda_handler(batch, Context(60, 29.9))
    assert [failed["itemIdentifier"] for failed in answer["batchItemFailures"]] == ["m1"]
    assert services.brought_back == [("m1", 0)]
    attempts = {one.id: one.attempts for one in services.effects(CUSTOMER, EffectKind.SEND_MAIL)}
    assert attempts == {"01A": 1, "01B": 0}


@pytest.mark.usefixtures("services")
def test_a_message_that_cannot_be_brought_back_only_stays_away_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("queue")

    monkeypatch.setattr(HandlerServices, "bring_back", fail)
    answer = process_stripe_event.lambda_handler(sqs_event("not json"), Context())
    assert len(answer["batchItemFailures"]) == 1


@pytest.mark.parametrize("body", ["not json", {"customer": CUSTOMER}])
def test_a_failure_that_cannot_be_counted_brings_its_message_back_all_the_same(
    services: HandlerServices, body: object
) -> None:
    answer = perform_effect.lambda_handler(sqs_event(body), Context())
    assert [failed["itemIdentifier"] for failed in answer["batchItemFailures"]] == ["m0"]
    assert services.brought_back == [("m0", 2)]


def test_an_effect_that_is_not_stored_comes_back(services: HandlerServices) -> None:
    assert services.store.commits
    answer = perform_effect.lambda_handler(
        sqs_event({"customer": CUSTOMER, "effect": "01J0"}), Context()
    )
    assert len(answer["batchItemFailures"]) == 1


def test_an_attempt_that_breaks_off_is_counted_and_its_message_comes_back(
    services: HandlerServices,
) -> None:
    due_effect(services, "01A")
    services.billing.fail_before["contact"] = [ZeroDivisionError("a bug")]
    batch = sqs_event({"customer": CUSTOMER, "effect": "01A"})
    answer = perform_effect.lambda_handler(batch, Context())
    assert len(answer["batchItemFailures"]) == 1
    stored = services.store.get(Effect, CUSTOMER, "01A")
    assert stored is not None
    assert stored.record.attempts == 2  # the one that was stored before it broke off, and itself


def due_effect(services: HandlerServices, name: str) -> None:
    now = services.clock.now()
    services.store.commit(
        [
            Put(
                Effect(
                    id=name,
                    customer=CUSTOMER,
                    kind=EffectKind.SEND_MAIL,
                    params={"template": "case_evidence_reminder", "values": {"case": "c"}},
                    status=EffectStatus.PENDING,
                    created_at=now,
                    next_attempt_at=now,
                    environment="test",
                ),
                0,
            )
        ]
    )


def test_a_piece_of_due_work_that_fails_holds_nothing_up(services: HandlerServices) -> None:
    for name in ("01A", "01B", "01C"):
        due_effect(services, name)
    services.waker.fail_next = [ZeroDivisionError("a bug")]
    assert do_due_work.lambda_handler({"work": "due"}, Context()) == {"failed": 1, "woken": 2}
    assert len(services.waker.woken) == 2


def test_each_part_does_its_own_and_with_little_time_left_nothing_is_begun(
    services: HandlerServices,
) -> None:
    for number in range(40):
        due_effect(services, f"01{number:02}")
    assert do_due_work.lambda_handler({"work": "due"}, Context(60, 60, 14)) == {"woken": 2}
    services.waker.woken.clear()
    done = [
        do_due_work.lambda_handler({"work": "due", "part": part, "parts": 4}, Context())["woken"]
        for part in range(4)
    ]
    assert sum(done) == 40
    assert max(done) < 40
    assert len({woken[1] for woken in services.waker.woken}) == 40


@pytest.mark.usefixtures("services")
def test_nothing_due_is_nothing_done() -> None:
    assert do_due_work.lambda_handler({"work": "due"}, Context()) == {}
