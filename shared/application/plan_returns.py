"""What goes back on each invoice of a quote, and the credit note that will document it.

The engine decides lines and payments of the whole case; Stripe documents per invoice. Both are laid
side by side here, before the customer sees the quote, so that nothing is promised that Stripe would
not document to the same cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from shared.domain.allocation import Part, fill
from shared.domain.errors import ConflictError, RefusedError
from shared.domain.facts import Case, Invoice, Method, SettleAs
from shared.domain.invoice import CreditNoteLine, InvoiceFacts, LineFacts, TaxFacts, is_invoice
from shared.domain.money import Rounding, round_to_grain
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class InvoiceReturn:
    """What goes back on one invoice, in minor units, and the credit note's lines for it.

    `refunds` and `transfers` are by payment; the second are those that Stripe cannot refund.
    """

    invoice: str
    refunds: dict[str, int]
    credit: int
    transfers: dict[str, int]
    lines: tuple[CreditNoteLine, ...]
    payments: dict[str, dict[str, int]]

    @property
    def by_hand(self) -> int:
        """What a person has to transfer."""
        return sum(self.transfers.values())

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.refunds.values()) + self.credit + self.by_hand


def plan_returns(
    case: Case, invoices: Sequence[InvoiceFacts], document: Mapping[str, Any]
) -> list[InvoiceReturn]:
    """What goes back on each invoice, in the order of the case."""
    parts, left = fill(case.invoices, document["total"])
    by_hand = list(_by_hand(case.invoices, left))
    decided = {line["id"]: (line["amount"], line["tax"]) for line in document["lines"]}
    returns = []
    for place, invoice in enumerate(invoices):
        mine = [part for part in parts if part.invoice == place]
        refunds = {p.payment: p.amount for p in mine if p.method in (Method.CARD, Method.BANK)}
        credit = sum(p.amount for p in mine if p.method is Method.CUSTOMER_BALANCE)
        transfers = {p.payment: p.amount for p in mine if p.method is Method.OUT_OF_BAND}
        for part in by_hand:
            if part.invoice == place:
                transfers[part.payment] = transfers.get(part.payment, 0) + part.amount
        total = sum(refunds.values()) + credit + sum(transfers.values())
        if document["settle_as"] == SettleAs.CREDIT:
            # Nothing leaves: all of it goes to the customer's balance.
            refunds, credit, transfers = {}, total, {}
        returns.append(
            InvoiceReturn(
                invoice=invoice.id,
                refunds=refunds,
                credit=credit,
                transfers=transfers,
                lines=tuple(_credit_lines(invoice, decided, total)),
                payments={p.id: _known(p) for p in invoice.payments},
            )
        )
    return returns


def _by_hand(invoices: Sequence[Invoice], left: int) -> Iterable[Part]:
    """What no refund takes, on the payments that Stripe does not refund, in their order.

    More than these hold is laid on the last payment, whose reservation then refuses it.
    """
    last: Part | None = None
    for place, invoice in enumerate(invoices):
        for payment in invoice.payments:
            last = Part(place, payment.id, payment.method, 0)
            holds = max(0, payment.amount - payment.refunded - payment.disputed)
            part = 0 if payment.refundable else min(left, holds)
            left -= part
            if part:
                yield last._replace(amount=part)
    if left and last is not None:
        yield last._replace(amount=left)


def _known(payment: Any) -> dict[str, int]:
    return {
        "total": payment.total,
        "refunded": payment.refunded,
        "disputed": payment.disputed,
    }


def _credit_lines(
    invoice: InvoiceFacts, decided: Mapping[str, tuple[int, int]], total: int
) -> Iterable[CreditNoteLine]:
    """The lines of a credit note over `total`: as decided, where the payments follow the lines.

    Payments fill in their order over all invoices, so an invoice can give back what another one's
    lines have left unused; then its own lines are credited in order, each with its part of tax.
    """
    if total == 0:
        return
    amounts = {line.id: decided.get(line.id, (0, 0)) for line in invoice.lines}
    if sum(net + tax for net, tax in amounts.values()) != total:
        amounts = _fill_lines(invoice.lines, total)
    for line in invoice.lines:
        net, tax = amounts[line.id]
        if net + tax:
            inclusive = bool(line.taxes) and all(t.inclusive for t in line.taxes)
            # Stripe takes a line's amount net where its tax comes on top, gross where it is inside.
            amount = net + tax if inclusive else net
            amount = _before_discount(line, amount, inclusive=inclusive)
            yield CreditNoteLine(line.id, amount, tuple(_taxes(line, net, tax)))


def _before_discount(line: LineFacts, amount: int, *, inclusive: bool) -> int:
    """What has to be credited so that `amount` is left when Stripe takes the discount's share off.

    https://docs.stripe.com/api/credit_notes/line_item: a line's amount excludes discounts.
    """
    after = line.amount + line.tax if inclusive else line.amount
    if not line.discount or not after:
        return amount
    whole = after + line.discount
    guess = round_to_grain(Fraction(amount * whole, after), 1, Rounding.HALF_UP)
    for gross in (guess, guess - 1, guess + 1):
        share = round_to_grain(Fraction(gross * line.discount, whole), 1, Rounding.HALF_UP)
        if gross - share == amount:
            return gross
    return guess


def _fill_lines(lines: Sequence[LineFacts], total: int) -> dict[str, tuple[int, int]]:
    left, amounts = total, {}
    for line in lines:
        gross = line.amount + line.tax
        part = min(left, max(0, gross))
        tax = round_to_grain(Fraction(part * line.tax, gross), 1, Rounding.HALF_UP) if part else 0
        amounts[line.id] = (part - tax, tax)
        left -= part
    return amounts


def _taxes(line: LineFacts, net: int, tax: int) -> Iterable[TaxFacts]:
    """The line's returned tax spread over its rates: whole units, the last one takes the rest."""
    left = tax
    for number, known in enumerate(line.taxes, start=1):
        last = number == len(line.taxes)
        amount = left if last else tax * known.amount // line.tax
        left -= amount
        yield TaxFacts(known.rate, amount, net, known.inclusive)


def refuse_unless_stripe_agrees(services: Services, returns: Iterable[InvoiceReturn]) -> None:
    """Let Stripe preview each credit note; a quote that it would not document is not offered.

    Raises:
        ConflictError: its totals differ from ours, or it would refuse.
    """
    for back in returns:
        if not back.total or not is_invoice(back.invoice):
            continue
        # Stripe refunds "the charge" of an invoice; where there are several, refunds are made one
        # by one and linked, and the preview, whose total is the same, takes them as made outside.
        refund = sum(back.refunds.values())
        one = refund if len(back.refunds) == 1 else 0
        try:
            seen = services.billing.preview_credit_note(
                invoice=back.invoice,
                lines=back.lines,
                refund=one,
                credit=back.credit,
                out_of_band=back.by_hand + refund - one,
            )
        except RefusedError as refusal:
            raise _not_offered(f"Stripe would refuse the credit note ({refusal.code})") from refusal
        if seen != back.total:
            raise _not_offered(f"Stripe's credit note would be over {seen}, not {back.total}")


def _not_offered(why: str) -> ConflictError:
    return ConflictError("needs-review", f"This refund needs a person: {why}.")


def to_plain(returns: Iterable[InvoiceReturn]) -> list[dict[str, Any]]:
    """The form in which returns are stored with their quote."""
    return [asdict(back) for back in returns]


def lines_from_plain(stored: Iterable[Mapping[str, Any]]) -> list[CreditNoteLine]:
    """The credit note's lines as they were stored."""
    return [
        CreditNoteLine(
            line["invoice_line"],
            line["amount"],
            tuple(TaxFacts(**tax) for tax in line["taxes"]),
        )
        for line in stored
    ]
