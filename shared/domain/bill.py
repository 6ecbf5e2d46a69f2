"""A bill: an invoice with how each of its lines was priced, and what should have held for it."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from shared.domain.invoice import InvoiceFacts, LineFacts, PaymentFacts


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A rate: `percentage` of the net amount, on top of the price or `inclusive` in it."""

    id: str
    percentage: Fraction
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Coupon:
    """What a coupon takes off: `percent`, or `amount` (minor units) spread over the lines."""

    id: str
    percent: Fraction | None = None
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Pricing:
    """What a line is computed from; `unit` is an exact price in minor units, before tax on top."""

    unit: Fraction
    quantity: int
    coupons: tuple[Coupon, ...] = ()
    rates: tuple[TaxRate, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """An invoice line with the pricing that it was computed from.

    `item` and `price` name the subscription's item and its price, where there are any; a proration
    or a tiered price cannot be compared with a price times a quantity.
    """

    line: LineFacts
    pricing: Pricing
    item: str | None = None
    price: str | None = None
    comparable: bool = True


@dataclass(frozen=True, slots=True)
class AgreedItem:
    """What should hold for a subscription's item; None where nothing is known against the bill."""

    item: str
    unit: Fraction | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """What should have held when the invoice was made.

    `coupons` are those that were valid; `rates` is None where the invoice's own are as good as any;
    `ended_at` is when the service had ended by then.
    """

    items: tuple[AgreedItem, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    rates: tuple[TaxRate, ...] | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice, its charges, what was agreed by then, and what stands beside it.

    `others` are the other finalized invoices of the subscription; `loose` are payments of the
    customer that pay no invoice.
    """

    invoice: InvoiceFacts
    charges: tuple[Charge, ...]
    agreed: Agreed
    others: tuple["Bill", ...] = ()
    loose: tuple[PaymentFacts, ...] = ()
