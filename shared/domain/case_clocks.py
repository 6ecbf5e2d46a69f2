"""The clocks of a refund case: what is promised by when, warned of before, and late after.

Business days are counted in the policy's own calendar and zone. While the customer is asked, the
review's clock stands still: each pause is kept as an interval, and each business day that begins in
one is added to the due time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain import clauses as c
from shared.domain.calendars import after_business_days
from shared.domain.facts import Ground
from shared.domain.policy import Policy
from shared.domain.proration import DAY

# Where a policy promises nothing a case is still not forgotten: the longest that any pack promises.
HOUSE_REVIEW_DAYS = 10
HOUSE_PAYOUT_DAYS = 10
# A customer is reminded after a working week; after three the case comes back to staff.
REMINDER_DAYS, EVIDENCE_DAYS = 5, 15
# A warning two business days ahead leaves one whole day to act on it.
WARNING_DAYS = 2


class ClockKind(StrEnum):
    """What a clock is about."""

    REVIEW = "review"
    PAYOUT = "payout"
    EVIDENCE = "evidence"
    CALLBACK = "callback"


class Strike(StrEnum):
    """What a clock says when its time has come."""

    WARNED = "warned"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Pause:
    """A span in which a clock stood still; `until` is None while it does."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseClock:
    """One promise: made at `since`, kept if stopped by `due_at`."""

    kind: ClockKind
    since: datetime
    due_at: datetime
    warn_at: datetime
    days: int | None = None
    warned_at: datetime | None = None
    late_at: datetime | None = None
    stopped_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()

    @property
    def is_paused(self) -> bool:
        """Whether it stands still."""
        return bool(self.pauses) and self.pauses[-1].until is None

    def next_at(self) -> datetime | None:
        """When it next has something to say."""
        if self.stopped_at is not None or self.is_paused or self.late_at is not None:
            return None
        return self.warn_at if self.warned_at is None else self.due_at

    def struck(self, now: datetime) -> tuple["CaseClock", tuple[Strike, ...]]:
        """The clock at `now`, and what it has come to say since it was last looked at."""
        said: tuple[Strike, ...] = ()
        clock = self
        if clock.next_at() is not None and clock.warned_at is None and now >= clock.warn_at:
            clock, said = replace(clock, warned_at=now), (Strike.WARNED,)
        if clock.warned_at and clock.next_at() is not None and now >= clock.due_at:
            clock, said = replace(clock, late_at=now), (*said, Strike.LATE)
        return clock, said

    def stopped(self, now: datetime) -> "CaseClock":
        """The clock at its end, kept or not."""
        if self.stopped_at is not None:
            return self
        return replace(self, stopped_at=now, pauses=_closed(self.pauses, now))

    def paused(self, now: datetime) -> "CaseClock":
        """The clock standing still from `now` on."""
        if self.stopped_at is not None or self.is_paused:
            return self
        return replace(self, pauses=(*self.pauses, Pause(now)))

    def resumed(self, now: datetime, policy: Policy) -> "CaseClock":
        """The clock running on; each business day that began in the pause is added."""
        if not self.is_paused or self.days is None:
            return self
        pauses = _closed(self.pauses, now)
        extra = sum(_days_begun(pause, policy) for pause in pauses)
        due_at, warn_at = _span(policy, self.since, self.days + extra)
        return replace(self, pauses=pauses, due_at=due_at, warn_at=max(warn_at, now))


def start_review(policy: Policy, ground: Ground, received_at: datetime) -> CaseClock:
    """The clock until a decision, from the receipt on."""
    days = promised_days(policy, ground, c.Promise.REVIEW) or HOUSE_REVIEW_DAYS
    return _days_clock(ClockKind.REVIEW, policy, received_at, days)


def start_payout(
    policy: Policy, ground: Ground, approved_at: datetime, payout_by: datetime | None
) -> CaseClock:
    """The clock until the money is out; `payout_by` where the decision names a sooner end."""
    days = promised_days(policy, ground, c.Promise.PAYOUT) or HOUSE_PAYOUT_DAYS
    clock = _days_clock(ClockKind.PAYOUT, policy, approved_at, days)
    if payout_by is None or payout_by >= clock.due_at:
        return clock
    warn_at = max(approved_at, payout_by - timedelta(days=WARNING_DAYS))
    return replace(clock, due_at=payout_by, warn_at=warn_at)


def start_evidence(policy: Policy, asked_at: datetime) -> CaseClock:
    """The clock of a question: the customer is reminded at its warning, staff told at its end."""
    return CaseClock(
        ClockKind.EVIDENCE,
        asked_at,
        after_business_days(asked_at, EVIDENCE_DAYS, policy.calendar, policy.time_zone),
        after_business_days(asked_at, REMINDER_DAYS, policy.calendar, policy.time_zone),
    )


def callback_span(
    policy: Policy, ground: Ground, received_at: datetime
) -> tuple[datetime, datetime] | None:
    """Between when the policy promises a call back, if it does."""
    for clause in _promises(policy, ground, c.Promise.CALLBACK):
        if clause.business_hours is not None and policy.business_time is not None:
            least, most = (timedelta(hours=hours) for hours in clause.business_hours)
            time = policy.business_time
            return (
                time.after(received_at, least, lower=True),
                time.after(received_at, most, lower=False),
            )
    return None


def start_callback(received_at: datetime, span: tuple[datetime, datetime]) -> CaseClock:
    """The clock of a call back: warned of when its span opens, missed when it closes."""
    earliest, latest = span
    return CaseClock(ClockKind.CALLBACK, received_at, latest, earliest)


def promised_days(policy: Policy, ground: Ground, promise: c.Promise) -> int | None:
    """How many business days the policy promises, if it does."""
    days = [clause.business_days for clause in _promises(policy, ground, promise)]
    return next((day for day in days if day is not None), None)


def _promises(policy: Policy, ground: Ground, promise: c.Promise) -> list[c.Deadline]:
    return [
        clause
        for clause in policy.on[ground].speaking
        if isinstance(clause, c.Deadline) and clause.promise is promise
    ]


def _days_clock(kind: ClockKind, policy: Policy, since: datetime, days: int) -> CaseClock:
    due_at, warn_at = _span(policy, since, days)
    return CaseClock(kind, since, due_at, warn_at, days)


def _span(policy: Policy, since: datetime, days: int) -> tuple[datetime, datetime]:
    """When it is due, and when to warn of it."""
    calendar, zone = policy.calendar, policy.time_zone
    warned = max(0, days - WARNING_DAYS)
    return (
        after_business_days(since, days, calendar, zone),
        after_business_days(since, warned, calendar, zone),
    )


def _days_begun(pause: Pause, policy: Policy) -> int:
    """The business days that began while the clock stood still."""
    zone = policy.time_zone
    assert pause.until is not None, "a pause is closed before it is counted"
    day, last = pause.since.astimezone(zone).date(), pause.until.astimezone(zone).date()
    count = 0
    while day < last:
        day += DAY
        count += policy.calendar.is_business_day(day)
    return count


def _closed(pauses: tuple[Pause, ...], now: datetime) -> tuple[Pause, ...]:
    return tuple(replace(p, until=now) if p.until is None else p for p in pauses)
