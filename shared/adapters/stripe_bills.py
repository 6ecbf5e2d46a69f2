"""Invoices at Stripe with how their lines were priced: what a billing error is found from.

Prices cannot be changed at Stripe, so a price id says what was agreed; a subscription's items and
discounts are what they are now, and our own record of earlier terms is laid over them elsewhere.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from shared.adapters import stripe_facts as facts
from shared.adapters.stripe_errors import or_none, translated
from shared.adapters.stripe_invoices import StripeInvoices
from shared.domain.bill import Agreed, AgreedItem, Bill, Charge, Coupon, Pricing, TaxRate
from shared.domain.invoice import InvoiceFacts, PaymentFacts

Raw = Mapping[str, Any]
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#-]{0,63}")
# An expansion reaches four levels deep, which is not as far as the coupons of a line.
_DISCOUNTS = ["discounts", "lines.data.discounts"]
# A second payment for the same invoice is made soon after the first or not at all.
_LOOSE_FOR = timedelta(days=45)


class StripeBills(StripeInvoices):
    """The reads of `shared.ports.Billing` that explain invoices."""

    def invoice_numbered(self, number: str) -> InvoiceFacts | None:
        """See `Billing`. A search, which may lag a minute behind; numbers are unique."""
        if not _NUMBER.fullmatch(number):
            return None  # nothing that Stripe would number an invoice by, and no part of a query
        found = translated(lambda: self._api.invoices.search({"query": f'number:"{number}"'}))
        raws = [raw.to_dict() for raw in found.data]
        # The search folds case.
        raw = next((r for r in raws if r.get("number") == number), None)
        return facts.invoice_from_stripe(raw, raw["lines"]["data"]) if raw else None

    def bill(self, invoice: str) -> Bill | None:
        """See `Billing`."""
        raw = self._priced(invoice)
        if raw is None:
            return None
        whole = self._whole_bill(raw)
        subscription, customer = whole.invoice.subscription, facts.identifier(raw["customer"]) or ""
        others = [
            _bill(other, self._lines(other), {}, {})
            for other in (self._siblings(subscription) if subscription else [])
            if other["id"] != invoice and other["status"] in ("paid", "open", "uncollectible")
        ]
        return replace(
            whole,
            agreed=self._agreed(raw, customer, subscription),
            others=tuple(others),
            loose=tuple(self._loose(customer, whole.invoice.created_at)),
        )

    def unit_price(self, price: str) -> Fraction | None:
        """See `Billing`."""
        raw = or_none(lambda: self._api.prices.retrieve(price))
        return _unit(raw.to_dict()) if raw else None

    def _priced(self, invoice: str) -> dict[str, Any] | None:
        raw = or_none(lambda: self._api.invoices.retrieve(invoice, {"expand": _DISCOUNTS}))
        plain: dict[str, Any] | None = raw.to_dict() if raw else None
        return plain

    def _siblings(self, subscription: str) -> list[dict[str, Any]]:
        return translated(
            lambda: self._all(self._api.invoices.list({"subscription": subscription, "limit": 100}))
        )

    def _whole_bill(self, raw: dict[str, Any]) -> Bill:
        """The bill with its payments and the rates of its taxes."""
        lines = self._lines(raw)
        rates = {
            rate: self._rate(rate)
            for line in lines
            for tax in facts.line_from_stripe(line).taxes
            if (rate := tax.rate) is not None
        }
        coupons = self._coupons(
            [*_discounts(raw), *(d for line in lines for d in _discounts(line))]
        )
        bill = _bill(raw, lines, rates, coupons)
        paid = replace(
            bill.invoice, payments=tuple(self._payments(raw)), credited=self._credited(raw)
        )
        return replace(bill, invoice=paid)

    def _rate(self, rate: str) -> TaxRate:
        raw = translated(lambda: self._api.tax_rates.retrieve(rate))
        return TaxRate(rate, Fraction(str(raw.percentage)), raw.inclusive)

    def _coupons(self, discounts: list[Raw]) -> dict[str, Coupon]:
        """The coupons behind discounts, by discount; one that was deleted says nothing any more."""
        found = {}
        for discount in discounts:
            name = facts.identifier(discount["source"]["coupon"]) or ""
            coupon = or_none(lambda name=name: self._api.coupons.retrieve(name))  # type: ignore[misc]
            if coupon is not None and not getattr(coupon, "deleted", False):
                percent = None if coupon.percent_off is None else Fraction(str(coupon.percent_off))
                found[discount["id"]] = Coupon(name, percent, coupon.amount_off or 0)
        return found

    def _agreed(self, invoice: Raw, customer: str, subscription: str | None) -> Agreed:
        owner = translated(lambda: self._api.customers.retrieve(customer)).to_dict()
        rates = () if owner.get("tax_exempt") in ("exempt", "reverse") else None
        expand = ["discounts"]
        found = subscription and or_none(
            lambda: self._api.subscriptions.retrieve(subscription, {"expand": expand})
        )
        if not found:
            return Agreed(rates=rates)
        raw = found.to_dict()
        items = [
            AgreedItem(item["id"], _unit(item["price"]), item.get("quantity"))
            for item in raw["items"]["data"]
        ]
        valid = [d for d in _discounts(raw) if _valid(d, invoice["created"])]
        ended_at = raw.get("ended_at")
        return Agreed(
            tuple(items),
            tuple(self._coupons(valid).values()),
            rates,
            None if ended_at is None else facts.instant(ended_at),
        )

    def _loose(self, customer: str, since: datetime) -> list[PaymentFacts]:
        """Payments of a customer, soon after `since`, that pay no invoice."""
        span: Any = {"gte": int(since.timestamp()), "lte": int((since + _LOOSE_FOR).timestamp())}
        intents = translated(
            lambda: self._all(
                self._api.payment_intents.list(
                    {"customer": customer, "created": span, "limit": 100}
                )
            )
        )
        return [
            payment
            for intent in sorted(intents, key=lambda one: (one["created"], one["id"]))
            if intent["status"] == "succeeded"
            and not self._pays(intent["id"])
            and (payment := self.payment(intent["id"])) is not None
        ]

    def _pays(self, intent: str) -> bool:
        """Whether a payment pays an invoice."""
        payment: Any = {"type": "payment_intent", "payment_intent": intent}
        rows = translated(lambda: self._api.invoice_payments.list({"payment": payment, "limit": 1}))
        return bool(rows.data)


def _bill(
    raw: Raw,
    lines: list[dict[str, Any]],
    rates: Mapping[str, TaxRate],
    coupons: Mapping[str, Coupon],
) -> Bill:
    """An invoice with the pricing of its lines, as far as it was read."""
    seen = facts.invoice_from_stripe(raw, lines)
    charges = [
        _charge(line, known, coupons, rates) for line, known in zip(lines, seen.lines, strict=True)
    ]
    return Bill(seen, tuple(charges), Agreed())


def _unit(price: Raw) -> Fraction | None:
    """A price a unit in minor units; None where it depends on how many there are."""
    if price.get("billing_scheme") != "per_unit" or price.get("transform_quantity"):
        return None
    amount = price.get("unit_amount_decimal")
    return None if amount is None else Fraction(str(amount))


def _valid(discount: Raw, at: int) -> bool:
    """Whether a discount held at an instant; Stripe drops one for a single use once it is used."""
    return bool(discount["start"] <= at < (discount.get("end") or at + 1))


def _discounts(owner: Raw) -> list[Raw]:
    """The expanded discounts of an invoice, a line or a subscription."""
    return [one for one in owner.get("discounts") or () if isinstance(one, Mapping)]


def _charge(
    raw: Raw,
    line: Any,
    coupons: Mapping[str, Coupon],
    rates: Mapping[str, TaxRate],
) -> Charge:
    details = (raw.get("parent") or {}).get("subscription_item_details") or {}
    invoiced = (raw.get("parent") or {}).get("invoice_item_details") or {}
    quantity = raw.get("quantity") or 1
    pricing = (raw.get("pricing") or {}).get("price_details") or {}
    taken = [facts.identifier(part["discount"]) or "" for part in raw.get("discount_amounts") or ()]
    proration = details.get("proration") or invoiced.get("proration") or False
    return Charge(
        line,
        Pricing(
            Fraction(raw["amount"], quantity),
            quantity,
            tuple(coupons[d] for d in taken if d in coupons),
            tuple(rates[tax.rate] for tax in line.taxes if tax.rate in rates),
        ),
        item=details.get("subscription_item"),
        price=pricing.get("price"),
        comparable=not proration and raw["amount"] >= 0,
    )
