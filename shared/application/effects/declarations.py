"""Carry out a declaration that was matched: the cancellation, or the case of the withdrawal."""

from dataclasses import replace

from shared.application.cancel_subscription import ConfirmQuote, cancel_subscription
from shared.application.cases.open_case import OpenCase, open_case
from shared.application.change import Change
from shared.application.client_keys import ClientCall
from shared.application.effects.performer import Performer, Result
from shared.application.intake.take_declaration import declared_in, load_declaration
from shared.application.quote_cancellation import quote_cancellation
from shared.domain.cancellation import Timing
from shared.domain.declaration import Declaration, DeclarationKind, DeclarationState
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError, ConflictError, NotFoundError
from shared.domain.facts import Ground
from shared.ports import Services

CHANNEL = "declaration"


def _carry_out(services: Services, effect: Effect) -> Result:
    known = load_declaration(services, effect.params["declaration"])
    if known.of_customer is None or known.subscription is None:
        raise BrokenInvariantError(f"declaration {known.id} is carried out for nobody")
    carry_out = _withdraw if known.kind is DeclarationKind.WITHDRAWAL else _cancel
    try:
        result = carry_out(services, known, known.of_customer, known.subscription)
    except (ConflictError, NotFoundError) as refusal:
        # There is nothing left that could be declared: it has ended, or is set to end already.
        return {"refused": refusal.slug}
    return {"result": result}


def _cancel(services: Services, known: Declaration, customer: str, subscription: str) -> str:
    """At the end of the cycle, which is what a cancellation means where nobody asked for sooner."""
    call = ClientCall(CHANNEL, known.id, known.id)
    quote = quote_cancellation(
        services, customer=customer, subscription=subscription, timing=Timing.AT_PERIOD_END
    )
    answer = cancel_subscription(
        services,
        customer=customer,
        request=ConfirmQuote(quote["id"], "declared without sign-in"),
        call=call,
    )
    return str(answer.body["id"])


def _withdraw(services: Services, known: Declaration, customer: str, subscription: str) -> str:
    """A case on what was paid for the time that it ends; it counts from the receipt on."""
    invoices = services.billing.subscription_invoices(subscription, known.received_at)
    if not invoices:
        raise NotFoundError("invoice")
    opened = open_case(
        services,
        customer=customer,
        wanted=OpenCase(
            invoice=invoices[0].id,
            ground=Ground.WITHDRAWAL,
            statement=declared_in(services, known).text or None,
            channel=CHANNEL,
            reference=f"declaration:{known.id}",
            received_at=known.received_at,
        ),
        by=known.matched_by or CHANNEL,
    )
    return opened.case.id


def _adopt(change: Change, effect: Effect, result: Result) -> None:
    known = change.load(Declaration, effect.params["declaration"])
    if known is None or known.state is not DeclarationState.MATCHED:
        return
    state = DeclarationState.REFUSED if "refused" in result else DeclarationState.CARRIED_OUT
    change.put(
        replace(known, state=state, result=result.get("result"), reason=result.get("refused"))
    )


PERFORMERS = {EffectKind.CARRY_OUT_DECLARATION: Performer(send=_carry_out, adopt=_adopt)}
