"""Quote a cancellation: what ends when, what comes back, and why, before anything happens."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.application.case_document import case_document, facts_digest, instant
from shared.application.change import present
from shared.application.held import known_payments
from shared.application.limits_on_quote import limits_on
from shared.application.plan_returns import plan_returns, refuse_unless_stripe_agrees, to_plain
from shared.application.returned import note_returns
from shared.domain.account import Account
from shared.domain.cancellation import Timing
from shared.domain.case import parse_case
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.facts import Case, Ground
from shared.domain.invoice import InvoiceFacts
from shared.domain.policy import Policy
from shared.domain.records import QUOTE_LIFETIME, Quote
from shared.domain.refund import decide_refund, quote_document
from shared.domain.subscription import Subscription, SubscriptionFacts, SubscriptionStatus
from shared.ports import Put, Services


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a quote rests on, fetched now."""

    subscription: SubscriptionFacts
    invoices: tuple[InvoiceFacts, ...]
    document: dict[str, Any]
    case: Case
    policy: Policy
    digest: str


def quote_cancellation(
    services: Services, *, customer: str, subscription: str, timing: Timing
) -> dict[str, Any]:
    """A stored quote as the API shows it: `{id, expires_at, facts_digest, limits, quote}`.

    Raises:
        NotFoundError: no such subscription of this customer.
        ConflictError: it has ended or is ending already, or cannot be quoted yet.
    """
    now = present(services)
    facts = gather_facts(services, customer, subscription, timing, now)
    document = quote_document(decide_refund(facts.policy, facts.case))
    returns = plan_returns(facts.case, facts.invoices, document)
    refuse_unless_stripe_agrees(services, returns)
    quote = Quote(
        id=services.ids.new(),
        customer=customer,
        subscription=subscription,
        timing=timing,
        created_at=now,
        valid_until=now + QUOTE_LIFETIME,
        facts_digest=facts.digest,
        case=json.dumps(facts.document),
        document=json.dumps(document),
        returns=json.dumps(to_plain(returns)),
        limits=json.dumps(limits_on(services, customer, document, now)),
    )
    services.store.commit([Put(quote, 0)])
    return shown(quote)


def shown(quote: Quote) -> dict[str, Any]:
    """A quote as the API shows it."""
    return {
        "id": quote.id,
        "expires_at": instant(quote.valid_until),
        "facts_digest": quote.facts_digest,
        "limits": json.loads(quote.limits),
        "quote": json.loads(quote.document),
    }


def gather_facts(
    services: Services, customer: str, subscription: str, timing: Timing, now: datetime
) -> Facts:
    """The facts of a cancellation at `now`, as Stripe and our table have them.

    Raises:
        NotFoundError: no such subscription of this customer.
        ConflictError: it cannot be cancelled (any more), and why.
    """
    stored = services.store.get(Subscription, customer, subscription)
    if stored is None:
        raise NotFoundError("subscription")
    seen = services.billing.subscription(subscription)
    if seen is None or seen.customer != customer:
        raise NotFoundError("subscription")
    _refuse_if_over(stored.record, seen)
    effective_at = _effective_at(seen, timing, now)
    account = services.store.get(Account, customer)
    invoices = services.billing.subscription_invoices(subscription, now)
    document = case_document(
        policy=services.policy,
        now=now,
        effective_at=effective_at,
        account=account.record if account else Account(customer),
        subscription=seen,
        invoices=invoices,
        open_invoices=[i for i in services.billing.open_invoices(customer) if i.status == "open"],
        payments=known_payments(services, customer, invoices),
    )
    note_returns(services, customer, Ground.UNUSED_PERIOD, invoices, document["invoices"])
    case = parse_case(document)
    policy = services.policies.load_policy_for(case)
    # Whoever recomputes the stored case later must meet the same version.
    document["policy"] = f"{policy.id}@{policy.version}"
    digest = facts_digest(document, policy, seen)
    return Facts(seen, tuple(invoices), document, case, policy, digest)


def _refuse_if_over(known: Subscription, seen: SubscriptionFacts) -> None:
    if known.ended_at or seen.status is SubscriptionStatus.ENDED:
        raise ConflictError(
            "already-canceled",
            "This subscription has already ended.",
            {"cancellation": known.cancellation},
        )
    if known.cancellation or known.ends_at:
        raise ConflictError(
            "already-canceled",
            "This subscription is already set to end; take that cancellation back first.",
            {"cancellation": known.cancellation},
        )


def _effective_at(seen: SubscriptionFacts, timing: Timing, now: datetime) -> datetime:
    ends = {item.period_end for item in seen.items}
    if len(ends) != 1:
        # Items on different cycles need an end each at Stripe, which one call cannot express.
        raise ConflictError(
            "mixed-intervals", "This subscription has items on different billing cycles."
        )
    if timing is Timing.IMMEDIATELY:
        return now
    (end,) = ends
    if end <= now:
        raise ConflictError("renewing", "This subscription is renewing just now; ask again soon.")
    return end
