"""Billing errors: what an invoice should have come to, and why it did not, to the minor unit.

Each line is priced twice by the same arithmetic: from what it was invoiced with, and from what
should have held. One input is exchanged after the other, so that the differences by kind add up to
the whole, and a rounding of the billing side's own cancels out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from shared.domain.bill import Agreed, AgreedItem, Bill, Charge, Coupon, Pricing, TaxRate
from shared.domain.facts import Difference
from shared.domain.invoice import PaymentFacts
from shared.domain.money import Rounding, allocate, round_to_grain
from shared.domain.money_text import money_text


class ErrorKind(StrEnum):
    """What was wrong with a charge."""

    AFTER_END = "after_end"
    DUPLICATE_INVOICE = "duplicate_invoice"
    DUPLICATE_LINE = "duplicate_line"
    PRICE = "price"
    QUANTITY = "quantity"
    DISCOUNT = "discount"
    TAX = "tax"
    DOUBLE_PAYMENT = "double_payment"


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """What a line should have cost (minor units, net and tax), and the differences that say why."""

    line: str
    amount: int
    tax: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class BillCheck:
    """What a comparison found: the lines that can be compared, and payments that pay for nothing.

    `certain` is False where a person has to look: a line that repeats another one may be meant.
    """

    lines: tuple[ExpectedLine, ...]
    overpaid: tuple[PaymentFacts, ...]
    certain: bool

    @property
    def overcharged(self) -> int:
        """What was charged too much, tax included (minor units); what was too low offsets nothing.

        Net and tax of a line count apart, as a refund of them does.
        """
        found = [
            (sum(d.amount for d in x.differences), sum(d.tax for d in x.differences))
            for x in self.lines
        ]
        lines = sum(max(0, amount) + max(0, tax) for amount, tax in found)
        return lines + sum(payment.total for payment in self.overpaid)

    @property
    def verified(self) -> bool | None:
        """The finding on the ground: an error, none, or a person has to say."""
        return bool(self.overcharged) if self.certain else None


def check_bill(bill: Bill) -> BillCheck:
    """Compare an invoice with what should have held for it."""
    whole = _wrong_as_a_whole(bill)
    priced = [c for c in bill.charges if c.comparable and c.line.id not in whole]
    lines = {
        c.line.id: _void(c, *whole[c.line.id], bill.invoice.currency)
        for c in bill.charges
        if c.line.id in whole
    }
    lines |= _repriced(bill, priced)
    ordered = tuple(lines[c.line.id] for c in bill.charges if c.line.id in lines)
    certain = all(kind is not ErrorKind.DUPLICATE_LINE for kind, _ in whole.values())
    return BillCheck(ordered, _paid_twice(bill), certain)


def price_lines(lines: Sequence[Pricing]) -> list[tuple[int, int]]:
    """Net amount and tax of each line: price times quantity, less coupons in order, then tax."""
    gross = [_half_up(line.unit * line.quantity) for line in lines]
    left = list(gross)
    for coupon in dict.fromkeys(c for line in lines for c in line.coupons):
        mine = [k for k, line in enumerate(lines) if coupon in line.coupons and left[k] > 0]
        for k, part in zip(mine, _taken(coupon, [left[k] for k in mine]), strict=True):
            left[k] -= part
    return [_taxed(amount, line.rates) for amount, line in zip(left, lines, strict=True)]


def _taken(coupon: Coupon, amounts: Sequence[int]) -> list[int]:
    """What a coupon takes off each amount."""
    if coupon.percent is not None:
        return [_half_up(amount * coupon.percent / 100) for amount in amounts]
    whole = sum(amounts)
    total = min(coupon.amount, whole)
    shares = [Fraction(amount * total, whole) for amount in amounts] if whole else []
    return allocate(total, shares, [f"{k:06}" for k in range(len(shares))], 1)


def _taxed(amount: int, rates: Iterable[TaxRate]) -> tuple[int, int]:
    """Net and tax of an amount that includes the inclusive rates."""
    inside = sum((r.percentage for r in rates if r.inclusive), Fraction(0))
    included = [_half_up(amount * r.percentage / (100 + inside)) for r in rates if r.inclusive]
    added = [_half_up(amount * r.percentage / 100) for r in rates if not r.inclusive]
    return amount - sum(included), sum(included) + sum(added)


def _half_up(amount: Fraction) -> int:
    """Half away from zero, as the billing side rounds."""
    size = round_to_grain(abs(amount), 1, Rounding.HALF_UP)
    return size if amount >= 0 else -size


def _void(charge: Charge, kind: ErrorKind, why: str, currency: str) -> ExpectedLine:
    """A line that should not be there at all."""
    line = charge.line
    arithmetic = f"{why}: {money_text(line.amount + line.tax, currency)} should be 0"
    return ExpectedLine(line.id, 0, 0, (Difference(kind, arithmetic, line.amount, line.tax),))


def _wrong_as_a_whole(bill: Bill) -> Mapping[str, tuple[ErrorKind, str]]:
    """The lines that should not be there, each with the first reason for it."""
    wrong: dict[str, tuple[ErrorKind, str]] = {}
    seen: set[tuple[object, ...]] = set()
    ended_at = bill.agreed.ended_at
    for charge in bill.charges:
        line = charge.line
        if line.amount < 0:
            continue
        if ended_at is not None and line.period_start >= ended_at and charge.item:
            wrong[line.id] = ErrorKind.AFTER_END, f"the service ended at {ended_at.isoformat()}"
        elif (twin := _billed_before(bill, charge)) is not None:
            wrong[line.id] = ErrorKind.DUPLICATE_INVOICE, f"invoice {twin} has this line already"
        elif charge.comparable and _what(charge) in seen:
            wrong[line.id] = ErrorKind.DUPLICATE_LINE, "an earlier line is the same"
        seen.add(_what(charge))
    return wrong


def _what(charge: Charge) -> tuple[object, ...]:
    """What a line charges for: equal for a line that says the same again."""
    line = charge.line
    named = charge.item or charge.price or line.description
    return named, line.period_start, line.period_end, line.amount


def _billed_before(bill: Bill, charge: Charge) -> str | None:
    """The number of an earlier invoice that has charged the same item for the same time."""
    if charge.item is None or not charge.comparable:
        return None
    for other in bill.others:
        earlier = (other.invoice.created_at, other.invoice.id)
        if earlier >= (bill.invoice.created_at, bill.invoice.id):
            continue
        if any(theirs.comparable and _same_time(charge, theirs) for theirs in other.charges):
            return other.invoice.number or other.invoice.id
    return None


def _same_time(one: Charge, other: Charge) -> bool:
    """Whether all of the time was charged before; a part of it is no double of the whole."""
    mine, theirs = one.line, other.line
    within = theirs.period_start <= mine.period_start and mine.period_end <= theirs.period_end
    return one.item == other.item and within and theirs.amount > 0


def _paid_twice(bill: Bill) -> tuple[PaymentFacts, ...]:
    """Payments of no invoice that are exactly as large as this invoice, which others have paid."""
    invoice = bill.invoice
    total = sum(line.amount + line.tax for line in invoice.lines)
    paid = sum(payment.amount for payment in invoice.payments)
    if not total or paid < total:
        return ()
    # Two loose payments may be two other purchases; the first that fits is the double one.
    return tuple(p for p in bill.loose if p.total == total and p.refundable)[:1]


# What is exchanged, one after the other, and how a line's pricing looks with that part as agreed.
def _price(pricing: Pricing, _agreed: Agreed, item: AgreedItem | None) -> Pricing:
    if item is None or item.unit is None:
        return pricing
    return replace(pricing, unit=item.unit)


def _quantity(pricing: Pricing, _agreed: Agreed, item: AgreedItem | None) -> Pricing:
    if item is None or item.quantity is None:
        return pricing
    return replace(pricing, quantity=item.quantity)


def _discount(pricing: Pricing, agreed: Agreed, _item: AgreedItem | None) -> Pricing:
    """With the coupons that are missing: one that was given is used up, so it is never too much."""
    missing = tuple(c for c in agreed.coupons if c not in pricing.coupons)
    return replace(pricing, coupons=pricing.coupons + missing)


def _tax(pricing: Pricing, agreed: Agreed, _item: AgreedItem | None) -> Pricing:
    return pricing if agreed.rates is None else replace(pricing, rates=agreed.rates)


_Exchange = Callable[[Pricing, Agreed, AgreedItem | None], Pricing]
_EXCHANGES: tuple[tuple[ErrorKind, _Exchange], ...] = (
    (ErrorKind.PRICE, _price),
    (ErrorKind.QUANTITY, _quantity),
    (ErrorKind.DISCOUNT, _discount),
    (ErrorKind.TAX, _tax),
)


def _repriced(bill: Bill, charges: Sequence[Charge]) -> dict[str, ExpectedLine]:
    """The lines with what they should have cost, and the difference that each exchange makes."""
    currency = bill.invoice.currency
    agreed = {item.item: item for item in bill.agreed.items}
    items = [agreed.get(charge.item or "") for charge in charges]
    pricings = [charge.pricing for charge in charges]
    amounts = first = price_lines(pricings)
    found: list[list[Difference]] = [[] for _ in charges]
    for kind, exchange in _EXCHANGES:
        inputs, before = pricings, amounts
        pricings = [exchange(p, bill.agreed, item) for p, item in zip(inputs, items, strict=True)]
        amounts = price_lines(pricings)
        for k, ((net, tax), (new_net, new_tax)) in enumerate(zip(before, amounts, strict=True)):
            if (net, tax) != (new_net, new_tax):
                words = _in_words(kind, inputs[k], pricings[k], currency)
                arithmetic = (
                    f"{words}: {_sum(net, tax, currency)}, not {_sum(new_net, new_tax, currency)}"
                )
                found[k].append(Difference(kind, arithmetic, net - new_net, tax - new_tax))
    return {
        charge.line.id: ExpectedLine(
            charge.line.id,
            max(0, charge.line.amount - (net - new_net)),
            max(0, charge.line.tax - (tax - new_tax)),
            tuple(found[k]),
        )
        for k, (charge, (net, tax), (new_net, new_tax)) in enumerate(
            zip(charges, first, amounts, strict=True)
        )
        if charge.line.amount >= 0
    }


def _sum(net: int, tax: int, currency: str) -> str:
    return f"{money_text(net, currency)} + {money_text(tax, currency)} tax"


def _in_words(kind: ErrorKind, was: Pricing, now: Pricing, currency: str) -> str:
    """What was exchanged, as invoiced and as agreed."""
    match kind:
        case ErrorKind.PRICE:
            return (
                f"{was.quantity} x {_unit(was.unit, currency)}, agreed {_unit(now.unit, currency)}"
            )
        case ErrorKind.QUANTITY:
            unit = _unit(was.unit, currency)
            return f"{was.quantity} x {unit}, agreed {now.quantity} x {unit}"
        case ErrorKind.DISCOUNT:
            missing = [c.id for c in now.coupons if c not in was.coupons]
            return f"without coupon {', '.join(missing)}"
        case _:
            return f"tax {_rates(was)}, agreed {_rates(now)}"


def _unit(unit: Fraction, currency: str) -> str:
    """A price; one with a part of a minor unit is written in minor units."""
    return money_text(int(unit), currency) if unit.denominator == 1 else f"{unit} minor units"


def _rates(pricing: Pricing) -> str:
    return " + ".join(f"{_percent(r.percentage)} %" for r in pricing.rates) or "none"


def _percent(percentage: Fraction) -> str:
    """A percentage as people write it; the billing side gives four decimals at most."""
    whole, rest = divmod(int(percentage * 10_000), 10_000)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")
