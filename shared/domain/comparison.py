"""Find and type every divergence between one customer's records and Stripe's lists. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from shared.domain.clearing import unbooked
from shared.domain.dispute import Dispute, DisputeFacts
from shared.domain.effects import EffectKind
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.invoice import is_invoice
from shared.domain.reconciliation import AtStripe, Divergence, DivergenceKind, Here, Moment, Repair
from shared.domain.refund_operation import (
    UNDER_WAY,
    RefundFacts,
    RefundOperation,
    RefundStatus,
    status_seen,
)
from shared.domain.subscription import (
    Subscription,
    SubscriptionFacts,
    SubscriptionItem,
    SubscriptionStatus,
)

_HOLDS = (RefundStatus.RESERVED, *UNDER_WAY, RefundStatus.NEEDS_PERSON)
_SETS_END = (EffectKind.SCHEDULE_CANCELLATION, EffectKind.UNSCHEDULE_CANCELLATION)


def compare(here: Here, seen: AtStripe, moment: Moment) -> list[Divergence]:
    """All divergences of a customer.

    A customer of whom nothing is known here has none but live subscriptions and disputes: the rest
    is no business of ours. Do not ask while a customer is busy (`Here.is_busy`).
    """
    found = [*_subscriptions(here, seen, moment), *_disputes(here, seen, moment)]
    if here.is_known:
        found += _refunds(here, seen, moment)
        found += _credit_notes(here, seen, moment)
        found += _reservations(here)
        found += _overdue(here, moment)
        # A refund or dispute that differs in itself has no right entry yet; one finding tells it.
        named = {one.subject for one in found}
        found += [one for one in unbooked(here, seen, moment) if one.subject not in named]
    return found


def may_differ(known: Subscription | None, seen: SubscriptionFacts, moment: Moment) -> bool:
    """Whether a subscription looks different, from its own record alone."""
    if not moment.is_settled(seen.id, seen.created_at):
        return False
    alone = Here(seen.customer, subscriptions=(known,) if known else ())
    return _subscription(alone, known, seen, moment)[0] is not None


def is_expected(refund: RefundOperation | ForeignRefund, moment: Moment) -> bool:
    """Whether a refund that we know must be among those that were read from Stripe."""
    since = refund.reserved_at if isinstance(refund, RefundOperation) else refund.seen_at
    return refund.status in UNDER_WAY or since >= moment.since


# -- subscriptions


def _subscriptions(here: Here, seen: AtStripe, moment: Moment) -> Iterator[Divergence]:
    known = {one.id: one for one in here.subscriptions}
    for facts in seen.subscriptions:
        if moment.is_settled(facts.id, facts.created_at):
            kind, detail, repair = _subscription(here, known.get(facts.id), facts, moment)
            if kind is not None:
                yield Divergence(kind, here.customer, facts.id, detail, repair)
    # Unless it is listed, it was asked for by its id.
    listed = {facts.id for facts in seen.subscriptions}
    for one in here.subscriptions:
        if one.ended_at is None and one.id not in listed:
            kind = DivergenceKind.SUBSCRIPTION_UNKNOWN_AT_STRIPE
            yield Divergence(kind, here.customer, one.id, f"{one.status} here")


def _subscription(
    here: Here, known: Subscription | None, seen: SubscriptionFacts, moment: Moment
) -> tuple[DivergenceKind | None, str, Repair | None]:
    kinds, refresh = DivergenceKind, Repair.REFRESH_SUBSCRIPTION
    over = seen.status is SubscriptionStatus.ENDED
    if known is None:
        # One that was over before we heard of it is owed nothing and changes nothing.
        missing = None if over else kinds.SUBSCRIPTION_UNKNOWN_HERE
        return missing, f"{seen.status} at Stripe", refresh
    if known.ended_at is not None:
        return _after_end(here, known, seen, moment)
    if seen.status is not known.status:
        detail = f"{known.status} here, {seen.status} at Stripe"
        return kinds.SUBSCRIPTION_STATUS_DIFFERS, detail, refresh
    if seen.cancels_at != known.ends_at:
        if _is_on_its_way(here, known.id, *_SETS_END):
            return None, "", None
        # An end that was decided here stands; that Stripe has another one is for a person.
        repair = None if known.cancellation else refresh
        detail = f"ends {known.ends_at or 'never'} here, {seen.cancels_at or 'never'} at Stripe"
        return kinds.SUBSCRIPTION_END_DIFFERS, detail, repair
    if _terms(known) != _terms(seen):
        return kinds.SUBSCRIPTION_PERIOD_DIFFERS, "items or periods differ", refresh
    return None, "", None


def _after_end(
    here: Here, known: Subscription, seen: SubscriptionFacts, moment: Moment
) -> tuple[DivergenceKind | None, str, Repair | None]:
    assert known.ended_at is not None
    over = seen.status is SubscriptionStatus.ENDED
    # One that is over has no way to show that this was settled, so it is told for some days only.
    told = over and seen.ended_at is not None and seen.ended_at < moment.since
    if not told and any(_begins_after(known.ended_at, item, seen) for item in seen.items):
        detail = f"ended {known.ended_at} here, and billed for a period after it"
        return DivergenceKind.BILLED_AFTER_END, detail, None
    if over:
        return None, "", None
    if _is_on_its_way(here, known.id, EffectKind.CANCEL_SUBSCRIPTION):
        return None, "", None
    detail = f"ended here, {seen.status} at Stripe"
    return DivergenceKind.SUBSCRIPTION_STATUS_DIFFERS, detail, None


def _begins_after(end: datetime, item: SubscriptionItem, seen: SubscriptionFacts) -> bool:
    """Whether a period is one that came after `end`: a renewal begins where the last one ended.

    A subscription that was cancelled in the second in which it began ended within its own period.
    """
    return item.period_start > end or seen.created_at < item.period_start == end


def _is_on_its_way(here: Here, subscription: str, *kinds: EffectKind) -> bool:
    return any(
        effect.params.get("subscription") == subscription for effect in here.open_effects(*kinds)
    )


def _terms(one: Subscription | SubscriptionFacts) -> set[tuple[object, ...]]:
    return {(i.id, i.price, i.quantity, i.period_start, i.period_end) for i in one.items}


# -- disputes


def _disputes(here: Here, seen: AtStripe, moment: Moment) -> Iterator[Divergence]:
    known = {one.id: one for one in here.disputes}
    for facts in seen.disputes:
        kind = None
        if moment.is_settled(facts.id, facts.opened_at):
            kind = _dispute(known.get(facts.id), facts, booked=here.is_known)
        if kind is not None:
            detail = f"{facts.kind} {facts.phase} at Stripe"
            yield Divergence(kind, here.customer, facts.id, detail, Repair.HANDLE_DISPUTE)


def _dispute(known: Dispute | None, seen: DisputeFacts, *, booked: bool) -> DivergenceKind | None:
    if known is None:
        return DivergenceKind.DISPUTE_UNKNOWN_HERE
    if not seen.is_understood:
        # What was acted on stays known beside the status that nobody understands yet.
        same = known.raw_status == seen.raw_status
        return None if same else DivergenceKind.DISPUTE_PHASE_DIFFERS
    ours = (known.kind, known.phase, known.outcome)
    if ours != (seen.kind, seen.phase, seen.outcome):
        return DivergenceKind.DISPUTE_PHASE_DIFFERS
    amount, fee = known.booked_as("amount"), known.booked_as("fee")
    moved = (amount.taken, amount.returned) if amount else (0, 0)
    funds = (*moved, fee.taken if fee else 0)
    differ = booked and funds != (seen.withdrawn, seen.returned, seen.fee)
    return DivergenceKind.DISPUTE_FUNDS_DIFFER if differ else None


# -- refunds


def _refunds(here: Here, seen: AtStripe, moment: Moment) -> Iterator[Divergence]:
    operations = {one.id: one for one in here.operations}
    others = {one.id: one for one in here.foreign if one.claimed_by is None}
    listed = {facts.id for facts in seen.refunds}
    second = set(_second_ones(operations, seen.refunds))
    for facts in seen.refunds:
        if not moment.is_settled(facts.id, facts.created_at):
            continue
        operation = operations.get(facts.operation or "")
        if facts.id in second:
            detail = f"a second refund for operation {facts.operation}"
            kind = DivergenceKind.REFUND_MADE_TWICE
            yield Divergence(kind, here.customer, facts.id, detail)
        elif operation is None or operation.stripe_refund in (None, facts.id):
            yield from _refund(here, operation or others.get(facts.id), facts)
    ours: list[RefundOperation | ForeignRefund] = [*here.operations, *others.values()]
    for one in ours:
        name = one.stripe_refund if isinstance(one, RefundOperation) else one.id
        counts = one.status in (*UNDER_WAY, RefundStatus.SUCCEEDED)
        if name and name not in listed and counts and is_expected(one, moment):
            kind = DivergenceKind.REFUND_UNKNOWN_AT_STRIPE
            yield Divergence(kind, here.customer, name, f"{one.status} here")


def _second_ones(
    operations: dict[str, RefundOperation], refunds: Iterable[RefundFacts]
) -> Iterator[str]:
    """Refunds beyond the first of an operation, those that failed aside."""
    made: dict[str, list[RefundFacts]] = defaultdict(list)
    for facts in refunds:
        live = status_seen(facts.status) is not RefundStatus.FAILED
        if live and facts.operation in operations:
            made[facts.operation].append(facts)
    for name, several in made.items():
        own = operations[name].stripe_refund
        several.sort(key=lambda facts: (facts.id != own, str(facts.created_at), facts.id))
        yield from (facts.id for facts in several[1:])


def _refund(
    here: Here, known: RefundOperation | ForeignRefund | None, seen: RefundFacts
) -> Iterator[Divergence]:
    kinds, status, repair = DivergenceKind, status_seen(seen.status), Repair.REFRESH_REFUND
    found: tuple[DivergenceKind, str, Repair | None] | None = None
    if known is None:
        if status is not RefundStatus.FAILED or _still_counts(here, seen):
            found = (kinds.REFUND_UNKNOWN_HERE, f"{seen.amount} {seen.currency}", repair)
    elif (known.amount, known.currency) != (seen.amount, seen.currency):
        detail = f"{known.amount} here, {seen.amount} {seen.currency} at Stripe"
        found = (kinds.REFUND_AMOUNT_DIFFERS, detail, None)
    elif status is not known.status:
        detail = f"{known.status} here, {seen.status} at Stripe"
        if status is not None and known.may_become(status):
            found = (kinds.REFUND_EVENT_MISSED, detail, repair)
        else:
            found = (kinds.REFUND_STATUS_DIFFERS, detail, None)
    if found is not None:
        kind, detail, way = found
        yield Divergence(kind, here.customer, seen.id, detail, way)


def _still_counts(here: Here, seen: RefundFacts) -> bool:
    """Whether a refund that failed before we heard of it is still taken off its payment.

    A quote reads what was refunded from Stripe, and keeps it with what it reserves.
    """
    payment = next((one for one in here.payments if one.id == seen.payment), None)
    own = [one for one in here.operations if one.payment == seen.payment]
    known = sum(one.amount for one in own if one.status is RefundStatus.SUCCEEDED)
    known += sum(one.amount for one in here.foreign if one.payment == seen.payment and one.counts())
    return payment is not None and payment.refunded > known


# -- credit notes


def _credit_notes(here: Here, seen: AtStripe, moment: Moment) -> Iterator[Divergence]:
    on_way = {
        effect.params.get("operation"): effect
        for effect in here.open_effects(EffectKind.ISSUE_CREDIT_NOTE)
    }
    named = {operation.credit_note for operation in here.operations}
    named |= {credit.credit_note for one in here.cancellations for credit in one.credits}
    named |= {credit.credit_note for one in here.cases for credit in one.credits}
    for note in seen.credit_notes:
        if note.status != "issued" or note.id in named or note.operation in on_way:
            continue
        if moment.is_settled(note.id, note.created_at):
            kind = DivergenceKind.CREDIT_NOTE_UNKNOWN_HERE
            yield Divergence(kind, here.customer, note.id, f"on invoice {note.invoice}")
    issued = {note.id for note in seen.credit_notes if note.status == "issued"}
    waiting = {
        (e.params.get("refund_case") or e.params.get("cancellation"), e.params.get("invoice"))
        for e in on_way.values()
    }
    for place, promised in _documented(here.operations).items():
        refunds = [one for one in promised if not one.replaced_by]
        if any(one.status is not RefundStatus.SUCCEEDED for one in refunds) or place in waiting:
            continue
        # What replaces a refund is younger than the credit note that documents both.
        oldest = min(one.reserved_at for one in promised)
        for one in refunds:
            listed = one.credit_note in issued or oldest < moment.since
            if one.credit_note is None or not listed:
                detail = f"{one.credit_note or 'none'} documents refund {one.id}"
                kind = DivergenceKind.CREDIT_NOTE_MISSING
                yield Divergence(kind, here.customer, one.id, detail)


def _documented(
    operations: Iterable[RefundOperation],
) -> dict[tuple[str, str], list[RefundOperation]]:
    """Refunds by what one credit note documents: those of one promise on one invoice."""
    groups: dict[tuple[str, str], list[RefundOperation]] = defaultdict(list)
    for one in operations:
        if is_invoice(one.invoice):
            groups[one.promised_by, one.invoice].append(one)
    return groups


# -- our own records among themselves


def _reservations(here: Here) -> Iterator[Divergence]:
    for payment in here.payments:
        mine = [one for one in here.operations if one.payment == payment.id]
        held = sum(one.amount for one in mine if one.status in _HOLDS)
        if held != payment.reserved:
            detail = f"{payment.reserved} reserved, {held} held by operations"
            kind = DivergenceKind.RESERVATION_UNEXPLAINED
            yield Divergence(kind, here.customer, payment.id, detail)


def _overdue(here: Here, moment: Moment) -> Iterator[Divergence]:
    for effect in here.open_effects():
        if effect.due_at and moment.is_old(effect.due_at):
            detail = f"{effect.kind} was due {effect.due_at}"
            kind = DivergenceKind.EFFECT_STUCK
            yield Divergence(kind, here.customer, effect.id, detail, Repair.WAKE_EFFECT)
    for one in here.subscriptions:
        if one.due_at and moment.is_old(one.due_at):
            kind, detail = DivergenceKind.END_OVERDUE, f"was due {one.due_at}"
            yield Divergence(kind, here.customer, one.id, detail, Repair.END_SUBSCRIPTION)
