"""What the policy makes of an early warning, and what a person says instead.

Nothing is sent from here: a planned refund waits for its time and is carried out as a refund case,
by `shared.application.prevent_dispute`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.weigh_dispute import weigh
from shared.domain.clauses import EarlyWarningRule, FraudWarningRule, InquiryRule, WarningAction
from shared.domain.dispute import Dispute, DisputeKind, DisputePhase
from shared.domain.early_warning import (
    LOOK_AGAIN,
    UNDECIDED,
    EarlyWarning,
    WarningKind,
    WarningState,
)
from shared.domain.effects import EffectKind
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.money_text import money_text
from shared.domain.staff import StaffMember
from shared.ports import Services


class WarningWord(StrEnum):
    """What a person says of a payment that was warned of."""

    REFUND = "refund"
    LEAVE = "leave"


_RULES: dict[WarningKind, type[EarlyWarningRule]] = {
    WarningKind.FRAUD_WARNING: FraudWarningRule,
    WarningKind.INQUIRY: InquiryRule,
}


def warning_rule(change: Change, kind: WarningKind) -> EarlyWarningRule | None:
    """What the policy in force says of such a warning; without a clause a person decides."""
    services = change.services
    return services.policies.load_policy(services.policy, change.now).rule(_RULES[kind])


def take_warning(change: Change, seen: EarlyWarning, pays: Callable[[], bool]) -> EarlyWarning:
    """Put what the policy makes of a warning into `change`, once a payment.

    An inquiry after a suspicion that nobody has decided on takes its place. `pays` says whether a
    refund is worth more than waiting, and is asked only where the policy would have one.
    """
    known = change.load(EarlyWarning, seen.id)
    if known is not None and not _makes_room(known, seen):
        return known
    rule = warning_rule(change, seen.kind)
    taken = _decided(change, seen, rule, pays)
    change.put(taken)
    change.audit(f"early_warning_{taken.state.value}", taken.kind.value, charge=taken.id)
    _tell(change, taken)
    return taken


def _makes_room(known: EarlyWarning, seen: EarlyWarning) -> bool:
    """What a person has said of the payment stands, and what has been done about it anyway."""
    said = known.decided_by is not None
    return known.state in UNDECIDED and not said and known.source != seen.source


def _decided(
    change: Change, seen: EarlyWarning, rule: EarlyWarningRule | None, pays: Callable[[], bool]
) -> EarlyWarning:
    if rule is None or seen.state is WarningState.OVER:
        return seen
    seen = replace(seen, clause=rule.id)
    match rule.action:
        case WarningAction.CONTEST:
            return replace(seen, state=WarningState.LEFT)
        case WarningAction.REFUND:
            within = 0 < seen.amount <= rule.refund_at_most.get(seen.currency, 0)
            if within and pays():
                at = change.now + timedelta(hours=rule.hours)
                return replace(seen, state=WarningState.PLANNED, act_at=at)
    return seen


def _tell(change: Change, taken: EarlyWarning) -> None:
    """Staff hear of a suspicion in any case; of an inquiry they hear by its own event."""
    amount = money_text(taken.amount, taken.currency)
    if taken.state is WarningState.PLANNED and taken.act_at:
        detail = f"{taken.reason}: {amount} goes back at {instant(taken.act_at)}"
        change.alert("refund_planned", taken.id, f"{detail}, unless somebody decides otherwise")
    elif taken.kind is WarningKind.FRAUD_WARNING and taken.state is not WarningState.OVER:
        change.alert("fraud_warning", taken.id, f"{taken.reason}: {amount} waits for a person")


def follow_warning(change: Change, record: Dispute) -> None:
    """A dispute has moved: an inquiry is a warning, and anything worse ends every warning."""
    if record.kind is DisputeKind.INQUIRY and record.phase is DisputePhase.OPEN:
        warned = _warning_of(change, record)
        take_warning(change, warned, lambda: weigh(change.services, record).best == "refund")
        return
    known = change.load(EarlyWarning, record.charge)
    over = record.is_against_us or record.phase is DisputePhase.ENDED
    if known is not None and known.state in UNDECIDED and over:
        end_warning(change, known, f"{record.kind} {record.phase}")


def _warning_of(change: Change, record: Dispute) -> EarlyWarning:
    return EarlyWarning(
        id=record.charge,
        customer=change.customer,
        kind=WarningKind.INQUIRY,
        source=record.id,
        payment=record.payment,
        amount=record.amount,
        currency=record.currency,
        reason=record.reason,
        state=WarningState.ASKED,
        seen_at=change.now,
    )


def end_warning(change: Change, known: EarlyWarning, why: str) -> None:
    """Nothing is left to prevent: it has become a dispute, was refunded, or was closed."""
    change.put(replace(known, state=WarningState.OVER))
    change.audit("early_warning_over", why, charge=known.id)


def overrule_refund(change: Change, charge: str, by: StaffMember) -> None:
    """A person has decided otherwise: what the policy has planned does not go back."""
    known = change.load(EarlyWarning, charge)
    if known is not None and known.state in UNDECIDED:
        change.put(replace(known, state=WarningState.LEFT, decided_by=by.actor, role=by.role.value))
        change.audit("early_warning_left", "by staff", charge=charge)


def decide_warning(
    services: Services,
    customer: str,
    what: tuple[str, WarningWord],
    by: StaffMember,
    call: ClientCall,
) -> Answer:
    """A person's word on a warning: refund at once, or leave the payment where it is.

    Args:
        services: the ports.
        customer: whose payment.
        what: the charge, and what becomes of its payment.
        by: who decides.
        call: the caller's idempotency key.

    Raises:
        NotFoundError: no warning about such a charge of this customer.
        ConflictError: it is decided, or has become a dispute.
    """
    charge, word = what
    first = replay(services, customer, call)
    if first is not None:
        return first

    def decide(change: Change) -> Answer:
        known = change.load(EarlyWarning, charge)
        if known is None:
            raise NotFoundError("early warning")
        if known.state not in UNDECIDED:
            raise ConflictError("already-decided", f"This warning is {known.state.value}.")
        if word is WarningWord.REFUND:
            known = replace(
                known,
                state=WarningState.PLANNED,
                act_at=change.now,
                decided_by=by.actor,
                role=by.role.value,
            )
            change.put(known)
            change.audit("early_warning_refund", "by staff", charge=charge)
            change.effect(EffectKind.PREVENT_DISPUTE, {"charge": charge})
        else:
            overrule_refund(change, charge, by)
        decided = change.load(EarlyWarning, charge) or known
        answer = Answer(202, warning_document(decided))
        remember(change, call, answer)
        return answer

    return transact(services, customer, by.actor, decide)


def act_on_warning(services: Services, *, customer: str, charge: str) -> str:
    """A planned refund's time has come: have it carried out; a word for the metrics."""

    def decide(change: Change) -> str:
        known = change.load(EarlyWarning, charge)
        if known is None or known.due_at is None or change.now < known.due_at:
            return "nothing_to_do"
        change.put(replace(known, looking_until=change.now + LOOK_AGAIN))
        change.effect(EffectKind.PREVENT_DISPUTE, {"charge": charge})
        return "dispute_prevention"

    return transact(services, customer, "schedule", decide)


def warning_document(one: EarlyWarning) -> dict[str, str | int | None]:
    """A warning as staff see it."""
    return {
        "charge": one.id,
        "kind": one.kind.value,
        "source": one.source,
        "payment": one.payment,
        "amount": one.amount,
        "currency": one.currency,
        "reason": one.reason,
        "state": one.state.value,
        "clause": one.clause,
        "seen_at": instant(one.seen_at),
        "act_at": instant(one.act_at) if one.act_at else None,
        "refund_case": one.refund_case,
    }
