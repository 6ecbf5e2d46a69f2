"""An invoice that was not paid: past due, reminded, suspended, ended; or paid after all."""

from dataclasses import replace

from shared.application.change import Change, transact
from shared.application.collect_owed import follow_receivable
from shared.application.end_subscription import end
from shared.application.suspend import lift, suspend
from shared.domain.account import Cause, CauseKind
from shared.domain.arrears import LOOK_AGAIN, Arrears, DunningFacts, Rung, ladder
from shared.domain.clauses import NonPaymentRule
from shared.domain.effects import EffectKind
from shared.domain.money_text import money_text
from shared.domain.subscription import Subscription
from shared.ports import Services


def refresh_invoice(services: Services, *, customer: str, invoice: str) -> str:
    """Fetch an invoice and follow it, as a word for the metrics."""

    def decide(change: Change) -> str:
        # Fetched after the account was read, so that an older answer meets a moved version.
        bill = services.billing.dunning(invoice)
        if bill is None or bill.customer != customer:
            return "nothing_new"
        return follow_bill(change, bill)

    return transact(services, customer, "stripe", decide)


def follow_bill(change: Change, bill: DunningFacts) -> str:
    """Put what an invoice's present state asks for into `change`."""
    if bill.receivable:
        return follow_receivable(change, bill)
    known = change.load(Arrears, bill.id)
    if not bill.is_past_due(change.now):
        return _settle(change, known, bill)
    if known is None or known.settled_at:
        known = _open(change, bill)
    reached = known.reached(change.now)
    if change.account.stops_collection and reached:
        change.put(known.standing_still(change.now))
        return "past_due"
    for step in reached:
        _climb(change, known, bill, step.rung)
    change.put(known.after(reached))
    return "past_due"


def look_at_arrears(services: Services, *, customer: str, invoice: str) -> bool:
    """A rung's time has come: have the invoice looked at once more before anything follows."""

    def decide(change: Change) -> bool:
        known = change.load(Arrears, invoice)
        if known is None or known.due_at is None or change.now < known.due_at:
            return False
        change.put(replace(known, looking_until=change.now + LOOK_AGAIN))
        change.effect(EffectKind.LOOK_AT_INVOICE, {"invoice": invoice})
        return True

    return transact(services, customer, "schedule", decide)


def _open(change: Change, bill: DunningFacts) -> Arrears:
    """The first attempt has failed: past due from now on, with the grace that the policy gives."""
    rule = non_payment_rule(change)
    change.account = change.account.with_cause(Cause(CauseKind.PAST_DUE, bill.id, change.now))
    change.audit("invoice_past_due", f"{bill.due} {bill.currency} unpaid", invoice=bill.id)
    change.publish("AccountPastDue", _named(bill))
    return Arrears(
        id=bill.id,
        customer=change.customer,
        number=bill.number or bill.id,
        subscription=bill.subscription,
        due=bill.due,
        currency=bill.currency,
        since=change.now,
        steps=ladder(rule, change.now) if rule else (),
        clause=rule.id if rule else "",
    )


def _climb(change: Change, known: Arrears, bill: DunningFacts, rung: Rung) -> None:
    owed = money_text(bill.due, bill.currency)
    values = {"invoice": known.number, "amount": owed, "page": bill.page or ""}
    change.audit(f"arrears_{rung.value}", known.clause, invoice=known.id, due=bill.due)
    match rung:
        case Rung.REMIND:
            change.mail("payment_reminder", values)
        case Rung.SUSPEND:
            # Collection goes on: a card that works again ends the suspension by itself.
            cause = Cause(CauseKind.NON_PAYMENT, known.id, change.now, clause=known.clause)
            suspend(change, cause)
            change.mail("account_suspended_unpaid", values)
            named = {"kind": CauseKind.NON_PAYMENT.value, "id": known.id}
            change.publish("AccountSuspended", {"cause": named})
        case Rung.CANCEL:
            subscription = known.subscription and change.load(Subscription, known.subscription)
            if subscription and not subscription.ended_at:
                end_without_refund(change, subscription, known.clause, f"unpaid {known.id}")


def end_without_refund(change: Change, subscription: Subscription, clause: str, why: str) -> None:
    """End a subscription here and now, by a clause that gives nothing back."""
    end(change, subscription, change.now)
    change.audit("ended_without_refund", why, subscription=subscription.id, clause=clause, refund=0)


def _settle(change: Change, known: Arrears | None, bill: DunningFacts) -> str:
    if known is None or known.settled_at:
        return "nothing_new"
    change.put(replace(known, settled_at=change.now, looking_until=None))
    lift(change, CauseKind.PAST_DUE, known.id)
    lift(change, CauseKind.NON_PAYMENT, known.id)
    change.audit("arrears_settled", f"the invoice is {bill.status}", invoice=known.id)
    return "settled"


def non_payment_rule(change: Change) -> NonPaymentRule | None:
    """What the policy in force says of whoever does not pay."""
    services = change.services
    return services.policies.load_policy(services.policy, change.now).rule(NonPaymentRule)


def _named(bill: DunningFacts) -> dict[str, str | int | None]:
    return {
        "invoice": bill.id,
        "subscription": bill.subscription,
        "amount": bill.due,
        "currency": bill.currency,
    }
