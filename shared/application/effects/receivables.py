"""An invoice over what is owed: drafted, filled, sent; one change at Stripe after the other."""

from dataclasses import replace

from shared.application.change import Change
from shared.application.effects.performer import Go, Performer, Result, Skip, Verdict, key_of
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.receivable import OPEN, Receivable, ReceivableState
from shared.ports import Services


def _known(services: Services, effect: Effect) -> Receivable:
    stored = services.store.get(Receivable, effect.customer, effect.params["receivable"])
    if stored is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown receivable")
    return stored.record


def _if_open(services: Services, effect: Effect) -> Verdict:
    known = _known(services, effect)
    return Go() if known.state in OPEN else Skip(f"it is {known.state}")


def _if_drafted(services: Services, effect: Effect) -> Verdict:
    known = _known(services, effect)
    if known.state in OPEN and not known.invoice:
        raise BrokenInvariantError(f"effect {effect.id} of receivable {known.id} without a draft")
    return _if_open(services, effect)


def _draft(services: Services, effect: Effect) -> Result:
    known = _known(services, effect)
    invoice = services.billing.draft_debt(
        effect.customer, known.currency, receivable=known.id, key=key_of(effect)
    )
    return {"invoice": invoice}


def _find_draft(services: Services, effect: Effect) -> Result | None:
    found = services.billing.debt_invoice(effect.customer, effect.params["receivable"])
    return {"invoice": found} if found else None


def _drafted(change: Change, effect: Effect, result: Result) -> None:
    known = change.load(Receivable, effect.params["receivable"])
    if known is not None:
        change.put(replace(known, invoice=result["invoice"]))
        change.effect(EffectKind.FILL_DEBT, effect.params)


def _fill(services: Services, effect: Effect) -> Result:
    known = _known(services, effect)
    services.billing.fill_debt(
        effect.customer,
        known.invoice or "",
        amount=known.amount,
        currency=known.currency,
        operation=effect.id,
        key=key_of(effect),
    )
    return {}


def _find_item(services: Services, effect: Effect) -> Result | None:
    return {} if services.billing.charge_added(effect.customer, effect.id) else None


def _filled(change: Change, effect: Effect, _result: Result) -> None:
    change.effect(EffectKind.SEND_DEBT, effect.params)


def _send(services: Services, effect: Effect) -> Result:
    invoice = _known(services, effect).invoice or ""
    return {"page": services.billing.send_debt(invoice, key=key_of(effect))}


def _find_sent(services: Services, effect: Effect) -> Result | None:
    """Sending ends the draft, and Stripe keeps the page."""
    seen = services.billing.dunning(_known(services, effect).invoice or "")
    return {"page": seen.page} if seen and seen.status != "draft" else None


def _sent(change: Change, effect: Effect, result: Result) -> None:
    known = change.load(Receivable, effect.params["receivable"])
    if known is not None and known.state is ReceivableState.REQUESTED:
        change.put(replace(known, state=ReceivableState.ISSUED, page=result["page"]))


def _refused(change: Change, effect: Effect, reason: str) -> None:
    known = change.load(Receivable, effect.params["receivable"])
    if known is not None and known.state is ReceivableState.REQUESTED:
        change.put(replace(known, state=ReceivableState.REJECTED))
    change.alert("receivable_refused", effect.params["receivable"], reason)


PERFORMERS = {
    EffectKind.DRAFT_DEBT: Performer(
        send=_draft, look_up=_find_draft, may_send=_if_open, adopt=_drafted, reject=_refused
    ),
    EffectKind.FILL_DEBT: Performer(
        send=_fill, look_up=_find_item, may_send=_if_drafted, adopt=_filled, reject=_refused
    ),
    EffectKind.SEND_DEBT: Performer(
        send=_send, look_up=_find_sent, may_send=_if_drafted, adopt=_sent, reject=_refused
    ),
}
