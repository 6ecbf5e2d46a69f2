"""Pay an approved case: the same reservations, refunds and credit notes as a cancellation's.

Where the money that goes back is the price of time still to come, the subscription ends in the
same commit, and the cancellation settles the case; no instant is both given back and usable.
"""

from dataclasses import replace
from datetime import datetime

from shared.application.cancel_subscription import carry_out
from shared.application.cases.assess import Assessed
from shared.application.cases.tell import amount_of, in_every_language, tell_customer
from shared.application.change import Change
from shared.application.document_return import document_credits
from shared.application.plan_refunds import plan_credits, plan_refunds, send_refunds
from shared.application.plan_returns import refuse_unless_stripe_agrees
from shared.application.settle_promise import settle
from shared.application.step_case import step_case
from shared.domain.cancellation import Cancellation, CancellationState, ItemEnd, Timing
from shared.domain.case_clocks import start_payout
from shared.domain.errors import BrokenInvariantError, ConflictError
from shared.domain.records import QUOTE_LIFETIME, Assessment, Quote
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.subscription import Subscription


def pay(
    change: Change, case: RefundCase, assessed: Assessed, *, by: str, person: str | None = None
) -> RefundCase:
    """Put everything that an approval leads to into `change`.

    Args:
        change: the decision.
        case: the case, its assessment kept.
        assessed: the decision, granted.
        by: who approved, for the trail and the customer.
        person: the member of staff whose decision it is, where the policy alone has not decided.

    Raises:
        ConflictError: nothing is left to give back, a payment is disputed, or Stripe would
            document another amount.
    """
    document = assessed.document
    if not document["total"]:
        raise ConflictError("nothing-to-refund", "Nothing is left that could be given back.")
    refuse_unless_stripe_agrees(change.services, assessed.returns)
    case = replace(
        case,
        amount=document["total"],
        currency=document["currency"],
        manual_transfer=document["manual_transfer"],
        decided_at=change.now,
        decided_by=by,
    )
    payout_by = assessed.decision.deadlines.payout_by
    case = case.with_clock(
        start_payout(
            assessed.facts.policy, assessed.facts.case.request.ground, change.now, payout_by
        )
    )
    case = step_case(change, case, CaseState.APPROVED)
    said = in_every_language("explanation", assessed.decision)
    tell_customer(change, case, "case_approved", said | {"amount": amount_of(case)})
    ending = _ending(change, assessed)
    if ending is not None:
        case = _end(change, case, assessed, ending, person)
    else:
        case = _refund(change, case, assessed, person)
    change.audit(
        "case_approved_for",
        f"decided by {by}",
        case=case.id,
        amount=document["total"],
        currency=document["currency"],
        settle_as=document["settle_as"],
        approvals=[[a.by, a.role, a.note] for a in case.approvals],
        policy=document["policy"],
        facts=assessed.facts.digest,
    )
    return case


def _refund(change: Change, case: RefundCase, assessed: Assessed, person: str | None) -> RefundCase:
    """Nothing ends: the case itself promises the money."""
    assessment = _assessment(change, case)
    refunds = plan_refunds(change, case, assessment, assessed.document, decided_by=person)
    case = replace(
        case,
        refunds=tuple(refund.id for refund in refunds),
        credits=plan_credits(assessment, assessed.document),
    )
    change.put(case)
    document_credits(change, case)
    send_refunds(change, refunds)
    # What a person has to transfer is theirs at once.
    settle(change, case)
    return change.load(RefundCase, case.id) or case


def _assessment(change: Change, case: RefundCase) -> Assessment:
    assessment = change.load(Assessment, case.id)
    if assessment is None:
        raise BrokenInvariantError(f"case {case.id} is paid without an assessment")
    return assessment


def _ending(change: Change, assessed: Assessed) -> Subscription | None:
    """The subscription that ends with this approval, if one does and has not ended already."""
    terms = assessed.document["cancellation"]
    names = {invoice.subscription for invoice in assessed.facts.invoices}
    if terms is None or datetime.fromisoformat(terms["access_until"]) > change.now:
        return None
    if len(names) != 1 or (name := names.pop()) is None:
        raise ConflictError("needs-review", "What ends with this refund is not one subscription.")
    subscription = change.load(Subscription, name)
    return subscription if subscription and subscription.ended_at is None else None


def _end(
    change: Change,
    case: RefundCase,
    assessed: Assessed,
    subscription: Subscription,
    person: str | None,
) -> RefundCase:
    until = datetime.fromisoformat(assessed.document["cancellation"]["access_until"])
    assessment = _assessment(change, case)
    quote = Quote(
        id=change.services.ids.new(),
        customer=case.customer,
        subscription=subscription.id,
        timing=Timing.IMMEDIATELY,
        created_at=change.now,
        valid_until=change.now + QUOTE_LIFETIME,
        facts_digest=assessment.facts_digest,
        case=assessment.case,
        document=assessment.document,
        returns=assessment.returns,
    )
    _supersede(change, subscription)
    cancellation = Cancellation(
        id=change.services.ids.new(),
        customer=case.customer,
        subscription=subscription.id,
        quote=quote.id,
        timing=Timing.IMMEDIATELY,
        state=CancellationState.EXECUTING,
        requested_at=case.opened_at,
        effective_at=until,
        items=tuple(ItemEnd(item.id, until) for item in subscription.items),
        refund_case=case.id,
    )
    cancellation, refunds = carry_out(change, cancellation, quote, subscription, decided_by=person)
    case = replace(
        case, cancellation=cancellation.id, refunds=tuple(refund.id for refund in refunds)
    )
    change.put(case)
    return case


def _supersede(change: Change, subscription: Subscription) -> None:
    """A cancellation at the end of the cycle is overtaken by one that takes effect now."""
    known = subscription.cancellation and change.load(Cancellation, subscription.cancellation)
    if known and known.state is CancellationState.SCHEDULED:
        change.put(known.step(CancellationState.EXECUTED))
        change.audit("cancellation_superseded", "the case ends it sooner", cancellation=known.id)
