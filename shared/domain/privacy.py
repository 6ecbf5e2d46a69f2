"""Privacy requests: what a person may ask of their data, and each request's one way to its answer.

Every request is answered within thirty days of its receipt. An erasure waits out a cooling-off
period (a minor's does not) and whatever the law or an open matter puts before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.account import Account
from shared.domain.errors import BrokenInvariantError

ANSWER_WITHIN = timedelta(days=30)
# A person still has a week to act when a request is escalated.
ESCALATE_BEFORE = timedelta(days=7)
CONFIRM_WITHIN = timedelta(hours=1)
CODE_TRIES = 5
# Long enough to notice that somebody else has asked for it; two of these fit before the answer.
COOLING_OFF = timedelta(days=14)
LOOK_AGAIN = timedelta(days=1)
# A sign-in that is not older than this confirms by itself.
FRESH_SIGN_IN = timedelta(minutes=10)
EXPORT_KEPT = timedelta(days=7)


class RequestKind(StrEnum):
    """What is asked."""

    ACCESS = "access"  # a copy, which is portable too
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"  # or consent withdrawn


class RequestState(StrEnum):
    """The life of a privacy request."""

    UNCONFIRMED = "unconfirmed"
    OPEN = "open"
    COOLING_OFF = "cooling_off"
    DEFERRED = "deferred"
    ERASING = "erasing"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    NEEDS_PERSON = "needs_person"


_S = RequestState
_BEGUN = frozenset({_S.OPEN, _S.COOLING_OFF, _S.ANSWERED})
STEPS: dict[RequestState, frozenset[RequestState]] = {
    _S.UNCONFIRMED: _BEGUN | {_S.LAPSED, _S.WITHDRAWN},
    _S.OPEN: frozenset({_S.ANSWERED, _S.NEEDS_PERSON, _S.WITHDRAWN}),
    _S.COOLING_OFF: frozenset({_S.DEFERRED, _S.ERASING, _S.WITHDRAWN}),
    _S.DEFERRED: frozenset({_S.DEFERRED, _S.ERASING, _S.WITHDRAWN}),
    # It is put off again only as long as the key is there; there is no taking it back any more.
    _S.ERASING: frozenset({_S.DEFERRED, _S.ANSWERED, _S.NEEDS_PERSON}),
    _S.NEEDS_PERSON: frozenset({_S.ANSWERED}),
    _S.ANSWERED: frozenset(),
    _S.WITHDRAWN: frozenset(),
    _S.LAPSED: frozenset(),
}
ENDED = frozenset({_S.ANSWERED, _S.WITHDRAWN, _S.LAPSED})


class Ground(StrEnum):
    """Why somebody is erased."""

    REQUEST = "request"
    MINOR = "minor"


class Deferral(StrEnum):
    """What puts off an erasure; each is told to the person."""

    LEGAL_HOLD = "legal_hold"
    OPEN_DISPUTE = "open_dispute"
    OPEN_CASE = "open_case"
    UNPAID_BALANCE = "unpaid_balance"
    RUNNING_SUBSCRIPTION = "running_subscription"
    MONEY_UNDER_WAY = "money_under_way"


@dataclass(frozen=True, slots=True)
class OperatorStep:
    """Something that only a person can do elsewhere, and who has done it."""

    name: str
    instruction: str
    done_at: datetime | None = None
    done_by: str | None = None


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """One request of a person about their data.

    `made_by` is the customer, or the member of staff who asks on their behalf. `content` is sealed:
    what to correct, or what staff gave as the reason. `done` and `kept` are the answer.
    """

    id: str
    customer: str
    kind: RequestKind
    state: RequestState
    made_by: str
    received_at: datetime
    answer_by: datetime
    check_at: datetime | None
    on: bool = True
    ground: Ground = Ground.REQUEST
    code_digest: str | None = None
    tries: int = 0
    deferred: tuple[Deferral, ...] = ()
    escalated_at: datetime | None = None
    content: bytes | None = None
    done: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    answered_at: datetime | None = None
    archive: str | None = None
    archive_until: datetime | None = None
    operator_steps: tuple[OperatorStep, ...] = ()

    @property
    def ended_at(self) -> datetime | None:
        """From when its term counts: the answer, or the receipt of one that came to nothing."""
        if self.state in (_S.WITHDRAWN, _S.LAPSED):
            return self.received_at
        return None if self.open_steps else self.answered_at

    @property
    def open_steps(self) -> tuple[OperatorStep, ...]:
        """What a person has still to do elsewhere."""
        return tuple(step for step in self.operator_steps if step.done_at is None)

    @property
    def escalate_at(self) -> datetime | None:
        """When a person must hear of it; None when nothing is left to be done."""
        over = self.state in ENDED and not self.open_steps
        waits = self.state is _S.UNCONFIRMED or over or self.escalated_at is not None
        return None if waits else self.answer_by - ESCALATE_BEFORE

    @property
    def due_at(self) -> datetime | None:
        """When it must be looked at next."""
        times = [at for at in (self.check_at, self.escalate_at) if at is not None]
        return min(times, default=None)

    def step(self, state: RequestState, **change: object) -> "PrivacyRequest":
        """The request in `state`.

        Raises:
            BrokenInvariantError: that state does not follow this one.
        """
        if state not in STEPS[self.state]:
            raise BrokenInvariantError(f"privacy request {self.id}: {self.state} then {state}")
        return replace(self, state=state, **change)  # type: ignore[arg-type]

    def with_code(self, digest: str, tries: int, until: datetime) -> "PrivacyRequest":
        """The request as it waits for the code with this digest."""
        return replace(self, code_digest=digest, tries=tries, check_at=until)

    def with_archive(self, archive: str, until: datetime) -> "PrivacyRequest":
        """The request with the archive that answers it."""
        return replace(self, archive=archive, archive_until=until)

    def with_operator_step(self, step: OperatorStep) -> "PrivacyRequest":
        """The request with something left for a person to do elsewhere."""
        return replace(self, operator_steps=(*self.operator_steps, step))

    def without_content(self) -> "PrivacyRequest":
        """The request without what was sealed in it."""
        return replace(self, content=None)

    def may_become(self, state: RequestState) -> bool:
        """Whether `state` may follow the present one."""
        return state in STEPS[self.state]


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Why nothing of a customer's may be deleted now; `reference` names the matter."""

    id: str
    reference: str
    since: datetime
    by: str


@dataclass(frozen=True, slots=True)
class PrivacyChoices:
    """What holds for a customer's data: legal holds, restriction, objection, erasure."""

    customer: str
    holds: tuple[LegalHold, ...] = ()
    restricted_since: datetime | None = None
    objected_since: datetime | None = None
    erased_at: datetime | None = None

    @property
    def wants_optional_mail(self) -> bool:
        """Whether mails may be sent that no duty asks for."""
        return not (self.restricted_since or self.objected_since or self.erased_at)


def deferrals(
    choices: PrivacyChoices,
    account: Account,
    *,
    arrears_open: bool,
    disputes_open: bool,
    cases_open: bool,
    subscriptions_running: bool,
    money_under_way: bool,
) -> tuple[Deferral, ...]:
    """What puts an erasure off now, in a fixed order."""
    unpaid = arrears_open or any(balance.owed or balance.in_dispute for balance in account.balances)
    holds: Iterable[tuple[Deferral, bool]] = (
        (Deferral.LEGAL_HOLD, bool(choices.holds)),
        (Deferral.OPEN_DISPUTE, disputes_open),
        (Deferral.OPEN_CASE, cases_open),
        (Deferral.UNPAID_BALANCE, unpaid),
        (Deferral.RUNNING_SUBSCRIPTION, subscriptions_running),
        (Deferral.MONEY_UNDER_WAY, money_under_way),
    )
    return tuple(reason for reason, stands in holds if stands)
