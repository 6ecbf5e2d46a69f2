"""The case document of a cancellation: Stripe's facts in the form that `fairexit quote` takes.

It is stored with the quote, so an auditor can recompute the decision with the command line alone.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.domain.account import Account, Standing
from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts
from shared.domain.payment import Payment
from shared.domain.policy import Policy
from shared.domain.subscription import SubscriptionFacts


def instant(at: datetime) -> str:
    """An instant as RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def case_document(
    *,
    policy: str,
    now: datetime,
    effective_at: datetime,
    account: Account,
    subscription: SubscriptionFacts,
    invoices: Sequence[InvoiceFacts],
    open_invoices: Iterable[InvoiceFacts],
    payments: dict[str, Payment],
) -> dict[str, Any]:
    """The document; `payments` are our own records, up to date with what Stripe has refunded."""
    return {
        "policy": policy,
        "now": instant(now),
        "customer": {
            # What is past due shows as an open invoice, which a clause may ask for by itself.
            "standing": (Standing.SUSPENDED if account.is_suspended else Standing.GOOD).value,
            "open_invoices": sorted(i.number or i.id for i in open_invoices),
            "purchased_at": instant(subscription.created_at),
        },
        "invoices": [invoice_document(invoice, payments) for invoice in invoices],
        "request": {
            "ground": "unused_period",
            "received_at": instant(now),
            "effective_at": instant(effective_at),
            "channel": "portal",
        },
    }


def facts_digest(document: dict[str, Any], policy: Policy, subscription: SubscriptionFacts) -> str:
    """A digest of the facts behind a quote; the instant of asking is not one of them."""
    facts = {
        "policy": [policy.id, policy.version, policy.digest],
        "customer": document["customer"],
        "invoices": document["invoices"],
        "subscription": [
            subscription.id,
            subscription.status.value,
            subscription.cancels_at and instant(subscription.cancels_at),
            [
                [i.id, i.price, i.quantity, instant(i.period_start), instant(i.period_end)]
                for i in subscription.items
            ],
        ],
    }
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def invoice_document(invoice: InvoiceFacts, payments: dict[str, Payment]) -> dict[str, Any]:
    """An invoice with its lines and payments, as a case document has it."""
    return {
        "number": invoice.number or invoice.id,
        "issued_at": instant(invoice.created_at),
        "currency": invoice.currency,
        "lines": [_line(line) for line in invoice.lines],
        "payments": [_payment(p, payments.get(p.id)) for p in invoice.payments],
        "credited": invoice.credited,
    }


def _line(line: LineFacts) -> dict[str, Any]:
    return {
        "id": line.id,
        "kind": line.kind,
        "amount": line.amount,
        "tax": line.tax,
        "period": {"start": instant(line.period_start), "end": instant(line.period_end)},
        "credits": list(line.credits),
    }


def _payment(facts: PaymentFacts, ours: Payment | None) -> dict[str, Any]:
    # What we hold is not free either, nor what went back another way.
    gone = ours.refunded + ours.reserved + ours.elsewhere if ours else facts.refunded
    return {
        "id": facts.id,
        "amount": facts.amount,
        "fee": facts.fee,
        "refunded": min(facts.amount, gone),
        "disputed": facts.disputed,
        "refundable": facts.refundable and not (ours and ours.disputes),
        "method": facts.method,
    }
