"""What staff see of an account and do to it: suspend, lift, enter costs, end without a refund."""

from dataclasses import dataclass, replace
from typing import Any

from shared.application.book_dispute import book, costs_of
from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.dun import end_without_refund
from shared.application.early_warnings import warning_document
from shared.application.handle_dispute import costs_are_claimed
from shared.application.record_mail_trouble import mail_troubles
from shared.application.show_account import account_document
from shared.application.suspend import lift, suspend
from shared.domain.account import Account, Cause, CauseKind
from shared.domain.arrears import Arrears
from shared.domain.clauses import ViolationRule
from shared.domain.dispute import Dispute, Stance
from shared.domain.dispute_books import Cost
from shared.domain.early_warning import EarlyWarning
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.facts import Finding
from shared.domain.staff import StaffMember
from shared.domain.subscription import Subscription
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class Found:
    """What staff have found, and the ticket or file in which it is written down."""

    finding: Finding
    reference: str


@dataclass(frozen=True, slots=True)
class End:
    """Which subscription ends, and for what."""

    subscription: str
    found: Found


@dataclass(frozen=True, slots=True)
class CostEntry:
    """What was paid to others for contesting `dispute`, with the receipt that shows it."""

    dispute: str
    amount: int
    currency: str
    what: str
    receipt: str


def show_to_staff(services: Services, customer: str, by: StaffMember) -> dict[str, Any]:
    """The account with everything that its standing and its balances come from.

    Any member of staff may look; `by` is asked for so that nobody else gets here.

    Raises:
        NotFoundError: nothing is known of this customer.
    """
    assert by.roles
    stored = services.store.get(Account, customer)
    if stored is None or not customer.startswith("cus_"):
        raise NotFoundError("customer")
    causes = {(c.kind.value, c.id): c for c in stored.record.causes}
    shown = account_document(services, stored.record)
    for cause in shown["causes"]:
        known = causes[cause["kind"], cause["id"]]
        cause |= {"clause": known.clause, "stops_collection": known.stops_collection}
    return shown | {
        "arrears": [
            {
                "invoice": one.id,
                "number": one.number,
                "due": one.due,
                "currency": one.currency,
                "since": instant(one.since),
                "settled_at": one.settled_at and instant(one.settled_at),
                "steps": [{"rung": s.rung.value, "at": instant(s.at)} for s in one.steps],
            }
            for one in (s.record for s in services.store.all_of(Arrears, customer))
        ],
        "mail_troubles": mail_troubles(services, customer),
        "early_warnings": [
            warning_document(s.record) for s in services.store.all_of(EarlyWarning, customer)
        ],
        "paused_subscriptions": list(stored.record.paused_subscriptions),
        "held_invoices": list(stored.record.held_invoices),
    }


def suspend_for_violation(
    services: Services, customer: str, found: Found, by: StaffMember, call: ClientCall
) -> Answer:
    """Suspend an account by the clause on violations; the cause, by whose id it is lifted.

    Raises:
        NotFoundError: nothing is known of this customer.
        ConflictError: the policy in force has no such clause.
    """

    def decide(change: Change) -> dict[str, Any]:
        rule = _rule(change)
        if not rule.suspend:
            raise _no_clause("suspends an account")
        cause = Cause(
            CauseKind.VIOLATION,
            change.services.ids.new(),
            change.now,
            stops_collection=rule.stop_collection,
            clause=rule.id,
        )
        suspend(change, cause)
        change.mail("account_suspended_violation", {"reference": cause.id})
        named = {"kind": cause.kind.value, "id": cause.id}
        change.publish("AccountSuspended", {"cause": named})
        why = found.finding.value
        change.audit("suspended", why, reference=found.reference, clause=rule.id, cause=cause.id)
        return named | {"since": instant(cause.since), "clause": rule.id}

    return _once(services, customer, by, call, decide, status=201)


def lift_suspension(
    services: Services, customer: str, cause: str, by: StaffMember
) -> dict[str, Any]:
    """Lift a suspension that staff have made, or one for a dispute that was lost; the account then.

    Others end by themselves: with the dispute, or when the invoice is paid.

    Raises:
        NotFoundError: there is no such suspension.
    """

    def decide(change: Change) -> dict[str, Any]:
        dispute = change.load(Dispute, cause)
        is_lost = dispute is not None and dispute.stance is Stance.LOST
        kind = CauseKind.DISPUTE if is_lost else CauseKind.VIOLATION
        if not lift(change, kind, cause):
            raise NotFoundError("suspension")
        change.audit("suspension_lifted", "by staff", cause=cause)
        return account_document(services, change.account)

    return transact(services, customer, by.actor, decide)


def enter_cost(
    services: Services, customer: str, entry: CostEntry, by: StaffMember, call: ClientCall
) -> Answer:
    """Book what was paid to others for contesting a dispute: in dispute, owed or borne, as it is.

    Raises:
        NotFoundError: no such dispute of this customer.
    """

    def decide(change: Change) -> dict[str, Any]:
        record = change.load(Dispute, entry.dispute)
        if record is None:
            raise NotFoundError("dispute")
        cost = Cost(
            id=change.services.ids.new(),
            amount=entry.amount,
            currency=entry.currency,
            what=entry.what,
            receipt=entry.receipt,
            entered_by=by.actor,
            entered_at=change.now,
        )
        record = replace(record, costs=(*record.costs, cost))
        parts = costs_of(record, claimed=costs_are_claimed(change))
        booked = book(change, record, [part for part in parts if part.what == f"cost:{cost.id}"])
        change.put(replace(booked, booked=(*record.booked, *booked.booked)))
        change.audit("cost_entered", entry.what, dispute=record.id, receipt=entry.receipt)
        return {
            "id": cost.id,
            "dispute": record.id,
            "amount": cost.amount,
            "currency": cost.currency,
            "what": cost.what,
            "receipt": cost.receipt,
        }

    return _once(services, customer, by, call, decide, status=201)


def cancel_by_clause(
    services: Services, customer: str, wanted: End, by: StaffMember, call: ClientCall
) -> Answer:
    """End a subscription now without a refund, by the clause on violations.

    Raises:
        NotFoundError: no such subscription of this customer.
        ConflictError: it has ended, or the policy in force has no such clause.
    """

    def decide(change: Change) -> dict[str, Any]:
        rule = _rule(change)
        if not rule.cancel_without_refund:
            raise _no_clause("ends a subscription without a refund")
        known = change.load(Subscription, wanted.subscription)
        if known is None:
            raise NotFoundError("subscription")
        if known.ended_at:
            raise ConflictError("already-canceled", "This subscription has already ended.")
        why = f"{wanted.found.finding.value} {wanted.found.reference}"
        end_without_refund(change, known, rule.id, why)
        return {
            "subscription": known.id,
            "ended_at": instant(change.now),
            "clause": rule.id,
            "refund": 0,
        }

    return _once(services, customer, by, call, decide, status=202)


def _once(
    services: Services,
    customer: str,
    by: StaffMember,
    call: ClientCall,
    decide: Any,
    *,
    status: int,
) -> Answer:
    """Carry a request out once for its key, on an account that is known."""
    first = replay(services, customer, call)
    if first is not None:
        return first

    def decided(change: Change) -> Answer:
        if not change.knows_customer or not customer.startswith("cus_"):
            raise NotFoundError("customer")
        answer = Answer(status, decide(change))
        remember(change, call, answer)
        return answer

    return transact(services, customer, by.actor, decided)


def _rule(change: Change) -> ViolationRule:
    services = change.services
    policy = services.policies.load_policy(services.policy, change.now)
    rule = policy.rule(ViolationRule)
    if rule is None:
        raise _no_clause("speaks of violations")
    return rule


def _no_clause(what: str) -> ConflictError:
    return ConflictError("no-clause", f"No clause of the policy in force {what}.")
