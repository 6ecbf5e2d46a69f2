"""The clocks of a case at their time: warn before, tell when it is late, remind the customer."""

from dataclasses import replace

from shared.application.case_document import instant
from shared.application.cases.tell import tell_customer, tell_staff
from shared.application.change import Change, transact
from shared.application.step_case import put_case
from shared.domain.case_clocks import CaseClock, ClockKind, Strike
from shared.domain.refund_case import CallbackState, RefundCase
from shared.ports import Services

# What came of it, for the metric; where several strike at once, the worst counts.
NOTHING, REMINDED, WARNED, LATE = "nothing_to_do", "case_reminded", "case_warned", "case_late"
OUTCOMES = (LATE, WARNED, REMINDED, NOTHING)


def strike_clocks(services: Services, *, customer: str, case: str) -> str:
    """Let every clock of a case that has come due say so, once; what came of it."""

    def decide(change: Change) -> str:
        known = change.load(RefundCase, case)
        if known is None or known.due_at is None or change.now < known.due_at:
            return NOTHING
        outcomes = set()
        for clock in known.clocks:
            struck, said = clock.struck(change.now)
            if said:
                known = known.with_clock(struck)
            for strike in said:
                known, outcome = _say(change, known, struck, strike)
                outcomes.add(outcome)
        put_case(change, known)
        return next((outcome for outcome in OUTCOMES if outcome in outcomes), NOTHING)

    return transact(services, customer, "schedule", decide)


def _say(
    change: Change, case: RefundCase, clock: CaseClock, strike: Strike
) -> tuple[RefundCase, str]:
    """Tell whom it concerns; the case, and the word for the metric."""
    change.audit(
        f"case_{clock.kind.value}_{strike.value}",
        f"due {instant(clock.due_at)}",
        case=case.id,
    )
    if clock.kind is ClockKind.EVIDENCE and strike is Strike.WARNED:
        tell_customer(change, case, "case_evidence_reminder")
        return case, REMINDED
    said = {"clock": clock.kind.value, "due_at": instant(clock.due_at)}
    tell_staff(change, case, f"staff_case_{strike.value}", said)
    if clock.kind is ClockKind.CALLBACK and strike is Strike.LATE and case.callback:
        case = replace(case, callback=replace(case.callback, state=CallbackState.MISSED))
    return case, LATE if strike is Strike.LATE else WARNED
