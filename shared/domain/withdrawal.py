"""Withdrawal: a consumer's statutory right, which stands over every clause of a pack."""

from typing import Any

from shared.domain import clauses as c
from shared.domain.decision import Ruled, Ruling
from shared.domain.facts import LineKind
from shared.domain.formulas import Shares, nothing
from shared.domain.money import ONE, ZERO
from shared.domain.proration import Basis, unused_time
from shared.domain.shares import LineShare, full_share
from shared.domain.situation import InvoiceLine, Situation, used_part
from shared.domain.statutes import Statute

KIND = "statute"


def rule_statute(statute: Statute, s: Situation) -> tuple[Ruling, Shares]:
    """How the statute rules on a withdrawal, and what it gives back of each line."""
    open_question = _applies(statute, s) or _in_time(statute, s) or _lost(statute, s)
    if open_question is not None:
        return open_question, nothing(s)
    started = s.case.withdrawal.started_on_request
    if started is None and any(_has_begun(view, s) for view in s.lines):
        return _asks(statute, "started_on_request"), nothing(s)
    shares = tuple(_share(view, s, keeps_part=started is True) for view in s.lines)
    says = "statute_proportional" if started else "statute_whole"
    saw = {"country": s.case.customer.country, "started_on_request": started}
    granted = Ruling(
        statute.id, KIND, Ruled.PASSED, says, saw, c.Outcome.GRANTED, "statutory_withdrawal"
    )
    return granted, shares


def _denies(statute: Statute, code: str, saw: dict[str, Any]) -> Ruling:
    says = f"statute_{code}"
    return Ruling(statute.id, KIND, Ruled.FAILED, says, saw, c.Outcome.DENIED, code)


def _asks(statute: Statute, fact: str) -> Ruling:
    return Ruling(
        statute.id,
        KIND,
        Ruled.NEEDS_PERSON,
        "statute_unknown",
        {"unknown": fact},
        c.Outcome.NEEDS_VERIFICATION,
        f"{fact}_unknown",
    )


def _applies(statute: Statute, s: Situation) -> Ruling | None:
    """Whether it is a consumer, in a country that grants the right, when it was in force."""
    customer = s.case.customer
    saw = {"country": customer.country, "consumer": customer.consumer}
    if (
        customer.consumer is False
        or (customer.country is not None and customer.country not in statute.countries)
        or not statute.in_force(customer.purchased_at)
    ):
        return _denies(statute, "no_right_of_withdrawal", saw)
    if customer.country is None:
        return _asks(statute, "country")
    return _asks(statute, "consumer") if customer.consumer is None else None


def _in_time(statute: Statute, s: Situation) -> Ruling | None:
    """Whether the declaration came by the last day; later where the consumer was not informed."""
    country, zone = s.case.customer.country, s.policy.time_zone
    assert country is not None
    purchased_at, informed = s.case.customer.purchased_at, s.case.withdrawal.informed
    day = s.case.request.received_at.astimezone(zone).date()
    last = statute.last_day(purchased_at, country, zone, informed=True)
    if day <= last:
        return None
    extended = statute.last_day(purchased_at, country, zone, informed=False)
    if informed is None and day <= extended:
        return _asks(statute, "informed")
    if informed is False:
        last = extended
    if day <= last:
        return None
    saw = {"day": day.isoformat(), "last_day": last.isoformat()}
    return _denies(statute, "withdrawal_period_over", saw)


def _lost(statute: Statute, s: Situation) -> Ruling | None:
    """The right is lost only where the consumer gave it up."""
    waiver = s.case.withdrawal.loss_waiver
    if waiver:
        return _denies(statute, "right_lost", {"loss_waiver": True})
    if waiver is None and any(view.line.rendered_at is not None for view in s.lines):
        return _asks(statute, "loss_waiver")
    return None


def _has_begun(view: InvoiceLine, s: Situation) -> bool:
    """Whether anything of the line was provided by the time the service ends."""
    line = view.line
    began = line.period is not None and line.period.start < s.case.request.effective_at
    return (
        began or line.rendered_at is not None or bool(used_part(view, s.case.request.received_at))
    )


def _share(view: InvoiceLine, s: Situation, *, keeps_part: bool) -> LineShare:
    """All of the line, or what was not yet provided of it, counted to the instant."""
    line = view.line
    if line.amount < 0:
        return LineShare(view, ZERO)
    if not keeps_part or line.kind is LineKind.DIGITAL:
        return full_share(view, ONE)
    if line.kind is LineKind.USAGE or line.used_amount is not None:
        return LineShare(view, ONE - used_part(view, s.case.request.received_at))
    if view.until is None or line.period is None:
        return LineShare(view, ONE if line.rendered_at is None else ZERO)
    unused = unused_time(
        line.period,
        view.until,
        s.case.request.effective_at,
        basis=Basis.SECOND,
        zone=s.policy.time_zone,
    )
    return LineShare(view, unused.fraction, unused.refunded_from, unused)
