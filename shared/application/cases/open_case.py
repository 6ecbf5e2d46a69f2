"""Open a refund case, for the customer or on the customer's behalf."""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from shared.application.cases.assess import assess
from shared.application.cases.conclude import conclude, shown_instant
from shared.application.cases.known_facts import with_known_facts
from shared.application.cases.notes import write_note
from shared.application.cases.state_ground import state_ground
from shared.application.cases.tell import tell_customer
from shared.application.change import Change, transact
from shared.application.step_case import put_case
from shared.domain import clauses as c
from shared.domain.case_clocks import ClockKind, callback_span, start_callback, start_review
from shared.domain.derived_id import derived_id
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.facts import Ground, SettleAs
from shared.domain.policy import Policy
from shared.domain.records import Quote
from shared.domain.refund_case import Callback, CallbackState, CaseState, RefundCase
from shared.ports import Services

# The channels that do not leave the request in writing are refused where the pack wants it so.
PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What is asked for: a quote that needs a person, or an invoice (id or number) and a ground.

    Without a ground the request did not say what it rests on: that is a finding of staff then.
    `reference` names the message that asks, so that it opens one case however often it is dealt
    with; `received_at` is when it came, where that is not now.
    """

    quote: str | None = None
    invoice: str | None = None
    ground: Ground | None = None
    statement: str | None = None
    service_date: datetime | None = None
    amount_asked: int | None = None
    settle_as: SettleAs | None = None
    channel: str = PORTAL
    reference: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The case, and whether the request joined one that was open already."""

    case: RefundCase
    joined: bool


def open_case(services: Services, *, customer: str, wanted: OpenCase, by: str) -> Opened:
    """The case that a request opens, or joins.

    Raises:
        NotFoundError: no such quote or invoice of this customer.
        ConflictError: the quote needs nobody, or the policy does not take this channel.
    """

    def decide(change: Change) -> Opened:
        case = _asked(change, wanted, by)
        if wanted.reference is not None:
            known = change.load(RefundCase, case.id)
            if known is not None:
                return Opened(known, joined=True)
        stated = case.ground if case.ground_stated else None
        for stored in services.store.all_of(RefundCase, customer):
            if stored.record.overlaps(stated, case.invoices):
                return _join(change, stored.record.id, wanted, stated, by)
        case = with_known_facts(services, case)
        assessed = assess(change, case)
        policy = assessed.facts.policy
        if case.ground is not Ground.WITHDRAWAL:  # a right by law takes any form
            _refuse_channel(policy, wanted.channel)
        case = _with_clocks(replace(case, policy=f"{policy.id}@{policy.version}"), policy)
        change.load(RefundCase, case.id)
        put_case(change, case)
        note = wanted.statement and write_note(change, case, "statement", by, wanted.statement)
        change.audit(
            "case_received",
            f"by {wanted.channel}",
            case=case.id,
            ground=case.ground.value,
            invoices=list(case.invoices),
            note=note,
            policy=assessed.document["policy"],
            facts=assessed.facts.digest,
        )
        review = case.clock(ClockKind.REVIEW)
        due = shown_instant(review.due_at) if review else "-"
        tell_customer(change, case, "case_received", {"review_by": due})
        if case.callback is not None:
            span = case.callback
            said = {"from": shown_instant(span.earliest), "to": shown_instant(span.latest)}
            tell_customer(change, case, "case_callback_offered", said)
        return Opened(conclude(change, case, assessed), joined=False)

    return transact(services, customer, by, decide)


def _asked(change: Change, wanted: OpenCase, by: str) -> RefundCase:
    """The case as it is asked for, before anything is decided."""
    stated = wanted.ground is not None or wanted.quote is not None
    ground = wanted.ground or Ground.BILLING_ERROR
    subscription: str | None
    if wanted.quote is not None:
        quote = change.load(Quote, wanted.quote)
        if quote is None:
            raise NotFoundError("quote")
        _refuse_executable(quote)
        ground, subscription = (
            Ground(json.loads(quote.case)["request"]["ground"]),
            quote.subscription,
        )
        invoices = tuple(back["invoice"] for back in json.loads(quote.returns))
    else:
        found = change.services.billing.invoice_of(change.customer, wanted.invoice or "")
        if found is None or not change.knows_customer:
            raise NotFoundError("invoice")
        invoices, subscription = (found.id,), found.subscription
    if not invoices:
        raise NotFoundError("invoice")
    return RefundCase(
        id=_id(change, wanted),
        customer=change.customer,
        ground=ground,
        state=CaseState.RECEIVED,
        invoices=invoices,
        channel=wanted.channel,
        opened_at=wanted.received_at or change.now,
        opened_by=by,
        subscription=subscription,
        service_date=wanted.service_date,
        amount_asked=wanted.amount_asked,
        settle_as=wanted.settle_as,
        ground_stated=stated,
    )


def _id(change: Change, wanted: OpenCase) -> str:
    if wanted.reference is None:
        return change.services.ids.new()
    return derived_id(change.customer, wanted.reference)


def _refuse_executable(quote: Quote) -> None:
    document = json.loads(quote.document)
    if document["outcome"] == "granted" and not document["manual_transfer"]:
        raise ConflictError(
            "confirm-the-quote",
            "This quote needs nobody's review: confirm it with POST /v1/cancellations.",
            {"quote": quote.id},
        )


def _join(change: Change, known: str, wanted: OpenCase, stated: Ground | None, by: str) -> Opened:
    case = change.load(RefundCase, known)
    if case is None or not case.is_open:
        raise ConflictError("overtaken", "The open case has just been decided; ask again.")
    note = wanted.statement and write_note(change, case, "statement", by, wanted.statement)
    change.audit("case_joined", f"by {wanted.channel}", case=case.id, note=note)
    if stated is not None and not case.ground_stated:
        case = state_ground(change, case, stated)
        case = conclude(change, case, assess(change, case))
    return Opened(case, joined=True)


def _refuse_channel(policy: Policy, channel: str) -> None:
    intake = policy.duty(c.Event.INTAKE)
    if intake is not None and intake.channels and channel not in intake.channels:
        listed = ", ".join(sorted(intake.channels))
        raise ConflictError(
            "channel-not-taken",
            f"The policy takes requests by {listed}, not by {channel}.",
            {"clause": intake.id},
        )


def _with_clocks(case: RefundCase, policy: Policy) -> RefundCase:
    case = case.with_clock(start_review(policy, case.ground, case.opened_at))
    span = callback_span(policy, case.ground, case.opened_at)
    if span is None:
        return case
    callback = Callback(CallbackState.OFFERED, *span)
    return replace(case.with_clock(start_callback(case.opened_at, span)), callback=callback)
