"""The flows on which every crash point is tried: each a short life that touches one path whole."""

from __future__ import annotations

from infrastructure.proof.simulated.hub import DAY, HOUR, MINUTE, SECOND
from infrastructure.proof.simulated.script import Plan, Script, Step

ANN = "cus_ann"
# A period that ends within the lifetime, and one that does not.
SHORT = Plan(ANN, 25, 30, (12000,), 0, 0)
LONG = Plan(ANN, 100, 365, (120000,), 0, 0)


def _flow(plan: Plan, *steps: Step) -> Script:
    return Script("voip", (plan,), steps)


def _step(at: int, what: str, detail: str = "", amount: int = 0) -> Step:
    return Step(at, what, ANN, detail, amount)


NOW = _step(HOUR, "cancel", "immediately")
AT_END = _step(HOUR, "cancel", "at_period_end")

FLOWS: dict[str, Script] = {
    "cancel now, one payment": _flow(LONG, NOW),
    "cancel now, two payments": _flow(Plan(ANN, 100, 365, (50000, 70000), 0, 0), NOW),
    "cancel now, partly paid from the balance": _flow(Plan(ANN, 100, 365, (80000,), 40000, 0), NOW),
    "cancel now, a charge pending": _flow(Plan(ANN, 100, 365, (120000,), 0, 1), NOW),
    "cancel at the end of the cycle": _flow(SHORT, AT_END),
    "cancel at the end, a charge pending": _flow(Plan(ANN, 25, 30, (12000,), 0, 1), AT_END),
    "take a cancellation back": _flow(SHORT, AT_END, _step(HOUR + MINUTE, "withdraw")),
    "take it back with a charge, and cancel again": _flow(
        Plan(ANN, 25, 30, (12000,), 0, 1),
        AT_END,
        _step(HOUR + MINUTE, "withdraw"),
        _step(2 * HOUR, "cancel", "at_period_end"),
    ),
    "two callers at once": _flow(LONG, NOW, _step(HOUR + 100, "cancel", "at_period_end")),
    "a chargeback, won": _flow(
        LONG, _step(HOUR, "dispute", "chargeback"), _step(DAY, "move_dispute", "won")
    ),
    "a chargeback, lost and then won": _flow(
        LONG,
        _step(HOUR, "dispute", "chargeback"),
        _step(DAY, "move_dispute", "lost"),
        _step(2 * DAY, "move_dispute", "won"),
    ),
    "an inquiry that becomes a chargeback": _flow(
        LONG, _step(HOUR, "dispute", "inquiry"), _step(DAY, "move_dispute", "needs_response")
    ),
    "a refund during an inquiry that becomes a chargeback": _flow(
        LONG,
        _step(MINUTE, "dispute", "inquiry"),
        NOW,
        _step(DAY, "move_dispute", "needs_response"),
    ),
    "a chargeback beside a refund": _flow(LONG, NOW, _step(HOUR + SECOND, "dispute", "chargeback")),
    "a refund in the dashboard, then a cancellation": _flow(
        LONG, _step(MINUTE, "dashboard_refund", amount=30), NOW
    ),
    "cancel at the end, billed ahead": _flow(
        Plan(ANN, 25, 30, (12000,), 0, 0, unpaid=True), AT_END
    ),
    "cancel now, billed ahead": _flow(Plan(ANN, 25, 30, (12000,), 0, 0, unpaid=True), NOW),
    "a chargeback, won, billed ahead": _flow(
        Plan(ANN, 25, 90, (12000,), 0, 0, unpaid=True),
        _step(HOUR, "dispute", "chargeback"),
        _step(DAY, "move_dispute", "won"),
    ),
    "looking": _flow(LONG, NOW, _step(2 * HOUR, "look")),
    "a stopped switch": _flow(LONG, _step(0, "stop"), NOW, _step(HOUR + 9 * MINUTE, "open")),
    "a cap of one refund an hour": _flow(
        Plan(ANN, 100, 365, (50000, 70000), 0, 0), _step(0, "caps", amount=1), NOW
    ),
}
# Set back to each moment of a cancellation, and only when Stripe has forgotten its keys.
FLOWS |= {
    f"a table that is set back to {after / SECOND:g} s after": _flow(
        LONG, NOW, _step(HOUR + after, "backup"), _step(30 * HOUR, "restore")
    )
    for after in range(300, 2400, 600)
}
# Nothing runs for five days, from each moment of a cancellation on.
FLOWS |= {
    f"an outage from {after / SECOND:g} s after": _flow(
        LONG, NOW, _step(HOUR + after, "outage", amount=5 * DAY)
    )
    for after in range(300, 2400, 600)
}
# Refund cases: who asks, who looks, who agrees.
ASKED = _step(HOUR, "claim", "billing_error")
OVERCHARGED = _step(2 * HOUR, "find", "agent-1 verified", 10)
AGREED = _step(3 * HOUR, "decide", "agent-1 approve")
FLOWS |= {
    "a case that is approved and paid": _flow(LONG, ASKED, OVERCHARGED, AGREED),
    "a case for what another one has given back": _flow(
        LONG, ASKED, OVERCHARGED, AGREED, _step(DAY, "claim", "billing_error")
    ),
    "a case with two consents": _flow(
        LONG,
        _step(HOUR, "claim", "dissatisfaction"),
        _step(2 * HOUR, "find", "agent-1 goodwill"),
        AGREED,
        _step(3 * HOUR, "decide", "approver-1 approve", 50),
        _step(3 * HOUR, "decide", "agent-2 decline"),
    ),
    "a case that is asked about and declined": _flow(
        LONG,
        ASKED,
        _step(HOUR + MINUTE, "ask", "agent-1"),
        _step(HOUR + 2 * MINUTE, "reply"),
        _step(2 * HOUR, "find", "agent-1 unfounded"),
        _step(3 * HOUR, "decide", "agent-1 decline"),
    ),
    "a case beside a chargeback": _flow(
        LONG, ASKED, OVERCHARGED, AGREED, _step(3 * HOUR + SECOND, "dispute", "chargeback")
    ),
    "a case beside a cancellation": _flow(
        LONG, NOW, _step(HOUR + 100, "claim", "unused_period"), _step(HOUR + MINUTE, "reply")
    ),
    "a case by phone, as credit": _flow(
        LONG,
        _step(HOUR, "claim_by_phone", "agent-1 withdrawal"),
        _step(2 * HOUR, "find", "agent-1 other_ground", 20),
        _step(2 * HOUR + MINUTE, "find", "agent-1 goodwill_credit"),
        _step(3 * HOUR, "decide", "approver-1 approve", 20),
    ),
    "a case that is forgotten, and one that is taken back": _flow(
        LONG,
        ASKED,
        _step(DAY, "claim", "withdrawal"),
        _step(2 * DAY, "take_claim_back"),
        _step(3 * DAY, "claim", "billing_error"),
    ),
}
