"""Deciding a cancellation: until when the service is owed, and whether the renewal is charged.

No instant is both given back and usable: access ends where the refunded span begins.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.domain import clauses as c
from shared.domain.decision import CancellationTerms, Ruled, Ruling, ruling
from shared.domain.facts import Ground
from shared.domain.periods import instant_text
from shared.domain.proration import DAY
from shared.domain.situation import Situation


def decide_cancellation(
    rules: Sequence[c.CancellationRule], s: Situation, *, given_back_from: datetime | None
) -> tuple[CancellationTerms | None, list[Ruling]]:
    """The terms of a cancellation, None where the request is not about one; pure and total.

    Where no rule says otherwise, the service goes on to the end of the cycle that is paid, and any
    instant before it is early enough to avoid the renewal.

    Args:
        rules: the pack's clauses about cancellation, each in the trace.
        s: the case under the policy.
        given_back_from: the first instant whose price goes back; None where no time does.
    """
    request, cycle_end = s.case.request, s.cycle_end
    if given_back_from is None and request.ground is not Ground.UNUSED_PERIOD:
        return None, [ruling(rule, Ruled.NOT_APPLICABLE, "other_event") for rule in rules]
    until, notice_days = c.ServiceUntil.END_OF_CYCLE, 0
    for rule in rules:
        until = rule.service_until or until
        notice_days = rule.notice_days or notice_days
    effective_at = request.effective_at
    if given_back_from is None and until is c.ServiceUntil.END_OF_CYCLE:
        effective_at = max(effective_at, cycle_end or effective_at)
    notice_by = cycle_end and _earlier(cycle_end, notice_days, s.policy.time_zone)
    terms = CancellationTerms(
        effective_at=effective_at,
        access_until=given_back_from or effective_at,
        renewal_avoided=notice_by is not None and request.received_at < notice_by,
    )
    return terms, [entry for rule in rules for entry in _entries(rule, terms, notice_by)]


def _earlier(instant: datetime, days: int, zone: ZoneInfo) -> datetime:
    """So many days before, by the clock on the wall."""
    return (instant.astimezone(zone) - days * DAY).astimezone(UTC) if days else instant


def _entries(
    rule: c.CancellationRule, terms: CancellationTerms, notice_by: datetime | None
) -> Iterator[Ruling]:
    """What the clause says of the service, of the renewal, and of usage not yet billed."""
    if rule.service_until is not None:
        saw = {"access_until": instant_text(terms.access_until)}
        yield ruling(rule, Ruled.PASSED, "cancellation_service", saw)
    if rule.notice_days is not None:
        yield _notice(rule, terms, notice_by)
    if rule.usage_on_exit is not None:
        saw = {"usage_on_exit": rule.usage_on_exit.value}
        yield ruling(rule, Ruled.PASSED, f"cancellation_usage_{rule.usage_on_exit}", saw)


def _notice(
    rule: c.CancellationRule, terms: CancellationTerms, notice_by: datetime | None
) -> Ruling:
    if notice_by is None:
        return ruling(rule, Ruled.NOT_APPLICABLE, "cancellation_without_cycle")
    saw = {"before": instant_text(notice_by)}
    if terms.renewal_avoided:
        return ruling(rule, Ruled.PASSED, "cancellation_in_time", saw)
    return ruling(rule, Ruled.FAILED, "cancellation_late", saw)
