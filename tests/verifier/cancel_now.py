"""Cancelled now: the unused part of a prepaid period went back, once, and is documented."""

from dataclasses import dataclass
from datetime import datetime

from tests.verifier.arithmetic import Amounts, Sale, stamp, written
from tests.verifier.reader import Json, Reader
from tests.verifier.table import Table


@dataclass(frozen=True, slots=True)
class CancelledNow:
    """What the customer was shown and did: asked within `asked`, confirmed, and has these mails."""

    sale: Sale
    token: str
    asked: tuple[datetime, datetime]
    quote: Json
    cancellation: str
    mails: tuple[str, ...]


def verify_cancelled_now(table: Table, reader: Reader, done: CancelledNow) -> None:
    """Recompute everything from the sale and the instant at which it ends."""
    sale, who = done.sale, f"{done.sale.name}: cancelled now"
    shown = reader.api(f"/v1/cancellations/{done.cancellation}", done.token)
    at = datetime.fromisoformat(shown["effective_at"])
    within = min(max(at, done.asked[0]), done.asked[1])
    table.expect(who, "ends at the instant of the question", stamp(within), stamp(at))
    back = sale.returned(at)
    _verify_quote(table, who, done, at, back)
    _verify_at_stripe(table, who, reader, sale, back)
    total = written(back.total, sale.currency)
    state = f"{shown['state']}, {', '.join(r['status'] for r in shown['refunds'])}"
    table.expect(who, "cancellation and its refund", "executed, succeeded", state)
    _verify_access(table, who, reader, sale, at)
    told = [text for text in done.mails if total in text]
    table.expect(who, f"mails that name {total}", 1, len(told))


def _verify_quote(table: Table, who: str, done: CancelledNow, at: datetime, back: Amounts) -> None:
    quote, currency = done.quote, done.sale.currency
    [line] = quote["lines"]
    paid = done.sale.invoiced()
    table.expect(who, "unused part of the period", done.sale.unused(at), line["fraction"])
    table.expect(
        who, "net of the line", written(paid.net, currency), written(line["base"], currency)
    )
    for what, expected, observed in (
        ("quoted net", back.net, quote["amount"]),
        ("quoted tax", back.tax, quote["tax"]),
        ("quoted total", back.total, quote["total"]),
    ):
        table.expect(who, what, written(expected, currency), written(observed, currency))
    ends = quote["cancellation"]
    access = f"{ends['access_until']}, renewal avoided: {ends['renewal_avoided']}"
    table.expect(who, "quoted access", f"{stamp(at)}, renewal avoided: True", access)


def _verify_at_stripe(table: Table, who: str, reader: Reader, sale: Sale, back: Amounts) -> None:
    total = written(back.total, sale.currency)
    subscription = reader.stripe(f"subscriptions/{sale.subscription}")
    table.expect(who, "subscription at Stripe", "canceled", subscription["status"])
    path = f"/v1/subscriptions/{sale.subscription}"
    ends = [_how(entry["params"]) for entry in reader.requests_made("DELETE", path)]
    table.expect(who, "requests that cancelled it", "prorate=false invoice_now=false", _all(ends))
    [invoice] = reader.stripe_list("invoices", customer=sale.customer)
    paid = written(sale.invoiced().total, sale.currency)
    table.expect(who, "paid invoices", paid, written(invoice["amount_paid"], sale.currency))
    payment, charge = _payment_of(reader, invoice["id"])
    refunds = reader.stripe_list("refunds", payment_intent=payment)
    table.expect(who, "refunds at Stripe", total, _amounts(refunds))
    made = [
        entry
        for entry in reader.requests_made("POST", "/v1/refunds")
        if entry["params"].get("payment_intent") == payment
    ]
    table.expect(who, "refund requests carried out", 1, len(made))
    refunded = written(charge["amount_refunded"], sale.currency)
    table.expect(who, "gone back on the charge", total, refunded)
    notes = reader.stripe_list("credit_notes", invoice=invoice["id"])
    table.expect(who, "credit notes", total, _amounts(notes))
    tax = sum(tax["amount"] for note in notes for tax in note["total_taxes"] or [])
    table.expect(who, "tax credited", written(back.tax, sale.currency), written(tax, sale.currency))
    linked = [link["refund"] for note in notes for link in note["refunds"]]
    table.expect(who, "linked to the refund", _all([r["id"] for r in refunds]), _all(linked))


def _verify_access(table: Table, who: str, reader: Reader, sale: Sale, at: datetime) -> None:
    [item] = reader.access(sale.customer)["items"]
    observed = f"{'on' if item['entitled'] else 'off'} since {item['access_until']}"
    table.expect(who, "access", f"off since {stamp(at)}", observed)


def _payment_of(reader: Reader, invoice: str) -> tuple[str, Json]:
    [payment] = reader.stripe_list("invoice_payments", invoice=invoice, status="paid")
    intent = payment["payment"]["payment_intent"]
    charge: Json = reader.stripe(f"payment_intents/{intent}", **{"expand[]": "latest_charge"})
    return intent, charge["latest_charge"]


def _how(params: Json) -> str:
    return " ".join(f"{name}={str(params[name]).lower()}" for name in ("prorate", "invoice_now"))


def _amounts(things: list[Json]) -> str:
    return _all([written(thing["amount"], thing["currency"]) for thing in things])


def _all(texts: list[str]) -> str:
    return ", ".join(texts) or "none"
