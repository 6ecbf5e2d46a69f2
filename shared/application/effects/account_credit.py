"""Putting into the customer's balance what could not be refunded."""

from dataclasses import replace

from shared.application.change import Change
from shared.application.effects.performer import Performer, Result, key_of
from shared.application.effects.refunds import may_send, not_sent, outcome_unknown
from shared.application.settle_replacement import settle_replacement
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.ports import Services


def _give(services: Services, effect: Effect) -> Result:
    entry = services.billing.give_account_credit(
        customer=effect.customer,
        amount=effect.params["amount"],
        currency=effect.params["currency"],
        operation=effect.params["refund"],
        key=key_of(effect),
    )
    return {"entry": entry}


def _find(services: Services, effect: Effect) -> Result | None:
    found = services.billing.account_credit_of(effect.customer, effect.params["refund"])
    return {"entry": found} if found else None


def _adopt(change: Change, effect: Effect, result: Result) -> None:
    operation = change.load(RefundOperation, effect.params["refund"])
    if operation is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown refund")
    if operation.status is not RefundStatus.SUCCEEDED:
        settle_replacement(change, replace(operation, reference=result["entry"]))


PERFORMERS = {
    EffectKind.GIVE_CREDIT: Performer(
        send=_give,
        look_up=_find,
        may_send=may_send,
        adopt=_adopt,
        reject=not_sent,
        hand_over=outcome_unknown,
    ),
}
