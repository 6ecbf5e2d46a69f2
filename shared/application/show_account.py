"""The customer's own view: standing, balances, subscriptions and what can be done with them."""

from datetime import datetime
from typing import Any

from shared.application.case_document import instant
from shared.application.change import present
from shared.application.collect_owed import receivable_document
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation
from shared.domain.dispute import Dispute
from shared.domain.errors import NotFoundError
from shared.domain.receivable import Receivable
from shared.domain.subscription import (
    ENTITLED,
    Subscription,
    is_entitled,
    latest_end,
)
from shared.ports import Services


def show_account(services: Services, *, customer: str) -> dict[str, Any]:
    """Standing with its causes, a balance per currency, and the disputes."""
    stored = services.store.get(Account, customer)
    return account_document(services, stored.record if stored else Account(customer))


def account_document(services: Services, account: Account) -> dict[str, Any]:
    """An account as the API shows it."""
    return {
        "customer": account.customer,
        "standing": account.standing.value,
        "causes": _causes(account),
        "balances": [
            {"currency": b.currency, "owed": b.owed, "in_dispute": b.in_dispute}
            for b in sorted(account.balances, key=lambda b: b.currency)
        ],
        "disputes": [
            {
                "id": one.id,
                "kind": one.kind.value,
                "phase": one.phase.value,
                "outcome": one.outcome.value,
                "charge": one.charge,
                "amount": one.amount,
                "currency": one.currency,
                "opened_at": instant(one.opened_at),
            }
            for one in (s.record for s in services.store.all_of(Dispute, account.customer))
        ],
        "receivables": [
            receivable_document(one)
            for one in (s.record for s in services.store.all_of(Receivable, account.customer))
        ],
    }


def show_subscriptions(services: Services, *, customer: str) -> dict[str, Any]:
    """Every subscription with its items and periods."""
    cancellations = {
        stored.record.id: stored.record for stored in services.store.all_of(Cancellation, customer)
    }
    now = present(services)
    return {
        "data": [
            _subscription(stored.record, cancellations, now)
            for stored in services.store.all_of(Subscription, customer)
        ]
    }


def check_access(services: Services, *, customer: str) -> dict[str, Any]:
    """Whether and until when service is owed, judged by the stored instants alone.

    Raises:
        NotFoundError: nothing is known of this customer.
    """
    now = present(services)
    # Partitions of our own are nobody's: only Stripe's customers have access to anything.
    stored = services.store.get(Account, customer) if customer.startswith("cus_") else None
    if stored is None:
        raise NotFoundError("customer")
    account = stored.record
    items = [
        (subscription, item, not account.is_suspended and is_entitled(item, subscription, now))
        for subscription in (s.record for s in services.store.all_of(Subscription, customer))
        for item in subscription.items
    ]
    until = latest_end(item.access_until for _, item, _ in items)
    return {
        "customer": customer,
        "entitled": any(entitled for *_, entitled in items),
        "access_until": until and instant(until),
        "causes": _causes(account),
        "items": [
            {
                "subscription": subscription.id,
                "item": item.id,
                "product": item.product,
                "entitled": entitled,
                "access_until": item.access_until and instant(item.access_until),
            }
            for subscription, item, entitled in items
        ],
    }


def _causes(account: Account) -> list[dict[str, str]]:
    return [{"kind": c.kind.value, "id": c.id, "since": instant(c.since)} for c in account.causes]


def _subscription(
    subscription: Subscription, cancellations: dict[str, Cancellation], now: datetime
) -> dict[str, Any]:
    known = cancellations.get(subscription.cancellation or "")
    open_ended = subscription.status in ENTITLED and subscription.ends_at is None
    return {
        "id": subscription.id,
        "status": subscription.status.value,
        "items": [
            {
                "id": item.id,
                "product": item.product,
                "price": item.price,
                "quantity": item.quantity,
                "unit_amount": item.unit_amount,
                "currency": item.currency,
                "interval": item.interval,
                "period": {"start": instant(item.period_start), "end": instant(item.period_end)},
                "access_until": item.access_until and instant(item.access_until),
            }
            for item in subscription.items
        ],
        "cancellation": known
        and {
            "id": known.id,
            "state": known.state.value,
            "timing": known.timing.value,
            "effective_at": instant(known.effective_at),
        },
        "can": {
            "cancel_at_period_end": open_ended,
            "cancel_immediately": open_ended,
            "withdraw_cancellation": bool(known and known.can_withdraw(now)),
        },
    }
