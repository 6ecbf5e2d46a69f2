"""Invoices, their lines and payments, and charges to come, as the billing side has them now."""

from dataclasses import dataclass
from datetime import datetime


def is_invoice(reference: str) -> bool:
    """Whether it names an invoice, which a credit note documents; a payment can stand alone."""
    return not reference.startswith("pi_")


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """One tax on an invoice line (minor units)."""

    rate: str | None
    amount: int
    taxable: int | None
    inclusive: bool


@dataclass(frozen=True, slots=True)
class LineFacts:
    """An invoice line: `amount` net after discounts, `tax` on top of it (minor units).

    `discount` is what its discounts took off, which is no longer in `amount`. `kind` is one of the
    line kinds of the quote's contract; `credits` the lines that a negative line takes back;
    `product` what it sells, where it names one.
    """

    id: str
    kind: str
    amount: int
    tax: int
    period_start: datetime
    period_end: datetime
    description: str
    taxes: tuple[TaxFacts, ...] = ()
    credits: tuple[str, ...] = ()
    discount: int = 0
    product: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A payment on an invoice (minor units); `id` is the payment intent.

    `country` is where its card was issued.
    """

    id: str
    amount: int
    fee: int
    refunded: int
    disputed: int
    refundable: bool
    method: str
    total: int
    country: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """An invoice as Stripe has it now."""

    id: str
    number: str | None
    status: str
    created_at: datetime
    currency: str
    lines: tuple[LineFacts, ...]
    payments: tuple[PaymentFacts, ...]
    credited: int
    subscription: str | None
    collects: bool
    customer: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PendingCharge:
    """A pending invoice item: it will be billed with the next invoice.

    `tax_rates` are its own; without any it is taxed as the invoice is. `operation` is ours, where
    we have added it.
    """

    id: str
    subscription: str | None
    amount: int
    currency: str
    description: str
    period_start: datetime
    period_end: datetime
    tax_rates: tuple[str, ...] = ()
    discountable: bool = True
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class CreditNoteLine:
    """A line to credit: `amount` as Stripe wants it for that line, with its tax amounts."""

    invoice_line: str
    amount: int
    taxes: tuple[TaxFacts, ...]
