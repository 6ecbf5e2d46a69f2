"""What the passing of time brings to a subscription at Stripe: periods, drafts, and its end.

What a period's end bills is a draft for an hour, with all that was pending on it, and is then paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from infrastructure.proof.simulated.hub import HOUR
from shared.domain.errors import RefusedError
from shared.domain.invoice import LineFacts, PendingCharge
from shared.domain.subscription import SubscriptionFacts, SubscriptionStatus

if TYPE_CHECKING:
    from infrastructure.proof.simulated.stripe import Stripe

WAITING = ("draft", "open")
_MILLISECOND = timedelta(milliseconds=1)


def plan_renewal(stripe: Stripe, subscription: str) -> None:
    """Come back when the period that is running ends."""
    end = stripe.subscriptions[subscription].items[0].period_end
    in_ms = max(0, (end - stripe.hub.instant()) // _MILLISECOND)
    stripe.hub.after(in_ms, lambda: _turn(stripe, subscription, end))


def _turn(stripe: Stripe, subscription: str, end: datetime) -> None:
    facts = stripe.subscriptions[subscription]
    if facts.status is SubscriptionStatus.ENDED or facts.items[0].period_end != end:
        return
    if facts.cancels_at is not None and facts.cancels_at <= end:
        stripe.end(subscription, end)
        _bill(stripe, facts, ())
        return
    (item,) = facts.items
    period = end + (item.period_end - item.period_start)
    renewed = replace(facts, items=(replace(item, period_start=end, period_end=period),))
    stripe.set_subscription(renewed, "updated")
    line = LineFacts(
        f"il_{stripe.name('in')}", "subscription", item.unit_amount, 0, end, period, "renewal"
    )
    _bill(stripe, renewed, (line,))
    plan_renewal(stripe, subscription)


def _bill(stripe: Stripe, facts: SubscriptionFacts, lines: Sequence[LineFacts]) -> None:
    """A draft of these lines and of all that is pending; void while collection is paused."""
    mine = [one for one in stripe.pending.values() if one.subscription == facts.id]
    lines = (*lines, *map(_line, mine))
    if not lines:
        return
    void = facts.id in stripe.paused
    name = stripe.add_invoice(facts, lines, status="void" if void else "draft", paid=[])
    for one in mine:
        stripe.charged[one.id] = name
        del stripe.pending[one.id]
    if not void:
        plan_collection(stripe, name)


def _line(charge: PendingCharge) -> LineFacts:
    start, end = charge.period_start, charge.period_end
    return LineFacts(
        f"il_{charge.id}", "subscription", charge.amount, 0, start, end, charge.description
    )


def plan_collection(stripe: Stripe, invoice: str) -> None:
    """Collect by itself in an hour: of a draft's life, or from now on."""
    known = stripe.invoices[invoice].facts
    since = known.created_at if known.status == "draft" else stripe.hub.instant()
    passed = (stripe.hub.instant() - since) // _MILLISECOND
    stripe.hub.after(max(0, HOUR - passed), lambda: _collect(stripe, invoice))


def _collect(stripe: Stripe, invoice: str) -> None:
    facts = stripe.invoices[invoice].facts
    if facts.status in WAITING and facts.collects:
        stripe.pay(invoice)


def drop_charge(stripe: Stripe, charge: str) -> None:
    """Take back what is on no invoice, or on a draft; what is gone is gone."""
    invoice = stripe.invoices.get(stripe.charged.get(charge, ""))
    if invoice is not None:
        if invoice.facts.status != "draft":
            raise RefusedError("400", "on an invoice that can no longer be edited")
        lines = tuple(line for line in invoice.facts.lines if line.id != f"il_{charge}")
        invoice.facts = replace(invoice.facts, lines=lines)
        del stripe.charged[charge]
    elif stripe.pending.pop(charge, None) is None:
        return
    stripe.added = {made: name for made, name in stripe.added.items() if name != charge}
