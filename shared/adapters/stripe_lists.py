"""Whole lists of Stripe's objects, a page a request: what reconciliation reads."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from shared.adapters import stripe_facts as facts
from shared.adapters.stripe_disputes import dispute_from_stripe
from shared.adapters.stripe_errors import translated
from shared.adapters.stripe_events import HANDLED
from shared.domain.dispute import DisputeFacts
from shared.domain.network_month import ChargeFacts
from shared.domain.reconciliation import ChangeFacts, CreditNoteFacts, MovementFacts
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts
from shared.ports import Page

R = TypeVar("R")
Raw = Mapping[str, Any]

PER_PAGE = 100


def _dispute(raw: Raw) -> DisputeFacts:
    return dispute_from_stripe(raw, facts.identifier(raw["charge"].get("customer")))


def _credit_note(raw: Raw) -> CreditNoteFacts:
    return CreditNoteFacts(
        id=raw["id"],
        customer=facts.identifier(raw["customer"]) or "",
        invoice=facts.identifier(raw["invoice"]) or "",
        status=raw["status"],
        operation=(raw.get("metadata") or {}).get("fairexit_operation"),
        created_at=facts.instant(raw["created"]),
    )


def _movement(raw: Raw) -> MovementFacts:
    return MovementFacts(
        id=raw["id"],
        source=facts.identifier(raw.get("source")),
        category=raw["reporting_category"],
        net=raw["net"],
        currency=raw["currency"],
        created_at=facts.instant(raw["created"]),
    )


def _charge(raw: Raw) -> ChargeFacts:
    card = (raw.get("payment_method_details") or {}).get("card") or {}
    return ChargeFacts(
        id=raw["id"],
        network=card.get("network") or "",
        paid=raw["status"] == "succeeded",
        created_at=facts.instant(raw["created"]),
    )


def _change(raw: Raw) -> ChangeFacts:
    changed = raw["data"]["object"]
    return ChangeFacts(raw["id"], changed["id"], facts.instant(raw["created"]))


# What is listed for a kind of facts: the resource, its filters, and the translation of a row. A
# dispute names no customer; its charge does.
_LISTS: dict[type, tuple[str, Mapping[str, Any], Callable[[Raw], Any]]] = {
    RefundFacts: ("refunds", {}, facts.refund_from_stripe),
    DisputeFacts: ("disputes", {"expand": ["data.charge"]}, _dispute),
    CreditNoteFacts: ("credit_notes", {}, _credit_note),
    SubscriptionFacts: ("subscriptions", {"status": "all"}, facts.subscription_from_stripe),
    MovementFacts: ("balance_transactions", {}, _movement),
    ChargeFacts: ("charges", {}, _charge),
    ChangeFacts: ("events", {"types": sorted(HANDLED)}, _change),
}


def read_page(api: Any, kind: type[R], *, since: datetime | None, after: str | None) -> Page[R]:
    """See `Billing.page`."""
    resource, filters, translate = _LISTS[kind]
    params: dict[str, Any] = {"limit": PER_PAGE, **filters}
    if since is not None:
        params["created"] = {"gte": int(since.timestamp())}
    if after is not None:
        params["starting_after"] = after
    answer = translated(lambda: getattr(api, resource).list(params)).to_dict()
    raws = answer["data"]
    rows = tuple(translate(raw) for raw in raws)
    return Page(rows, raws[-1]["id"] if answer["has_more"] else None)
