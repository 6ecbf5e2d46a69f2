"""Sending money back, and the credit note that documents it."""

from dataclasses import asdict, replace

from shared.application.adopt_refund import adopt_refund
from shared.application.change import Change
from shared.application.effects.performer import (
    Go,
    Performer,
    Refuse,
    Result,
    Skip,
    Verdict,
    key_of,
)
from shared.application.effects.promised import (
    granted_back,
    load_decision,
    load_promise,
    load_refund,
    must_be_granted,
    must_be_out,
)
from shared.application.plan_returns import lines_from_plain
from shared.application.promises import Promise, promise_of, with_credits
from shared.application.settle_promise import hand_over, settle
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.ledger import Book
from shared.domain.payment import Payment
from shared.domain.refund_operation import RefundFacts, RefundOperation, RefundStatus
from shared.ports import Check, Services


def may_send(services: Services, effect: Effect) -> Verdict:
    """Granted, reserved and not disputed; the payment still so in the commit before the call."""
    operation, payment = load_refund(services, effect)
    if operation.record.status is not RefundStatus.RESERVED:
        return Skip("its outcome has come by an event")
    if payment.record.reserved < effect.params["amount"]:
        raise BrokenInvariantError(f"refund effect {effect.id} without its reservation")
    must_be_granted(services, operation.record)
    if payment.record.disputes:
        return Refuse("payment_disputed")
    return Go([Check(payment.record, payment.version)])


def _refund(services: Services, effect: Effect) -> Result:
    params = effect.params
    refund = services.billing.refund_payment(
        payment=params["payment"],
        amount=params["amount"],
        operation=params["refund"],
        customer=effect.customer,
        key=key_of(effect),
    )
    return asdict(refund)


def _find_refund(services: Services, effect: Effect) -> Result | None:
    for refund in services.billing.refunds_of(effect.params["payment"]):
        if refund.operation == effect.params["refund"]:
            return asdict(refund)
    return None


def _adopt_refund(change: Change, effect: Effect, result: Result) -> None:
    operation = change.load(RefundOperation, effect.params["refund"])
    if operation is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown refund")
    adopt_refund(change, operation, RefundFacts(**result))


def not_sent(change: Change, effect: Effect, reason: str) -> None:
    """Nothing left the payment: give the reservation back and hand the case to a person."""
    operation = change.load(RefundOperation, effect.params["refund"])
    payment = change.load(Payment, effect.params["payment"])
    if operation is None or payment is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown refund")
    if operation.status is not RefundStatus.RESERVED:
        return
    change.put(payment.release(operation.amount))
    change.put(operation.step(RefundStatus.REJECTED, reason=reason))
    change.audit("refund_rejected", reason, refund=operation.id)
    promise = promise_of(change, operation)
    if promise is not None:
        settle(change, promise)


def outcome_unknown(change: Change, effect: Effect, reason: str) -> None:
    """Whether the money has left is not known: the reservation stays until a person has looked."""
    operation = change.load(RefundOperation, effect.params["refund"])
    if operation is None or operation.status is not RefundStatus.RESERVED:
        return
    change.put(operation.step(RefundStatus.NEEDS_PERSON, reason=reason))
    promise = promise_of(change, operation)
    if promise is not None:
        hand_over(change, promise)


def _may_issue(services: Services, effect: Effect) -> Verdict:
    must_be_out(services, effect)
    return Go()


def _issue(services: Services, effect: Effect) -> Result:
    params = effect.params
    if params.get("again") and (found := _find_credit_note(services, effect)):
        return found
    promise = load_promise(services, effect.customer, params)
    back = granted_back(load_decision(services, promise), params["invoice"])
    credit_note = services.billing.issue_credit_note(
        invoice=params["invoice"],
        lines=lines_from_plain(back["lines"]),
        refunds=[(made, amount) for _, made, amount in params["refunds"] if made],
        credit=back["credit"],
        out_of_band=params.get("outside", 0),
        operation=params["operation"],
        key=key_of(effect),
    )
    return {"credit_note": credit_note}


def _find_credit_note(services: Services, effect: Effect) -> Result | None:
    found = services.billing.credit_note_of(effect.params["invoice"], effect.params["operation"])
    return {"credit_note": found} if found else None


def _adopt_credit_note(change: Change, effect: Effect, result: Result) -> None:
    for refund_id, *_ in effect.params["refunds"]:
        operation = change.load(RefundOperation, refund_id)
        if operation is not None:
            change.put(replace(operation, credit_note=result["credit_note"], undocumented=None))
    change.audit("credit_note_issued", effect.params["invoice"], **result)
    promise = promise_of(change, effect.params)
    if promise is not None:
        _book_credit(change, promise, effect.params["invoice"], result["credit_note"])


def _credit_note_refused(change: Change, effect: Effect, reason: str) -> None:
    """The money is out and its document is not: a person has to see both."""
    for refund_id, *_ in effect.params["refunds"]:
        operation = change.load(RefundOperation, refund_id)
        if operation is not None:
            change.put(replace(operation, undocumented=reason))
    change.audit("credit_note_missing", reason, invoice=effect.params["invoice"])
    promise = promise_of(change, effect.params)
    if promise is not None:
        hand_over(change, promise)


def _book_credit(change: Change, promise: Promise, invoice: str, credit_note: str) -> None:
    """The credit note has put its part into the customer's balance at Stripe."""
    for credit in promise.credits:
        if credit.invoice == invoice:
            change.post(
                "account_credit",
                (Book.PAID, Book.CREDITED),
                credit.amount,
                credit.currency,
                cause=promise.id,
                evidence=(credit_note,),
            )
    settled = tuple(
        replace(credit, credit_note=credit_note) if credit.invoice == invoice else credit
        for credit in promise.credits
    )
    documented = with_credits(promise, settled)
    change.put(documented)
    settle(change, documented)


PERFORMERS = {
    EffectKind.REFUND_PAYMENT: Performer(
        send=_refund,
        look_up=_find_refund,
        may_send=may_send,
        adopt=_adopt_refund,
        reject=not_sent,
        hand_over=outcome_unknown,
    ),
    EffectKind.ISSUE_CREDIT_NOTE: Performer(
        send=_issue,
        look_up=_find_credit_note,
        may_send=_may_issue,
        adopt=_adopt_credit_note,
        reject=_credit_note_refused,
        hand_over=_credit_note_refused,
    ),
}
