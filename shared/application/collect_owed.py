"""Ask for what is owed, by somebody's explicit word: an invoice that the customer pays themselves.

The invoice is sent, never charged: the card behind it may be the one whose holder disputes. What is
paid on it leaves the balance; until then it stays owed.
"""

from dataclasses import replace
from typing import Any

from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.suspend import lift
from shared.domain.account import CauseKind
from shared.domain.arrears import DunningFacts
from shared.domain.dispute import Dispute, Stance
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.ledger import Book
from shared.domain.receivable import OPEN, Receivable, ReceivableState
from shared.ports import Services


def collect_owed(
    services: Services, customer: str, currency: str, by: str, call: ClientCall
) -> Answer:
    """Have an invoice made over all that is owed in a currency.

    Raises:
        NotFoundError: nothing is known of this customer.
        ConflictError: nothing is owed in it, or it was asked for already.
    """
    first = replay(services, customer, call)
    if first is not None:
        return first

    def decide(change: Change) -> Answer:
        if not change.knows_customer or not customer.startswith("cus_"):
            raise NotFoundError("customer")
        amount = change.account.balance(currency).owed
        if amount <= 0:
            raise ConflictError("nothing-owed", f"Nothing is owed in {currency.upper()}.")
        asked = [s.record for s in services.store.all_of(Receivable, customer)]
        known = next((r for r in asked if r.currency == currency and r.state in OPEN), None)
        if known is not None:
            raise ConflictError(
                "already-asked",
                "An invoice for it is on its way, or open.",
                {"receivable": receivable_document(known)},
            )
        receivable = Receivable(
            id=services.ids.new(),
            customer=customer,
            currency=currency,
            amount=amount,
            state=ReceivableState.REQUESTED,
            asked_by=by,
            asked_at=change.now,
        )
        change.put(receivable)
        change.effect(EffectKind.DRAFT_DEBT, {"receivable": receivable.id})
        change.audit("receivable_asked_for", by, receivable=receivable.id, amount=amount)
        answer = Answer(202, receivable_document(receivable))
        remember(change, call, answer)
        return answer

    return transact(services, customer, by, decide)


def receivable_document(one: Receivable) -> dict[str, Any]:
    """A receivable as the API shows it."""
    return {
        "id": one.id,
        "currency": one.currency,
        "amount": one.amount,
        "state": one.state.value,
        "invoice": one.invoice,
        "page": one.page,
    }


def follow_receivable(change: Change, seen: DunningFacts) -> str:
    """Our own invoice has moved: what was paid on it is owed no more."""
    known = change.load(Receivable, seen.receivable or "")
    if known is None or known.state not in OPEN:
        return "nothing_new"
    if seen.status == "paid":
        change.put(replace(known, state=ReceivableState.PAID, paid_at=change.now))
        change.post(
            "receivable_paid",
            (Book.OWED, Book.PAID),
            known.amount,
            known.currency,
            cause=known.id,
            evidence=(seen.id,),
        )
        change.account = change.account.with_balance(known.currency, owed=-known.amount)
        change.audit("receivable_paid", "as Stripe has it", receivable=known.id, invoice=seen.id)
        _reinstate(change)
        return "receivable_paid"
    if seen.status == "void":
        change.put(replace(known, state=ReceivableState.VOID))
        return "receivable_void"
    return "nothing_new"


def _reinstate(change: Change) -> None:
    """What was lost is paid in full: its suspension ends where the policy says so."""
    services = change.services
    policy = services.policies.load_policy(services.policy, change.now)
    owes = any(balance.owed > 0 for balance in change.account.balances)
    if owes or not policy.dispute_consequences.reinstate_when_paid:
        return
    for cause in change.account.causes:
        dispute = change.load(Dispute, cause.id) if cause.kind is CauseKind.DISPUTE else None
        if dispute is not None and dispute.stance is Stance.LOST:
            lift(change, CauseKind.DISPUTE, dispute.id)
