"""Each effect is told to the consumer of its lane, and one lane's failure silences no other."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from shared.adapters.sqs_queues import SqsEffectWaker
from shared.application.effects import messages
from shared.domain.effects import Effect, EffectKind, EffectStatus, Lane
from shared.domain.errors import UnavailableError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URLS = {lane: f"https://queue/{lane}" for lane in Lane}


class FakeSqs:
    def __init__(self, broken: str | None = None) -> None:
        self.broken = broken
        self.sent: list[tuple[str, str]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        if QueueUrl == self.broken:
            raise EndpointConnectionError(endpoint_url=QueueUrl)
        assert 0 < len(Entries) <= 10
        self.sent += [(QueueUrl, json.loads(entry["MessageBody"])["effect"]) for entry in Entries]
        return {}


def effect(kind: EffectKind, name: str) -> Effect:
    return Effect(name, "cus_ann", kind, {}, EffectStatus.PENDING, NOW, NOW, "test")


def test_every_kind_goes_to_the_queue_of_its_lane() -> None:
    sqs = FakeSqs()
    SqsEffectWaker(sqs, URLS).wake([effect(kind, kind.value) for kind in EffectKind])
    assert sorted(sqs.sent) == sorted((URLS[effect(k, k).lane], k.value) for k in EffectKind)
    money = {name for url, name in sqs.sent if url == URLS[Lane.MONEY]}
    assert money == {
        "refund_payment",
        "issue_credit_note",
        "give_credit",
        "add_charge",
        "draft_debt",
        "fill_debt",
        "send_debt",
    }
    told = {name for url, name in sqs.sent if url == URLS[Lane.NOTIFICATION]}
    # Only their consumer has a mailer and a bus.
    assert told == {kind.value for kind in messages.PERFORMERS}


def test_many_effects_are_sent_ten_at_a_time() -> None:
    sqs = FakeSqs()
    effects = [effect(EffectKind.SEND_MAIL, f"01{number:02d}") for number in range(23)]
    SqsEffectWaker(sqs, URLS).wake(effects, delay_seconds=3)
    assert len(sqs.sent) == 23


def test_a_queue_that_is_away_keeps_no_other_from_being_told() -> None:
    sqs = FakeSqs(broken=URLS[Lane.MONEY])
    effects = [effect(kind, kind.value) for kind in EffectKind]
    with pytest.raises(UnavailableError, match="money"):
        SqsEffectWaker(sqs, URLS).wake(effects)
    assert {url for url, _ in sqs.sent} == {URLS[lane] for lane in Lane if lane is not Lane.MONEY}
