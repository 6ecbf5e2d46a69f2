"""Disputes: what each phase does to access, collection, refunds and the balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.verifier.arithmetic import Sale, written
from tests.verifier.reader import Json, Reader
from tests.verifier.table import Table


@dataclass(frozen=True, slots=True)
class Argued:
    """A dispute about a payment for the first of a customer's subscriptions."""

    sales: Sequence[Sale]
    token: str
    dispute: str

    @property
    def customer(self) -> str:
        """Whose it is."""
        return self.sales[0].customer

    @property
    def currency(self) -> str:
        """In what was paid."""
        return self.sales[0].currency


@dataclass(frozen=True, slots=True)
class Standing:
    """What a phase of a dispute makes of an account."""

    good: bool
    in_dispute: int = 0
    owed: int = 0


def taken(reader: Reader, argued: Argued) -> int:
    """What left the company's balance: what was paid, recomputed, and the fee that Stripe shows."""
    dispute = reader.stripe(f"disputes/{argued.dispute}")
    fees = sum(movement["fee"] for movement in dispute["balance_transactions"])
    return argued.sales[0].invoiced().total + int(fees)


def verify_standing(
    table: Table, reader: Reader, who: str, argued: Argued, expected: Standing
) -> None:
    """Standing, causes, balance, access and collection, all at once."""
    account = reader.api("/v1/account", argued.token)
    word = "good" if expected.good else "suspended"
    causes = "none" if expected.good else argued.dispute
    table.expect(who, "standing", word, account["standing"])
    seen = ", ".join(cause["id"] for cause in account["causes"]) or "none"
    table.expect(who, "because of", causes, seen)
    for what, amount in (("in_dispute", expected.in_dispute), ("owed", expected.owed)):
        shown = sum(b[what] for b in account["balances"] if b["currency"] == argued.currency)
        words = (written(amount, argued.currency), written(shown, argued.currency))
        table.expect(who, what.replace("_", " "), *words)
    access = reader.access(argued.customer)["items"]
    word = "on" if expected.good else "off"
    table.expect(
        who,
        "access to each item",
        ", ".join([word] * len(argued.sales)),
        ", ".join("on" if item["entitled"] else "off" for item in access),
    )
    _verify_collection(table, reader, who, argued, stopped=not expected.good)


def _verify_collection(
    table: Table, reader: Reader, who: str, argued: Argued, *, stopped: bool
) -> None:
    paused = []
    for sale in argued.sales:
        pause = reader.stripe(f"subscriptions/{sale.subscription}")["pause_collection"]
        paused.append(pause["behavior"] if pause else "going on")
    word = "void" if stopped else "going on"
    expected = ", ".join([word] * len(argued.sales))
    table.expect(who, "collection on each subscription", expected, ", ".join(paused))
    waiting = [
        invoice
        for invoice in reader.stripe_list("invoices", customer=argued.customer)
        if invoice["status"] in ("draft", "open")
    ]
    table.expect(
        who,
        "unpaid invoices that are collected",
        0 if stopped else len(waiting),
        sum(invoice["auto_advance"] for invoice in waiting),
    )


def verify_no_refund(table: Table, reader: Reader, who: str, argued: Argued, quote: Json) -> None:
    """A quote gives nothing of a disputed payment, and nothing was sent back on it."""
    dispute = reader.stripe(f"disputes/{argued.dispute}")
    zero = written(0, argued.currency)
    table.expect(who, "a quote would return", zero, written(quote["total"], argued.currency))
    refunds = reader.stripe_list("refunds", charge=dispute["charge"])
    table.expect(who, "refunds on that charge", 0, len(refunds))


def verify_collected(
    table: Table, reader: Reader, who: str, argued: Argued, *, since: datetime, expected: int
) -> None:
    """What was paid by the customer's card since an instant."""
    paid = [
        invoice["amount_paid"]
        for invoice in reader.stripe_list("invoices", customer=argued.customer)
        if (invoice["status_transitions"]["paid_at"] or 0) > since.timestamp()
    ]
    words = (written(expected, argued.currency), written(sum(paid), argued.currency))
    table.expect(who, "collected since", *words)
