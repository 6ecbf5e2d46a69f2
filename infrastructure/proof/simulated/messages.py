"""Whether everybody who had to hear of something heard of it, and once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.domain.cancellation import Cancellation, CancellationState
from shared.domain.effects import Effect, EffectKind
from shared.domain.ledger import LedgerEntry
from shared.domain.refund_operation import RefundOperation

if TYPE_CHECKING:
    from infrastructure.proof.simulated.lifetime import Lifetime

# The clocks of two workers may differ by as much and more.
MESSAGES = (EffectKind.SEND_MAIL, EffectKind.PUBLISH_EVENT)
AT_ONCE = timedelta(minutes=10)


def judge_messages(life: Lifetime) -> Iterator[tuple[str, str]]:
    """I20: each thing that happened was told under one id, by mail and as an event."""
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (_, name), (what, content) in life.world.watch.sent_out.items():
        for subject in _subjects(content):
            told[what, subject].add(name)
    for effect in life.world.table.every(Effect):
        # Given up after its whole ladder, in front of a person.
        if effect.kind in MESSAGES and effect.status == "needs_person":
            content = effect.params.get("values") or effect.params["detail"]
            for subject in _subjects(content):
                told[effect.params.get("template") or effect.params["name"], subject].add(effect.id)
    for what, subject in _expected(life):
        times = len(told[what, subject])
        if times != 1:
            yield "I20", f"{what} of {subject} was told {times} times"


def _subjects(content: Mapping[str, Any]) -> list[str]:
    return [str(content[m]) for m in ("refund", "cancellation", "dispute") if content.get(m)]


def _expected(life: Lifetime) -> Iterator[tuple[str, str]]:
    table = life.world.table
    operations = {one.id for one in table.every(RefundOperation)}
    for entry in table.every(LedgerEntry):
        if entry.what in ("refund", "refund_failed") and entry.cause in operations:
            issued = entry.what == "refund"
            yield ("refund_issued" if issued else "refund_failed"), entry.cause
            yield ("RefundIssued" if issued else "RefundFailed"), entry.cause
    for one in table.every(Cancellation):
        if one.effective_at > one.requested_at + AT_ONCE:
            yield "cancellation_scheduled", one.id
            yield "CancellationScheduled", one.id
        if one.state is CancellationState.WITHDRAWN:
            yield "cancellation_withdrawn", one.id
            yield "CancellationWithdrawn", one.id
        elif (
            one.state is CancellationState.EXECUTED and one.effective_at <= life.world.hub.instant()
        ):
            yield "SubscriptionEnded", one.id
