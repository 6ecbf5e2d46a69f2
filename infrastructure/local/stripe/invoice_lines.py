"""The lines of an invoice, and the totals that they make."""

from typing import Any

from infrastructure.local.stripe import discounts
from infrastructure.local.stripe.catalogue import taxes_on, total_taxes
from infrastructure.local.stripe.state import Json, Store


def add_line(store: Store, invoice: Json, *, rates: list[Json], **values: Any) -> Json:
    """Appends a line; `rates` empty means the invoice's default rates."""
    line = {
        "id": store.identifier("il"),
        "object": "line_item",
        "currency": invoice["currency"],
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "pricing": None,
        "subscription": None,
        **values,
    }
    line["subtotal"] = line["amount"]
    line["quantity_decimal"] = None if line["quantity"] is None else str(line["quantity"])
    store.private[line["id"]] = rates or invoice["default_tax_rates"]
    invoice["lines"]["data"].append(line)
    compute_totals(store, invoice)
    return line


def compute_totals(store: Store, invoice: Json) -> None:
    """Discounts, tax, totals and what is due of a draft.

    The customer's balance counts from finalization on. A balance above zero is owed and raises what
    is due, one below pays (recorded: total 1000 with starting balance 4 is 1004 due).
    """
    lines = invoice["lines"]["data"]
    discounts.apply(store, invoice)
    for line in lines:
        line["taxes"] = taxes_on(discounts.net(line), store.private[line["id"]])
    taxes = total_taxes(lines)
    included = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "inclusive")
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    subtotal = sum(line["amount"] for line in lines)
    net = sum(discounts.net(line) for line in lines)
    due = max(0, net + added + invoice["starting_balance"])
    taken = discounts.totals(lines)
    invoice |= {
        "amount_due": due,
        "amount_remaining": due,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - included,
        "total": net + added,
        "total_discount_amounts": taken,
        "total_excluding_tax": net - included,
        "total_pretax_credit_amounts": [{**one, "type": "discount"} for one in taken],
        "total_taxes": taxes,
    }
