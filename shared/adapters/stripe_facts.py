"""Stripe's objects as our facts. Raw shapes end here; unknown values become `unrecognized`.

Every function takes an object as plain data (`to_dict()`), as the pinned SDK describes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.adapters.stripe_disputes import dispute_from_stripe
from shared.domain.arrears import DunningFacts
from shared.domain.contact import Contact
from shared.domain.dispute import Stance
from shared.domain.invoice import (
    InvoiceFacts,
    LineFacts,
    PaymentFacts,
    PendingCharge,
    TaxFacts,
)
from shared.domain.refund_operation import RefundFacts
from shared.domain.subscription import SubscriptionFacts, SubscriptionItem, SubscriptionStatus

Raw = Mapping[str, Any]

AGAINST = (Stance.ARGUED, Stance.LOST)

_STATUSES = {
    "incomplete": SubscriptionStatus.INCOMPLETE,
    "incomplete_expired": SubscriptionStatus.ENDED,
    "trialing": SubscriptionStatus.TRIALING,
    "active": SubscriptionStatus.ACTIVE,
    "past_due": SubscriptionStatus.PAST_DUE,
    "unpaid": SubscriptionStatus.UNPAID,
    "paused": SubscriptionStatus.PAUSED,
    "canceled": SubscriptionStatus.ENDED,
}


def identifier(value: Any) -> str | None:
    """The id of an object that may have been expanded."""
    found: str | None = value["id"] if isinstance(value, Mapping) else value
    return found


def instant(seconds: int) -> datetime:
    """Stripe's whole seconds as an aware UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: int | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


def contact_from_stripe(raw: Raw) -> Contact:
    """How a customer is reached; the first of the preferred locales is the language."""
    locales = raw.get("preferred_locales") or [None]
    return Contact(raw.get("email"), locales[0], (raw.get("address") or {}).get("country"))


def subscription_from_stripe(raw: Raw) -> SubscriptionFacts:
    """A subscription with the period of each item; flexible mode schedules with `cancel_at`."""
    items = tuple(_item(item) for item in raw["items"]["data"])
    cancels_at = _maybe(raw.get("cancel_at"))
    if cancels_at is None and raw["cancel_at_period_end"]:
        cancels_at = max(item.period_end for item in items)
    return SubscriptionFacts(
        id=raw["id"],
        customer=identifier(raw["customer"]) or "",
        status=_STATUSES.get(raw["status"], SubscriptionStatus.UNRECOGNIZED),
        items=items,
        cancels_at=cancels_at,
        ended_at=_maybe(raw.get("ended_at")),
        created_at=instant(raw["created"]),
        collection_paused=raw.get("pause_collection") is not None,
        livemode=raw["livemode"],
    )


def _item(raw: Raw) -> SubscriptionItem:
    price = raw["price"]
    recurring = price.get("recurring") or {}
    return SubscriptionItem(
        id=raw["id"],
        product=identifier(price["product"]) or "",
        price=price["id"],
        quantity=raw.get("quantity") or 0,
        unit_amount=price.get("unit_amount") or 0,
        currency=price["currency"],
        interval=recurring.get("interval", ""),
        period_start=instant(raw["current_period_start"]),
        period_end=instant(raw["current_period_end"]),
    )


def invoice_from_stripe(
    raw: Raw,
    lines: Iterable[Raw],
    payments: Iterable[PaymentFacts] = (),
    credited: int = 0,
) -> InvoiceFacts:
    """An invoice; lines, payments and credit are read separately and passed in."""
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    return InvoiceFacts(
        id=raw["id"],
        number=raw.get("number"),
        status=raw["status"],
        created_at=instant(raw["created"]),
        currency=raw["currency"],
        lines=tuple(line_from_stripe(line) for line in lines),
        payments=tuple(payments),
        credited=credited,
        subscription=identifier(parent.get("subscription")),
        collects=bool(raw.get("auto_advance")),
        customer=identifier(raw.get("customer")),
        paid_at=_maybe((raw.get("status_transitions") or {}).get("paid_at")),
    )


def line_from_stripe(raw: Raw) -> LineFacts:
    """A line: its net amount is what is left after discounts and the tax that is inside."""
    taxes = tuple(_tax(tax) for tax in raw.get("taxes") or ())
    discounts = sum(part["amount"] for part in raw.get("discount_amounts") or ())
    inside = sum(tax.amount for tax in taxes if tax.inclusive)
    parent = raw.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    credited = (details.get("proration_details") or {}).get("credited_items") or {}
    subscribed = parent.get("type") == "subscription_item_details" or details.get("subscription")
    return LineFacts(
        id=raw["id"],
        kind="subscription" if subscribed else "one_time",
        amount=raw["amount"] - discounts - inside,
        tax=sum(tax.amount for tax in taxes),
        period_start=instant(raw["period"]["start"]),
        period_end=instant(raw["period"]["end"]),
        description=raw.get("description") or "",
        taxes=taxes,
        credits=tuple(credited.get("invoice_line_items") or ()),
        discount=discounts,
        product=((raw.get("pricing") or {}).get("price_details") or {}).get("product"),
    )


def _tax(raw: Raw) -> TaxFacts:
    return TaxFacts(
        rate=(raw.get("tax_rate_details") or {}).get("tax_rate"),
        amount=raw["amount"],
        taxable=raw.get("taxable_amount"),
        inclusive=raw["tax_behavior"] == "inclusive",
    )


def payment_from_stripe(share: int, intent: Raw, disputes: Sequence[Raw]) -> PaymentFacts:
    """A payment: `share` is what it paid of the invoice, the charge says what has left it since."""
    charge = intent["latest_charge"]
    disputed = [dispute_from_stripe(d) for d in disputes]
    # What nobody understands yet is held back as well.
    held = sum(d.amount for d in disputed if not d.is_understood or d.stance in AGAINST)
    fees = charge.get("balance_transaction")
    return PaymentFacts(
        id=intent["id"],
        amount=share,
        fee=fees["fee"] if isinstance(fees, Mapping) else 0,
        refunded=charge["amount_refunded"],
        disputed=held,
        refundable=all(d["is_charge_refundable"] for d in disputes),
        method="card" if _method(charge) == "card" else "bank",
        total=charge["amount_captured"],
        country=((charge.get("payment_method_details") or {}).get("card") or {}).get("country"),
    )


def payments_without_charge(invoice: Raw) -> list[PaymentFacts]:
    """What an invoice was paid with beside payments: the customer's balance, and outside Stripe.

    A negative balance is credit; what finalizing took of it is the difference of the two balances
    on the invoice (SDK, Invoice.starting_balance and ending_balance).
    """
    found = {
        "customer_balance": (invoice.get("ending_balance") or 0) - invoice["starting_balance"],
        "out_of_band": invoice.get("amount_paid_off_stripe") or 0,
    }
    return [
        PaymentFacts(
            id=f"{invoice['id']}:{method}",
            amount=amount,
            fee=0,
            refunded=0,
            disputed=0,
            refundable=True,
            method=method,
            total=amount,
        )
        for method, amount in found.items()
        if amount > 0
    ]


def _method(charge: Raw) -> str:
    return str((charge.get("payment_method_details") or {}).get("type", "card"))


def pending_charge_from_stripe(raw: Raw) -> PendingCharge:
    """A pending invoice item."""
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    return PendingCharge(
        id=raw["id"],
        subscription=identifier(parent.get("subscription")),
        amount=raw["amount"],
        currency=raw["currency"],
        description=raw.get("description") or "",
        period_start=instant(raw["period"]["start"]),
        period_end=instant(raw["period"]["end"]),
        tax_rates=tuple(rate["id"] for rate in raw.get("tax_rates") or ()),
        discountable=raw["discountable"],
        operation=(raw.get("metadata") or {}).get("fairexit_operation"),
    )


def refund_from_stripe(raw: Raw) -> RefundFacts:
    """A refund, with our operation when its metadata names one."""
    metadata = raw.get("metadata") or {}
    return RefundFacts(
        id=raw["id"],
        payment=identifier(raw.get("payment_intent")),
        amount=raw["amount"],
        currency=raw["currency"],
        status=raw["status"] or "unrecognized",
        failure=raw.get("failure_reason"),
        operation=metadata.get("fairexit_operation"),
        operation_customer=metadata.get("fairexit_customer"),
        customer=identifier(raw.get("customer")),
        created_at=instant(raw["created"]),
        bank_reference=_bank_reference(raw.get("destination_details") or {}),
    )


def _bank_reference(details: Raw) -> str | None:
    """By which the bank finds a refund; it stands under the member that `type` names."""
    reference: str | None = (details.get(details.get("type") or "card") or {}).get("reference")
    return reference


def dunning_from_stripe(raw: Raw) -> DunningFacts:
    """An invoice as it concerns dunning; a draft has asked for nothing yet."""
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    return DunningFacts(
        id=raw["id"],
        number=raw.get("number"),
        customer=identifier(raw["customer"]) or "",
        subscription=identifier(parent.get("subscription")),
        status=raw["status"] or "unrecognized",
        due=raw["amount_remaining"],
        paid=raw["amount_paid"],
        currency=raw["currency"],
        failed=bool(raw.get("attempted")),
        first=raw.get("billing_reason") == "subscription_create",
        pay_by=_maybe(raw.get("due_date")),
        receivable=(raw.get("metadata") or {}).get("fairexit_receivable"),
        page=raw.get("hosted_invoice_url"),
    )
