"""Confirm a quote: the cancellation, its refunds' reservations and every effect in one commit."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, present, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.plan_refunds import plan_credits, plan_refunds
from shared.application.quote_cancellation import gather_facts, quote_cancellation
from shared.application.serve_items import follow_items
from shared.application.show_cancellation import cancellation_document
from shared.domain.cancellation import Cancellation, CancellationState, ItemEnd
from shared.domain.effects import EffectKind
from shared.domain.errors import (
    BrokenInvariantError,
    ConflictError,
    ErasedError,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from shared.domain.records import Quote
from shared.domain.refund_operation import RefundOperation
from shared.domain.subscription import Subscription
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class ConfirmQuote:
    """What the customer sends to cancel."""

    quote_id: str
    reason: str | None = None
    feedback: str | None = None


def cancel_subscription(
    services: Services, *, customer: str, request: ConfirmQuote, call: ClientCall
) -> Answer:
    """Execute a quote exactly as shown, or refuse with the new figures.

    Args:
        services: the ports.
        customer: whose quote.
        request: which quote, with what the customer says about it.
        call: the caller's idempotency key.

    Raises:
        NotFoundError: no such quote of this customer.
        ConflictError: used, expired, resting on facts that have changed, or not executable
            without a person; the first three carry what the caller needs next.
    """

    def decide(change: Change) -> Answer:
        # Looked at in each try: the rival that a commit has met may have been this very call.
        if (first := replay(services, customer, call)) is not None:
            return first
        quote = change.load(Quote, request.quote_id)
        if quote is None:
            raise NotFoundError("quote")
        _refuse_if_stale(services, quote)
        answer = Answer(202, _execute(change, quote, request))
        remember(change, call, answer)
        return answer

    return transact(services, customer, f"customer:{customer}", decide)


def _refuse_if_stale(services: Services, quote: Quote) -> None:
    if quote.used_by:
        raise ConflictError(
            "quote-used", "This quote was confirmed before.", {"cancellation": quote.used_by}
        )
    now = present(services)
    slug, detail = "facts-changed", "Something that the quote rests on has changed."
    if now >= quote.valid_until:
        slug, detail = "quote-expired", "The quote has expired."
    else:
        asked_at = datetime.fromisoformat(json.loads(quote.case)["now"])
        facts = gather_facts(services, quote.customer, quote.subscription, quote.timing, asked_at)
        if facts.digest == quote.facts_digest:
            return
    fresh = quote_cancellation(
        services, customer=quote.customer, subscription=quote.subscription, timing=quote.timing
    )
    raise ConflictError(slug, f"{detail} Here are the new figures.", {"quote": fresh})


def _execute(change: Change, quote: Quote, request: ConfirmQuote) -> dict[str, Any]:
    document = json.loads(quote.document)
    _refuse_without_person(document)
    subscription = change.load(Subscription, quote.subscription)
    if subscription is None or subscription.ends_at:
        raise ConflictError(
            "already-canceled",
            "This subscription is already set to end.",
            {"cancellation": subscription.cancellation if subscription else None},
        )
    cancellation = _cancellation(change, quote, request, document, subscription)
    cancellation, refunds = carry_out(change, cancellation, quote, subscription)
    change.audit(
        "cancellation_requested",
        "the customer cancelled",
        cancellation=cancellation.id,
        quote=quote.id,
        policy=document["policy"],
        refund=document["total"],
    )
    return cancellation_document(cancellation, refunds)


def carry_out(
    change: Change,
    cancellation: Cancellation,
    quote: Quote,
    subscription: Subscription,
    *,
    decided_by: str | None = None,
) -> tuple[Cancellation, list[RefundOperation]]:
    """Put a cancellation into `change`: its end, the reservations of its refunds, its effects."""
    document = json.loads(quote.document)
    refunds = plan_refunds(change, cancellation, quote, document, decided_by=decided_by)
    cancellation = replace(
        cancellation,
        refunds=tuple(r.id for r in refunds),
        credits=plan_credits(quote, document),
    )
    if cancellation.state is CancellationState.SCHEDULED:
        _schedule(change, cancellation, subscription)
    else:
        _end_now(change, cancellation, subscription)
    change.put(cancellation)
    change.put(replace(quote, used_by=cancellation.id))
    return cancellation, refunds


def _refuse_without_person(document: dict[str, Any]) -> None:
    """A denied refund still cancels; one that a person must judge does not pass on its own."""
    judged = document["outcome"] not in ("granted", "denied")
    by_hand = document["outcome"] == "granted" and document["manual_transfer"]
    if judged or by_hand:
        raise ConflictError(
            "needs-review",
            "This refund needs a person. Cancel at the end of the period, or ask support.",
            {"outcome": document["outcome"]},
        )


def _cancellation(
    change: Change,
    quote: Quote,
    request: ConfirmQuote,
    document: dict[str, Any],
    subscription: Subscription,
) -> Cancellation:
    promised = document["cancellation"]
    if promised is None:
        raise BrokenInvariantError(f"quote {quote.id} promises no cancellation")
    access_until = datetime.fromisoformat(promised["access_until"])
    # What is not paid back stays usable: then it ends with the cycle, whenever it was asked for.
    # An end at the instant of the quote has come, even where this clock is behind that one.
    at_end = access_until > max(change.now, quote.created_at)
    cancellation_id = change.services.ids.new()
    return Cancellation(
        id=cancellation_id,
        customer=quote.customer,
        subscription=quote.subscription,
        quote=quote.id,
        timing=quote.timing,
        state=CancellationState.SCHEDULED if at_end else CancellationState.EXECUTING,
        requested_at=change.now,
        effective_at=access_until,
        items=tuple(ItemEnd(item.id, access_until) for item in subscription.items),
        words=_sealed(change, cancellation_id, request),
    )


def _sealed(change: Change, cancellation: str, request: ConfirmQuote) -> bytes | None:
    """What the customer says about it; nobody is kept from cancelling because it cannot be kept."""
    words = {"reason": request.reason, "feedback": request.feedback}
    if not any(words.values()):
        return None
    try:
        return change.services.vault.seal(
            json.dumps(words).encode(),
            customer=change.customer,
            kind="cancellation",
            record=cancellation,
        )
    except (UnavailableError, OutcomeUnknownError, ErasedError):
        return None


def _schedule(change: Change, cancellation: Cancellation, subscription: Subscription) -> None:
    ends = {item.id: item.access_until for item in cancellation.items}
    change.put(subscription.ending(ends, cancellation.id))
    reference = {"subscription": subscription.id, "cancellation": cancellation.id}
    end = instant(cancellation.effective_at)
    change.effect(EffectKind.SCHEDULE_CANCELLATION, reference)
    change.effect(EffectKind.SWEEP_CHARGES, reference | {"end": end})
    shown = cancellation.effective_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    change.mail("cancellation_scheduled", reference | {"effective_at": shown})
    change.publish("CancellationScheduled", reference | {"effective_at": end})


def _end_now(change: Change, cancellation: Cancellation, subscription: Subscription) -> None:
    """Access ends with this commit; money moves only after Stripe has cancelled too."""
    ended = subscription.ended(max(item.access_until for item in cancellation.items))
    change.put(replace(ended, cancellation=cancellation.id))
    follow_items(change, subscription, ended, cancellation.effective_at)
    change.effect(
        EffectKind.CANCEL_SUBSCRIPTION,
        {"subscription": subscription.id, "cancellation": cancellation.id},
    )
