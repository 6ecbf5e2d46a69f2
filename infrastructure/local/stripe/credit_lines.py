"""The lines of a credit note: which part of an invoice is taken back, and its tax."""

from fractions import Fraction
from http import HTTPStatus
from typing import Any

from infrastructure.local.stripe.catalogue import tax_entry, tax_rates, taxes_on
from infrastructure.local.stripe.errors import Refusal, invalid, missing
from infrastructure.local.stripe.money import half_up
from infrastructure.local.stripe.state import Json, Store, merge_metadata


def credit_lines(store: Store, invoice: Json, params: Json) -> list[Json]:
    """The lines that the parameters ask for, without identifiers."""
    if ("amount" in params) == ("lines" in params):  # SDK docstring; text unverified
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "One of `amount`, `lines`, or `shipping_cost` must be provided.",
            executed=False,
        )
    if "lines" in params:
        return [
            _line(store, invoice, given, f"lines[{index}]")
            for index, given in enumerate(params["lines"])
        ]
    # An amount alone is the total; how Stripe spreads it over taxes is unverified: not at all here.
    return [_shape("custom_line_item", params["amount"], [], [], quantity=1)]


def _line(store: Store, invoice: Json, given: Json, param: str) -> Json:
    metadata = merge_metadata({}, given.get("metadata"))
    if given["type"] == "custom_line_item":
        quantity = given.get("quantity", 1)
        amount = given.get("unit_amount", 0) * quantity
        rates = tax_rates(store, given.get("tax_rates"))
        taxes = _given_taxes(store, given) or taxes_on(amount, rates)
        text = given.get("description")
        more: Json = {"description": text, "quantity": quantity, "metadata": metadata}
        return _shape("custom_line_item", amount, taxes, rates, **more)
    identifier = given.get("invoice_line_item", "")
    found = [line for line in invoice["lines"]["data"] if line["id"] == identifier]
    if not found:
        raise missing("invoice line item", identifier, f"{param}[invoice_line_item]")
    line = found[0]
    amount = _credited_amount(store, given, line, param)
    rates = [store.get("tax_rate", _rate(tax)) for tax in line["taxes"] or []]
    # Of the line's discounts the same share (the amount is gross by its docstring; the rest of
    # this is unverified).
    taken = [
        {**one, "amount": half_up(Fraction(one["amount"] * amount, line["amount"] or 1))}
        for one in line["discount_amounts"]
    ]
    off = sum(one["amount"] for one in taken)
    taxes = _given_taxes(store, given) or taxes_on(amount - off, rates)
    more = {
        "discount_amount": off,
        "discount_amounts": taken,
        "pretax_credit_amounts": [{**one, "type": "discount"} for one in taken],
        "description": line["description"],
        "invoice_line_item": identifier,
        "metadata": metadata,
        "quantity": given.get("quantity"),
    }
    return _shape("invoice_line_item", amount, taxes, rates, **more)


def _credited_amount(store: Store, given: Json, line: Json, param: str) -> int:
    """By amount or by quantity; without either, the whole line (SDK docstrings).

    All credit notes together take no more than the line's amount (text unverified).
    """
    if "amount" in given:
        amount = int(given["amount"])
    elif "quantity" in given:
        amount = half_up(Fraction(line["amount"] * given["quantity"], line["quantity"] or 1))
    else:
        amount = line["amount"]
    before = sum(
        credited["amount"]
        for note in store.rows("credit_note")
        if note["status"] == "issued"
        for credited in note["lines"]["data"]
        if credited["invoice_line_item"] == line["id"]
    )
    if abs(amount + before) > abs(line["amount"]):
        raise invalid(
            "The credited amount of a line is greater than the line's amount.",
            param=f"{param}[amount]",
        )
    return amount


def _rate(tax: Json) -> str:
    return str(tax["tax_rate_details"]["tax_rate"])


def _given_taxes(store: Store, given: Json) -> list[Json]:
    entries = given.get("tax_amounts") or []
    return [
        tax_entry(
            store.get("tax_rate", entry["tax_rate"], "tax_rates"),
            entry["amount"],
            entry["taxable_amount"],
        )
        for entry in entries
    ]


def _shape(kind: str, amount: int, taxes: list[Json], rates: list[Json], **values: Any) -> Json:
    return {
        "amount": amount,
        "description": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": None,
        "livemode": False,
        "metadata": {},
        "object": "credit_note_line_item",
        "pretax_credit_amounts": [],
        "quantity": None,
        "tax_rates": rates,
        "taxes": taxes,
        "type": kind,
        "unit_amount": None,
        "unit_amount_decimal": None,
        **values,
    }
