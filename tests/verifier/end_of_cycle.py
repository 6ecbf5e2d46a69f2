"""Cancelled at the end of the cycle: to the second, nothing billed for later, earned debt kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from tests.verifier.arithmetic import Charge, Sale, stamp, written
from tests.verifier.reader import Json, Reader
from tests.verifier.table import Table


@dataclass(frozen=True, slots=True)
class Ending:
    """A subscription that ends at `end`, with charges that waited before it was cancelled."""

    sale: Sale
    token: str
    charges: Sequence[Charge]
    end: datetime

    def earned(self) -> list[Charge]:
        """The parts of the charges for time before the end."""
        return [part for part in self.parts() if part.end <= self.end]

    def parts(self) -> list[Charge]:
        """All parts, before and after the end."""
        return [part for charge in self.charges for part in charge.split(self.end)]

    def owed(self) -> int:
        """Every period until the end, and what was earned besides (minor units)."""
        periods, at = 0, self.sale.start
        while at < self.end:
            periods, at = periods + 1, self.sale.period(at)[1]
        earned = sum(part.amount for part in self.earned())
        return periods * self.sale.invoiced().total + earned


def verify_scheduled(table: Table, reader: Reader, ending: Ending) -> None:
    """It is set to end at Stripe and here, and only what is earned still waits to be billed."""
    who = f"{ending.sale.name}: cancelled at the end of the cycle"
    table.expect(who, "set to end at Stripe", stamp(ending.end), _end_at_stripe(reader, ending))
    table.expect(who, "end shown to the customer", stamp(ending.end), _end_here(reader, ending))
    _verify_waiting(table, who, reader, ending, ending.earned())


def verify_taken_back(table: Table, reader: Reader, ending: Ending) -> None:
    """It renews again, and all that was taken away waits to be billed as before."""
    who = f"{ending.sale.name}: taken back"
    table.expect(who, "set to end at Stripe", "no", _end_at_stripe(reader, ending))
    table.expect(who, "end shown to the customer", "None", _end_here(reader, ending))
    _verify_waiting(table, who, reader, ending, ending.parts())


def verify_access(table: Table, reader: Reader, ending: Ending, *, when: str, on: bool) -> None:
    """Access as it is now, which is just before or just after the end."""
    [item] = reader.access(ending.sale.customer)["items"]
    expected = f"{'on' if on else 'off'} until {stamp(ending.end)}"
    observed = f"{'on' if item['entitled'] else 'off'} until {item['access_until']}"
    table.expect(f"{ending.sale.name}: the end", f"access {when}", expected, observed)


def verify_ended(table: Table, reader: Reader, ending: Ending) -> None:
    """Ended everywhere; every period until the end was billed once, and none after it."""
    sale, who = ending.sale, f"{ending.sale.name}: the end"
    subscription = reader.stripe(f"subscriptions/{sale.subscription}")
    ended = f"{subscription['status']} at {_instant(subscription['ended_at'])}"
    table.expect(who, "subscription at Stripe", f"canceled at {stamp(ending.end)}", ended)
    [shown] = reader.api("/v1/subscriptions", ending.token)["data"]
    state = f"{shown['status']}, {(shown['cancellation'] or {}).get('state')}"
    table.expect(who, "subscription and cancellation here", "ended, executed", state)
    invoices = reader.stripe_list("invoices", customer=sale.customer)
    lines = [line for invoice in invoices for line in invoice["lines"]["data"]]
    later = [line for line in lines if line["period"]["end"] > ending.end.timestamp()]
    table.expect(who, "invoice lines for later time", 0, len(later))
    waiting = [invoice["id"] for invoice in invoices if invoice["status"] in ("draft", "open")]
    pending = reader.stripe_list("invoiceitems", customer=sale.customer, pending="true")
    table.expect(who, "drafts, open invoices, pending items", 0, len(waiting) + len(pending))
    paid = sum(invoice["amount_paid"] for invoice in invoices)
    words = (written(ending.owed(), sale.currency), written(paid, sale.currency))
    table.expect(who, "paid for all until the end", *words)


def verify_unmoved(table: Table, who: str, what: str, before: Json, after: Json) -> None:
    """Something that must change nothing has changed nothing."""
    moved = [name for name in before if before[name] != after.get(name)]
    observed = f"changes {', '.join(moved)}" if moved else "changes nothing"
    table.expect(who, what, "changes nothing", observed)


def _verify_waiting(
    table: Table, who: str, reader: Reader, ending: Ending, parts: Iterable[Charge]
) -> None:
    customer, currency = ending.sale.customer, ending.sale.currency
    pending = reader.stripe_list("invoiceitems", customer=customer, pending="true")
    observed = sorted(
        _text(i["amount"], i["description"], i["period"]["start"], i["period"]["end"], currency)
        for i in pending
    )
    expected = sorted(
        _text(p.amount, p.what, int(p.start.timestamp()), int(p.end.timestamp()), currency)
        for p in parts
    )
    for one, other in zip_longest(expected, observed, fillvalue="nothing"):
        table.expect(who, "waits to be billed", one, other)


def _text(amount: int, what: str, start: int, end: int, currency: str) -> str:
    return f"{what} {_day(start)}-{_day(end)}: {written(amount, currency)}"


def _day(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%m/%d")


def _end_at_stripe(reader: Reader, ending: Ending) -> str:
    at = reader.stripe(f"subscriptions/{ending.sale.subscription}")["cancel_at"]
    return _instant(at) if at else "no"


def _end_here(reader: Reader, ending: Ending) -> str:
    [shown] = reader.api("/v1/subscriptions", ending.token)["data"]
    return ", ".join(str(item["access_until"]) for item in shown["items"])


def _instant(timestamp: int | None) -> str:
    return stamp(datetime.fromtimestamp(timestamp, UTC)) if timestamp else "never"
