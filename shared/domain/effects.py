"""Effects: everything that touches the world, and when which attempt is safe.

An effect is stored in the transaction of the decision that wants it. Its key is persisted before
the first call. Stripe forgets a key after a day at the earliest and replays a stored 5xx until
then, so an attempt is one of: the same key again, a look-up first, or waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.domain.errors import BrokenInvariantError

# Stripe keeps keys for at least 24 h; four hours are left for clock skew and slow retries.
KEY_LIFETIME = timedelta(hours=20)
# Longer than a request can still be executing at Stripe after we have given up on it.
SETTLE_TIME = timedelta(minutes=15)
# Quick at first for a cut connection, then hourly, then a working week of daily tries.
RETRY_LADDER = (
    timedelta(seconds=2),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
)
# A new effect is woken by a message at once; the sweeper takes it up when that was lost.
SWEEP_AFTER = timedelta(minutes=2)


class EffectKind(StrEnum):
    """What an effect does; the values appear in idempotency keys and never change."""

    SCHEDULE_CANCELLATION = "schedule_cancellation"
    UNSCHEDULE_CANCELLATION = "unschedule_cancellation"
    CANCEL_SUBSCRIPTION = "cancel_subscription"
    SWEEP_CHARGES = "sweep_charges"
    REMOVE_CHARGE = "remove_charge"
    ADD_CHARGE = "add_charge"
    FINALIZE_DRAFT = "finalize_draft"
    VOID_INVOICE = "void_invoice"
    REFUND_PAYMENT = "refund_payment"
    ISSUE_CREDIT_NOTE = "issue_credit_note"
    GIVE_CREDIT = "give_credit"
    LOOK_AT_INVOICE = "look_at_invoice"
    COLLECT_CREDITS = "collect_credits"
    PROPOSE_CREDIT = "propose_credit"
    RELEASE_CREDITS = "release_credits"
    CARRY_OUT_CREDIT = "carry_out_credit"
    CARRY_OUT_DECLARATION = "carry_out_declaration"
    PLAN_COLLECTION = "plan_collection"
    PAUSE_COLLECTION = "pause_collection"
    RESUME_COLLECTION = "resume_collection"
    HOLD_INVOICE = "hold_invoice"
    RELEASE_INVOICE = "release_invoice"
    PREPARE_EVIDENCE = "prepare_evidence"
    STAGE_EVIDENCE = "stage_evidence"
    SUBMIT_EVIDENCE = "submit_evidence"
    ACCEPT_DISPUTE = "accept_dispute"
    DRAFT_DEBT = "draft_debt"
    FILL_DEBT = "fill_debt"
    SEND_DEBT = "send_debt"
    RECORD_RESULT = "record_result"
    PREVENT_DISPUTE = "prevent_dispute"
    SEND_MAIL = "send_mail"
    EXPORT_DATA = "export_data"
    CORRECT_PERSON = "correct_person"
    CORRECT_SIGN_INS = "correct_sign_ins"
    DESTROY_DATA_KEY = "destroy_data_key"
    DELETE_FILES = "delete_files"
    DELETE_FILE = "delete_file"
    DELETE_SIGN_INS = "delete_sign_ins"
    FORGET_RECORDS = "forget_records"
    TELL_OF_TERMS = "tell_of_terms"
    PUBLISH_EVENT = "publish_event"
    ALERT = "alert"


class Lane(StrEnum):
    """Which queue an effect goes through: what is stuck in one holds up no other.

    Money is what lets money leave, or changes what a customer is billed: it passes the money gate.
    """

    MONEY = "money"
    CANCELLATION = "cancellation"
    NOTIFICATION = "notification"
    PRIVACY = "privacy"
    EVIDENCE = "evidence"


# Everything else changes what Stripe bills: cancellations, collection and what goes with them.
_LANES = {
    EffectKind.REFUND_PAYMENT: Lane.MONEY,
    EffectKind.ISSUE_CREDIT_NOTE: Lane.MONEY,
    EffectKind.ADD_CHARGE: Lane.MONEY,
    EffectKind.GIVE_CREDIT: Lane.MONEY,
    EffectKind.DRAFT_DEBT: Lane.MONEY,
    EffectKind.FILL_DEBT: Lane.MONEY,
    EffectKind.SEND_DEBT: Lane.MONEY,
    EffectKind.SEND_MAIL: Lane.NOTIFICATION,
    EffectKind.PUBLISH_EVENT: Lane.NOTIFICATION,
    EffectKind.ALERT: Lane.NOTIFICATION,
    EffectKind.EXPORT_DATA: Lane.PRIVACY,
    EffectKind.CORRECT_PERSON: Lane.PRIVACY,
    EffectKind.CORRECT_SIGN_INS: Lane.PRIVACY,
    EffectKind.DESTROY_DATA_KEY: Lane.PRIVACY,
    EffectKind.DELETE_FILES: Lane.PRIVACY,
    EffectKind.DELETE_FILE: Lane.PRIVACY,
    EffectKind.DELETE_SIGN_INS: Lane.PRIVACY,
    EffectKind.FORGET_RECORDS: Lane.PRIVACY,
    EffectKind.TELL_OF_TERMS: Lane.PRIVACY,
    EffectKind.PREPARE_EVIDENCE: Lane.EVIDENCE,
    EffectKind.STAGE_EVIDENCE: Lane.EVIDENCE,
    EffectKind.SUBMIT_EVIDENCE: Lane.EVIDENCE,
    EffectKind.ACCEPT_DISPUTE: Lane.EVIDENCE,
    EffectKind.RECORD_RESULT: Lane.EVIDENCE,
}


class EffectStatus(StrEnum):
    """The life of an effect; `sent` stays until an outcome is known."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    REJECTED = "rejected"
    NEEDS_PERSON = "needs_person"


class Attempt(StrEnum):
    """What may be done with an effect now."""

    SEND = "send"
    LOOK_UP_FIRST = "look_up_first"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Effect:
    """One intended change of the world outside.

    `params` is frozen when the effect is made: an edit is a new effect; only a sealed address goes
    once the effect has ended. `sent_at` is when the
    current epoch's key was first used, `last_sent_at` when it was last used. `sent_in` is the
    life of the table in which it was made or last sent; its item's own `incarnation` moves with
    every write and would forget that.
    """

    id: str
    customer: str
    kind: EffectKind
    params: Mapping[str, Any]
    status: EffectStatus
    created_at: datetime
    next_attempt_at: datetime
    environment: str
    sent_in: int = 1
    epoch: int = 0
    attempts: int = 0
    ambiguous: bool = False
    key: str | None = None
    sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the sweeper takes it up; None when it has ended."""
        open_ = self.status in (EffectStatus.PENDING, EffectStatus.SENT)
        return self.next_attempt_at if open_ else None

    @property
    def lane(self) -> Lane:
        """Which queue it goes through."""
        return _LANES.get(self.kind, Lane.CANCELLATION)

    def sending(
        self, now: datetime, *, incarnation: int, nothing_found_at: datetime | None = None
    ) -> "Effect":
        """The effect as it must be stored before the call goes out, in this life of the table.

        Args:
            now: the present.
            incarnation: the life of the table.
            nothing_found_at: when a look-up was begun that found nothing of an earlier request.
                Only then is there another key.

        Raises:
            BrokenInvariantError: it has ended, contradicts itself, or would get a second key while
                a request under the first may still be executing.
        """
        self._must_be_open()
        self.must_be_whole()
        new_epoch = self.sent_at is None or nothing_found_at is not None
        epoch = self.epoch + 1 if new_epoch else self.epoch
        key = f"{self.kind.value}:{self.environment}:{self.id}:{epoch}"
        known_late = nothing_found_at is not None and may_rotate(self, nothing_found_at)
        if self.key not in (None, key) and not known_late:
            raise BrokenInvariantError(f"effect {self.id} would be sent under two keys at once")
        step = RETRY_LADDER[min(self.attempts, len(RETRY_LADDER) - 1)]
        return replace(
            self,
            status=EffectStatus.SENT,
            sent_in=incarnation,
            epoch=epoch,
            key=key,
            attempts=self.attempts + 1,
            ambiguous=False if new_epoch else self.ambiguous,
            sent_at=now if new_epoch else self.sent_at,
            last_sent_at=now,
            # The same message or the sweeper comes back here when nobody hears of this attempt.
            next_attempt_at=now + max(step, SWEEP_AFTER),
        )

    @property
    def exhausted(self) -> bool:
        """Whether the whole ladder has been climbed: only a person can say what came of it."""
        return self.attempts > len(RETRY_LADDER)

    def tried(self) -> "Effect":
        """The effect after an attempt that failed before anything was sent."""
        return replace(self, attempts=self.attempts + 1)

    def retrying(self, now: datetime, *, ambiguous: bool = False) -> "Effect":
        """The effect after an attempt whose outcome is open: later again."""
        return replace(
            self,
            ambiguous=self.ambiguous or ambiguous,
            next_attempt_at=now + RETRY_LADDER[min(self.attempts, len(RETRY_LADDER)) - 1],
        )

    def waiting_until(self, at: datetime) -> "Effect":
        """The effect left alone until just after `at`."""
        return replace(self, next_attempt_at=at + timedelta(seconds=1))

    def done(self, result: Mapping[str, Any]) -> "Effect":
        """The effect with its result."""
        self._must_be_open()
        params = _without_address(self.params)
        return replace(self, status=EffectStatus.DONE, params=params, result=result)

    def rejected(self, reason: str) -> "Effect":
        """The effect refused for good."""
        self._must_be_open()
        params = _without_address(self.params)
        return replace(self, status=EffectStatus.REJECTED, params=params, reason=reason)

    def handed_over(self, reason: str) -> "Effect":
        """The effect that a person has to look at."""
        self._must_be_open()
        return replace(self, status=EffectStatus.NEEDS_PERSON, reason=reason)

    def must_be_whole(self) -> None:
        """What it says of itself fits together: all of a request is on record, or nothing.

        Raises:
            BrokenInvariantError: it does not, so nobody knows what was sent.
        """
        if self.epoch:
            own = f"{self.kind.value}:{self.environment}:{self.id}:{self.epoch}"
            sent = self.sent_at is not None and self.last_sent_at is not None
            whole = sent and self.key == own and self.status is not EffectStatus.PENDING
        else:
            sent = bool(self.key or self.sent_at or self.last_sent_at)
            whole = not sent and self.status is not EffectStatus.SENT
        if not whole or (self.due_at is not None and self.result):
            raise BrokenInvariantError(
                f"effect {self.id} is {self.status} with key {self.key} in epoch {self.epoch}"
            )

    def _must_be_open(self) -> None:
        """No end of an effect is taken back."""
        if self.due_at is None:
            raise BrokenInvariantError(f"effect {self.id} has ended as {self.status}")


def _without_address(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the sealed address of somebody who is no customer: nobody needs it any more."""
    to = params.get("to")
    return {**params, "to": {"place": to["place"]}} if isinstance(to, Mapping) else params


def decide_attempt(effect: Effect, now: datetime, incarnation: int) -> Attempt:
    """Which attempt is safe now.

    The same key is safe while Stripe remembers it. After that, or when the stored answer is a
    5xx, only a look-up tells; and a look-up that finds nothing tells it only once the last
    request can no longer be executing. In a table that was restored from a backup, what an effect
    says of itself may be old: whatever was not sent in this life of the table is looked up first.

    Once tried, an effect waits for its next instant: a repeated message must not climb the ladder.
    """
    if effect.status not in (EffectStatus.PENDING, EffectStatus.SENT):
        return Attempt.NOTHING
    if effect.attempts and now < effect.next_attempt_at:
        return Attempt.NOTHING
    if effect.sent_in != incarnation or (effect.sent_at is None and incarnation > 1):
        return Attempt.LOOK_UP_FIRST
    if effect.sent_at is None:
        return Attempt.SEND
    if not effect.ambiguous and now - effect.sent_at <= KEY_LIFETIME:
        return Attempt.SEND
    return Attempt.LOOK_UP_FIRST


def may_rotate(effect: Effect, now: datetime) -> bool:
    """Whether a look-up that found nothing allows a new key."""
    return effect.last_sent_at is None or now - effect.last_sent_at > SETTLE_TIME
