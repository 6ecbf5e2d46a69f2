"""What a request that moves money rests on, looked at once more right before it goes out.

Promise, decision and reservation were stored before the effect, or together with it. Where one of
them is gone or says something else, a record is corrupt or we have a bug: nobody may send then.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared.application.promises import Decided, Promise, decision_of
from shared.domain.cancellation import Cancellation
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.payment import Payment
from shared.domain.records import Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus, RefundWay
from shared.ports import Services, Stored

_WAYS = {
    EffectKind.REFUND_PAYMENT: RefundWay.PAYMENT,
    EffectKind.GIVE_CREDIT: RefundWay.ACCOUNT_CREDIT,
}
# A bank may send a refund back while its credit note is being issued.
_OUT = (RefundStatus.SUCCEEDED, RefundStatus.FAILED)


def load_refund(
    services: Services, effect: Effect
) -> tuple[Stored[RefundOperation], Stored[Payment]]:
    """The refund that an effect sends, and the payment that it is reserved on.

    Raises:
        BrokenInvariantError: it was never promised, or otherwise.
    """
    params, customer = effect.params, effect.customer
    # In this order: an event in between settles both, and is seen by the second.
    payment = services.store.get(Payment, customer, params["payment"])
    operation = services.store.get(RefundOperation, customer, params["refund"])
    if operation is None or payment is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown refund")
    promised = operation.record
    asked = (_WAYS[effect.kind], params["payment"], params["amount"], params["currency"])
    if asked != (promised.way, promised.payment, promised.amount, promised.currency):
        raise BrokenInvariantError(f"effect {effect.id} is not refund {promised.id} as promised")
    return operation, payment


def must_be_granted(services: Services, operation: RefundOperation) -> None:
    """The refund stands in its promise, and in the decision behind that.

    Raises:
        BrokenInvariantError: it does not.
    """
    names = {"cancellation": operation.cancellation, "refund_case": operation.refund_case}
    promise = load_promise(services, operation.customer, names)
    back = granted_back(load_decision(services, promise), operation.invoice)
    first = operation.replaces is None
    amount = back["refunds"].get(operation.payment) if first else _replaced(services, operation)
    if operation.id not in promise.refunds or amount != operation.amount:
        raise BrokenInvariantError(f"refund {operation.id} was never granted by {promise.id}")


def _replaced(services: Services, operation: RefundOperation) -> int | None:
    """The amount of the refund that this one stands for."""
    known = services.store.get(RefundOperation, operation.customer, operation.replaces or "")
    linked = known is not None and known.record.replaced_by == operation.id
    return known.record.amount if known and linked else None


def must_be_out(services: Services, effect: Effect) -> None:
    """The credit note documents what has gone back, and gives what was promised.

    Raises:
        BrokenInvariantError: it does not.
    """
    params, customer = effect.params, effect.customer
    promise = load_promise(services, customer, params)
    back = granted_back(load_decision(services, promise), params["invoice"])
    for name, made, amount in params["refunds"]:
        known = services.store.get(RefundOperation, customer, name)
        facts = known and (known.record.stripe_refund, known.record.amount)
        out = known is not None and known.record.status in _OUT
        if not out or facts != (made, amount) or name not in promise.refunds:
            raise BrokenInvariantError(f"effect {effect.id} documents {name}, which is not out")
    credits_ = {credit.invoice: credit.amount for credit in promise.credits}
    if credits_.get(params["invoice"], 0) != back["credit"]:
        raise BrokenInvariantError(f"effect {effect.id} gives what was never promised")


def load_promise(services: Services, customer: str, names: Mapping[str, Any]) -> Promise:
    """The cancellation or the refund case that is named.

    Raises:
        BrokenInvariantError: there is none.
    """
    case = names.get("refund_case")
    kind: type[Promise] = RefundCase if case else Cancellation
    name = case or names.get("cancellation") or ""
    stored = services.store.get(kind, customer, name)
    if stored is None:
        raise BrokenInvariantError(f"promise {name} is lost")
    return stored.record


def load_decision(services: Services, promise: Promise) -> Decided:
    """What the policy has decided, and the promise carries out.

    Raises:
        BrokenInvariantError: it is gone, is about something else, or grants nothing.
    """
    decided = decision_of(services, promise)
    taken = not isinstance(decided, Quote) or decided.used_by == promise.id
    if not taken or json.loads(decided.document)["outcome"] != "granted":
        raise BrokenInvariantError(f"promise {promise.id} was not granted by {decided.id}")
    return decided


def granted_back(decided: Decided, invoice: str) -> Mapping[str, Any]:
    """What was decided to go back on an invoice.

    Raises:
        BrokenInvariantError: nothing.
    """
    found = [back for back in json.loads(decided.returns) if back["invoice"] == invoice]
    if not found:
        raise BrokenInvariantError(f"{decided.id} gives nothing back on {invoice}")
    back: Mapping[str, Any] = found[0]
    return back
