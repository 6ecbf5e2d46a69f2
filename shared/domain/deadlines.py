"""Deadlines: what the policy promises by when, counted in its own calendar."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain import clauses as c
from shared.domain.calendars import after_business_days, end_of_day
from shared.domain.decision import Deadlines, Ruled, Ruling, ruling
from shared.domain.periods import instant_text
from shared.domain.proration import DAY
from shared.domain.situation import Situation
from shared.domain.statutes import Statute


def rule_deadlines(
    deadlines: Iterable[c.Deadline], s: Situation, *, granted: bool, statute: Statute | None
) -> tuple[list[Ruling], Deadlines]:
    """When review, payout and call-back are due; a payout only once the refund is granted."""
    review: datetime | None = None
    payout: datetime | None = None
    callback: tuple[datetime, datetime] | None = None
    rulings: list[Ruling] = []
    for clause in deadlines:
        match clause.promise:
            case c.Promise.REVIEW:
                review = _due(clause, s, s.case.request.received_at)[1]
                saw = {"by": instant_text(review)}
            case c.Promise.PAYOUT if not granted:
                rulings.append(ruling(clause, Ruled.NOT_APPLICABLE, "deadline_no_payout"))
                continue
            case c.Promise.PAYOUT:
                payout = _due(clause, s, _granted_at(s))[1]
                saw = {"by": instant_text(payout)}
            case c.Promise.CALLBACK:
                callback = _due(clause, s, s.case.request.received_at)
                saw = {"from": instant_text(callback[0]), "to": instant_text(callback[1])}
        rulings.append(ruling(clause, Ruled.PASSED, f"deadline_{clause.promise}", saw))
    if statute is not None and granted:
        lawful = _statutory_payout(statute, s)
        payout = lawful if payout is None else min(payout, lawful)
    return rulings, Deadlines(review, payout, callback)


def _granted_at(s: Situation) -> datetime:
    """The instant of the last approval, at the earliest that of the decision."""
    return max([s.case.now, *(approval.at for approval in s.case.approvals)])


def _due(clause: c.Deadline, s: Situation, since: datetime) -> tuple[datetime, datetime]:
    """The earliest and the latest instant that keep the promise."""
    if clause.business_days is not None:
        latest = after_business_days(
            since, clause.business_days, s.policy.calendar, s.policy.time_zone
        )
        return since, latest
    assert clause.business_hours is not None, "the form asks for one of the two"
    assert s.policy.business_time is not None, "the form asks for hours"
    least, most = (timedelta(hours=hours) for hours in clause.business_hours)
    time = s.policy.business_time
    return time.after(since, least, lower=True), time.after(since, most, lower=False)


def _statutory_payout(statute: Statute, s: Situation) -> datetime:
    zone = s.policy.time_zone
    day = s.case.request.received_at.astimezone(zone).date()
    return end_of_day(day + statute.payout_days * DAY, zone)
