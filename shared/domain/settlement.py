"""Settlement: from exact shares to whole amounts: one rounding, deductions, caps.

Totals (net and tax together) are capped per invoice; where a cap or a deduction binds, the tax part
is the same part of the total as before, and net takes the rest. Every cap is its own named line.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from shared.domain.decision import AppliedCap, Deduction
from shared.domain.facts import Invoice
from shared.domain.formulas import Shares
from shared.domain.money import (
    allocate,
    allocate_ratios,
    floor_to_grain,
    over_one_denominator,
    round_ratio,
    round_to_grain,
    scaled,
)
from shared.domain.situation import Situation

PAID_AND_NOT_RETURNED = "paid_and_not_returned"
UNPAID = "unpaid"
GATEWAY_FEES = "gateway_fees"
Ratios = tuple[list[int], int]  # numerators and their one denominator


class NamedCap(NamedTuple):
    """An upper limit for the whole refund."""

    name: str
    limit: int


class Settlement(NamedTuple):
    """Whole amounts: of each line (net, tax) in the order of the shares, and what led to them."""

    lines: tuple[tuple[int, int], ...]
    deductions: tuple[Deduction, ...]
    caps: tuple[AppliedCap, ...]

    @property
    def net(self) -> int:
        """The refund without tax."""
        return sum([net for net, _ in self.lines])

    @property
    def tax(self) -> int:
        """The refund's tax."""
        return sum([tax for _, tax in self.lines])


def settle(
    s: Situation,
    shares: Shares,
    deductions: Sequence[Deduction],
    fees: Sequence[int],
    caps: Sequence[NamedCap],
) -> Settlement:
    """What goes back on each line; ``fees`` are kept of each invoice, or there are none."""
    ids = [share.view.line.id for share in shares]
    nets, taxes = _exact(shares)
    amounts = list(zip(_rounded(s, ids, nets), _rounded(s, ids, taxes), strict=True))
    entitled = [0] * len(s.case.invoices)
    for share, (net, tax) in zip(shares, amounts, strict=True):
        entitled[share.view.invoice] += net + tax
    kept = [Deduction(GATEWAY_FEES, GATEWAY_FEES, sum(fees))] if any(fees) else []
    taken, left = _deduct([*deductions, *kept], sum(entitled))
    reduced = _spread(
        s, round_ratio(left, 1, s.grain, s.settings.rounding), _without(fees, entitled)
    )
    totals, of_invoices = _cap_invoices(s, reduced)
    totals, of_whole = _cap_whole(s, totals, caps)
    for k, total in enumerate(totals):
        if total != entitled[k]:
            _cut_invoice(s, shares, amounts, k, total)
    return Settlement(tuple(amounts), tuple(taken), (*of_invoices, *of_whole))


def _exact(shares: Shares) -> tuple[Ratios, Ratios]:
    """The exact net and tax that are due on each line, less what has already gone back."""
    parts, whole = over_one_denominator([share.fraction for share in shares])
    of_tax, whole_tax = parts, whole
    if any(share.tax_part is not None for share in shares):
        of_tax, whole_tax = over_one_denominator([share.tax_fraction for share in shares])
    nets, taxes = [], []
    for part, tax_part, share in zip(parts, of_tax, shares, strict=True):
        line = share.view.line
        nets.append(max(0, part * line.amount - whole * line.returned.amount))
        taxes.append(max(0, tax_part * line.tax - whole_tax * line.returned.tax))
    return (nets, whole), (taxes, whole_tax)


def _rounded(s: Situation, ids: Sequence[str], exact: Ratios) -> list[int]:
    """The one rounding: of the sum, which is then spread over the lines."""
    numerators, whole = exact
    total = round_ratio(sum(numerators), whole, s.grain, s.settings.rounding)
    return allocate_ratios(total, numerators, whole, ids, s.grain)


def _spread(s: Situation, total: int, amounts: list[int]) -> list[int]:
    """The amounts of the invoices, cut in proportion so that they sum to the total."""
    if total == sum(amounts):
        return amounts
    keys = [f"{index:06}" for index in range(len(amounts))]  # ties by the order of the invoices
    return allocate(total, scaled([Fraction(a) for a in amounts], total), keys, s.grain)


def _deduct(deductions: Sequence[Deduction], total: int) -> tuple[list[Deduction], int]:
    """Each deduction as far as anything is left to take it from, and what is left after all."""
    taken: list[Deduction] = []
    for deduction in deductions:
        amount = min(deduction.amount, total)
        taken.append(Deduction(deduction.clause, deduction.what, amount))
        total -= amount
    return taken, total


def _without(fees: Sequence[int], entitled: list[int]) -> list[int]:
    """The amounts of the invoices after the fees kept of each."""
    if not any(fees):
        return entitled
    return [max(0, amount - fee) for amount, fee in zip(entitled, fees, strict=True)]


def _cap_invoices(s: Situation, entitled: list[int]) -> tuple[list[int], list[AppliedCap]]:
    """Per invoice: its debt comes off first, and never more goes back than is still held."""
    moved = _moved_by_credits(s)
    debts = after_debt = held = 0
    totals: list[int] = []
    for k, invoice in enumerate(s.case.invoices):
        debt, holds = _unpaid(invoice), _held(invoice)
        due = max(0, entitled[k] - debt)
        totals.append(floor_to_grain(max(0, min(due, holds + moved[k])), s.grain))
        debts += debt
        after_debt += due
        held += holds
    limit = floor_to_grain(max(0, held), s.grain)
    whole = min(sum(totals), limit)
    caps = [AppliedCap(PAID_AND_NOT_RETURNED, limit, whole < after_debt)]
    if debts:
        caps.insert(0, AppliedCap(UNPAID, after_debt, after_debt < sum(entitled)))
    return _spread(s, whole, totals), caps


def _unpaid(invoice: Invoice) -> int:
    """What the invoice still lacks."""
    due = sum([line.amount + line.tax for line in invoice.lines])
    return max(0, due - sum([payment.amount for payment in invoice.payments]))


def _held(invoice: Invoice) -> int:
    """What was paid on the invoice and has not gone back, by refund, dispute or credit."""
    paid = sum([p.amount - p.refunded - p.disputed for p in invoice.payments])
    return paid - invoice.credited


def _moved_by_credits(s: Situation) -> list[int]:
    """What mid-cycle credits moved between invoices: paid on one, used to pay another."""
    invoices = s.case.invoices
    shifts = [0] * len(invoices)
    if not any(view.line.amount < 0 for view in s.lines):
        return shifts
    home = {view.line.id: view for view in s.lines}
    for k, invoice in enumerate(invoices):
        received = 0
        for line in invoice.lines:
            if line.amount >= 0:
                continue
            weights = [Fraction(home[name].line.amount or 1) for name in line.credits]
            value = -(line.amount + line.tax)
            parts = allocate(value, scaled(weights, value), line.credits, 1)
            for name, part in zip(line.credits, parts, strict=True):
                if home[name].invoice != k:
                    shifts[home[name].invoice] -= part
                    received += part
        charged = sum(line.amount + line.tax for line in invoice.lines if line.amount >= 0)
        shifts[k] += min(received, charged)
    return shifts


def _cap_whole(
    s: Situation, totals: list[int], caps: Sequence[NamedCap]
) -> tuple[list[int], list[AppliedCap]]:
    """Limits of the whole refund, each a line of its own."""
    applied: list[AppliedCap] = []
    for cap in caps:
        limit = floor_to_grain(cap.limit, s.grain)
        binds = sum(totals) > limit
        applied.append(AppliedCap(cap.name, limit, binds))
        if binds:
            totals = _spread(s, limit, totals)
    return totals, applied


def _cut_invoice(
    s: Situation, shares: Shares, amounts: list[tuple[int, int]], invoice: int, total: int
) -> None:
    """Gives the invoice's lines ``total`` instead of what they were entitled to."""
    mine = [i for i, share in enumerate(shares) if share.view.invoice == invoice]
    entitled_tax = sum(amounts[i][1] for i in mine)
    entitled = sum(sum(amounts[i]) for i in mine)
    exact_tax = Fraction(total * entitled_tax, entitled)
    tax = round_to_grain(exact_tax, s.grain, s.settings.rounding)
    ids = [shares[i].view.line.id for i in mine]
    nets = allocate(total - tax, scaled([shares[i].net for i in mine], total - tax), ids, s.grain)
    taxes = allocate(tax, scaled([shares[i].tax for i in mine], tax), ids, s.grain)
    for i, net, part in zip(mine, nets, taxes, strict=True):
        amounts[i] = (net, part)
