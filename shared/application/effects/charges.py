"""Nothing is billed for time after the end; what was earned before it stays."""

from dataclasses import asdict, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from shared.application.change import Change
from shared.application.effects.performer import Go, Performer, Result, Skip, Verdict, key_of
from shared.application.withdraw_cancellation import put_back
from shared.domain.cancellation import Cancellation, CancellationState, RemovedCharge
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import BrokenInvariantError
from shared.domain.invoice import InvoiceFacts, PendingCharge
from shared.domain.money import Rounding, grain_of, round_to_grain
from shared.domain.subscription import Subscription
from shared.ports import Services

# A transaction holds 100 items; what is beyond this many is swept by a further effect.
_PER_SWEEP = 40


def _may_sweep(services: Services, effect: Effect) -> Verdict:
    cancellation = effect.params.get("cancellation")
    stored = cancellation and services.store.get(Cancellation, effect.customer, cancellation)
    if stored and stored.record.state is CancellationState.WITHDRAWN:
        return Skip("taken back")
    return Go()


def _sweep(services: Services, effect: Effect) -> Result:
    """What would be billed for time after the end; a reading, nothing is changed yet."""
    end, subscription = datetime.fromisoformat(effect.params["end"]), effect.params["subscription"]
    pending = [
        charge
        for charge in services.billing.pending_charges(effect.customer, subscription)
        if charge.period_end > end
    ]
    waiting = services.billing.open_invoices(effect.customer)
    invoices = [
        invoice
        for invoice in waiting
        if invoice.subscription == subscription and _only_after(invoice, end)
    ]
    paid = services.billing.paid_invoices(effect.customer)
    return {
        "pending": [_plain(charge) for charge in pending[:_PER_SWEEP]],
        "drafts": [i.id for i in invoices if i.status == "draft"][:_PER_SWEEP],
        "unpaid": [i.id for i in invoices if i.status == "open"][:_PER_SWEEP],
        "more": max(len(pending), len(invoices)) > _PER_SWEEP,
        "billed": [
            invoice.id
            for invoice in (*waiting, *paid)
            if invoice.subscription == subscription and _is_billed_anyway(invoice, end)
        ],
    }


def _only_after(invoice: InvoiceFacts, end: datetime) -> bool:
    return bool(invoice.lines) and all(line.period_start >= end for line in invoice.lines)


def _is_billed_anyway(invoice: InvoiceFacts, end: datetime) -> bool:
    """Whether it takes money for time after the end, of which Stripe heard too late."""
    if not any(line.period_end > end for line in invoice.lines):
        return False
    if invoice.status == "draft":
        return invoice.collects and not _only_after(invoice, end)
    return invoice.paid_at is not None and invoice.paid_at > end


def _plain(charge: PendingCharge) -> dict[str, str | int | None]:
    return asdict(charge) | {
        "period_start": charge.period_start.isoformat(),
        "period_end": charge.period_end.isoformat(),
    }


def _after_sweep(change: Change, effect: Effect, result: Result) -> None:
    for charge in result.get("pending", ()):
        change.effect(EffectKind.REMOVE_CHARGE, dict(effect.params) | {"charge": charge})
    for draft in result.get("drafts", ()):
        change.effect(EffectKind.FINALIZE_DRAFT, {"invoice": draft})
    for invoice in result.get("unpaid", ()):
        change.effect(EffectKind.VOID_INVOICE, {"invoice": invoice})
    if result.get("more"):
        change.effect(EffectKind.SWEEP_CHARGES, effect.params)
        return
    detail = f"for time after {effect.params['end']}, when {effect.params['subscription']} ended"
    for invoice in result.get("billed", ()):
        change.alert("billed_after_end", invoice, detail)


def _may_remove(services: Services, effect: Effect) -> Verdict:
    """What may be gone already has to be gone before it can be put back."""
    return Go() if effect.sent_at is not None else _may_sweep(services, effect)


def _remove(services: Services, effect: Effect) -> Result:
    services.billing.remove_charge(effect.params["charge"]["id"])
    return {}


def _after_remove(change: Change, effect: Effect, _result: Result) -> None:
    """Keep what was taken away; bill again the part that was earned before the end."""
    charge, end = effect.params["charge"], datetime.fromisoformat(effect.params["end"])
    if any(one["id"] == charge["id"] for one in _taken_away(change.services, effect.customer)):
        # Another sweep had found it too, and what follows has followed.
        return
    removed = RemovedCharge(
        id=charge["id"],
        amount=charge["amount"],
        currency=charge["currency"],
        description=charge["description"],
        period_start=datetime.fromisoformat(charge["period_start"]),
        period_end=datetime.fromisoformat(charge["period_end"]),
        tax_rates=tuple(charge["tax_rates"]),
        discountable=charge["discountable"],
        operation=charge.get("operation"),
    )
    known = effect.params.get("cancellation")
    cancellation = known and change.load(Cancellation, known)
    if cancellation and cancellation.state is CancellationState.WITHDRAWN:
        put_back(change, effect.params["subscription"], removed)
        return
    earned = _earned(removed, end)
    if earned is not None:
        put_back(change, effect.params["subscription"], earned)
        removed = replace(removed, amount=removed.amount - earned.amount, period_start=end)
    if cancellation:
        change.put(replace(cancellation, removed=(*cancellation.removed, removed)))


def _taken_away(services: Services, customer: str) -> list[dict[str, Any]]:
    """The charges that are gone for a removal of ours."""
    effects = [one.record for one in services.store.all_of(Effect, customer)]
    return [
        one.params["charge"]
        for one in effects
        if (one.kind, one.status) == (EffectKind.REMOVE_CHARGE, EffectStatus.DONE)
        and "skipped" not in one.result
    ]


def _earned(charge: RemovedCharge, end: datetime) -> RemovedCharge | None:
    """The part of a charge that covers time before the end, by the second; None when there is none.

    Rounded half up on its size: a credit (negative) of the same size splits in the same way.
    """
    if charge.period_start >= end:
        return None
    used = Fraction(
        int((end - charge.period_start).total_seconds()),
        int((charge.period_end - charge.period_start).total_seconds()),
    )
    size = round_to_grain(abs(charge.amount) * used, grain_of(charge.currency), Rounding.HALF_UP)
    if size == 0:
        return None
    amount = size if charge.amount > 0 else -size
    return replace(charge, amount=amount, period_end=end)


def _may_add(services: Services, effect: Effect) -> Verdict:
    """Only what was taken away here is billed again, and no more than that."""
    params = effect.params
    if not any(
        (charge["id"], charge["currency"]) == (params["id"], params["currency"])
        and abs(charge["amount"]) >= abs(params["amount"])
        for charge in _taken_away(services, effect.customer)
    ):
        raise BrokenInvariantError(f"charge {params['id']} was never taken away")
    return Go()


def _add(services: Services, effect: Effect) -> Result:
    added = services.billing.add_charge(
        dict(effect.params) | {"customer": effect.customer},
        operation=effect.params["operation"],
        key=key_of(effect),
    )
    return {"charge": added}


def _find_added(services: Services, effect: Effect) -> Result | None:
    """Stripe knows no charge any more that another cancellation has taken away since."""
    operation = effect.params["operation"]
    found = services.billing.charge_added(effect.customer, operation)
    if found is None:
        cancellations = services.store.all_of(Cancellation, effect.customer)
        removed = (one for stored in cancellations for one in stored.record.removed)
        found = next((one.id for one in removed if one.operation == operation), None)
    return {"charge": found} if found else None


def _after_add(change: Change, effect: Effect, _result: Result) -> None:
    """Cancelled again while it was being put back: then it is for later once more."""
    subscription = change.load(Subscription, effect.params["subscription"])
    end = subscription and subscription.ends_at
    if subscription and end and datetime.fromisoformat(effect.params["period_end"]) > end:
        change.effect(
            EffectKind.SWEEP_CHARGES,
            {
                "subscription": subscription.id,
                "cancellation": subscription.cancellation,
                "end": end.isoformat(),
            },
        )


def _finalize(services: Services, effect: Effect) -> Result:
    """Stripe deletes no draft of a subscription; finalized without collection it can be voided."""
    services.billing.finalize_draft(effect.params["invoice"], key=key_of(effect))
    return {}


def _find_finalized(services: Services, effect: Effect) -> Result | None:
    """Done by an earlier try, or by Stripe itself, which leaves it a draft for an hour only."""
    seen = services.billing.dunning(effect.params["invoice"])
    return {} if seen and seen.status not in ("draft", "paid") else None


def _after_finalize(change: Change, effect: Effect, _result: Result) -> None:
    change.effect(EffectKind.VOID_INVOICE, effect.params)


def _void(services: Services, effect: Effect) -> Result:
    services.billing.void_invoice(effect.params["invoice"], key=key_of(effect))
    return {}


def _find_voided(services: Services, effect: Effect) -> Result | None:
    seen = services.billing.dunning(effect.params["invoice"])
    return {} if seen and seen.status == "void" else None


PERFORMERS = {
    EffectKind.SWEEP_CHARGES: Performer(send=_sweep, may_send=_may_sweep, adopt=_after_sweep),
    EffectKind.REMOVE_CHARGE: Performer(send=_remove, may_send=_may_remove, adopt=_after_remove),
    EffectKind.ADD_CHARGE: Performer(
        send=_add, look_up=_find_added, may_send=_may_add, adopt=_after_add
    ),
    EffectKind.FINALIZE_DRAFT: Performer(
        send=_finalize, look_up=_find_finalized, adopt=_after_finalize
    ),
    EffectKind.VOID_INVOICE: Performer(send=_void, look_up=_find_voided),
}
