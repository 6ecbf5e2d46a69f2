"""Who is served with what: an item of a subscription under its product, with its terms over time.

Found by product through the index of queues, so that an outage reads those whom it hit and nobody
else; and asked for the terms that held at an instant, which the billing side no longer knows.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# As long as a payment can be disputed or an invoice argued about; a year and a half and some.
_KEPT = timedelta(days=600)
_TERMS = 24


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """What was agreed on for an item from an instant on."""

    since: datetime
    price: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ServedItem:
    """An item that serves a customer with a product, from `due_at` until `until` (None: still)."""

    id: str
    customer: str
    item: str
    subscription: str
    product: str
    due_at: datetime
    terms: tuple[ItemTerms, ...]
    until: datetime | None = None

    @property
    def queue(self) -> str:
        """Where it is listed: under its product, by when it began."""
        return served_with(self.product)

    @property
    def forget_at(self) -> datetime | None:
        """When nobody asks any more who was served then."""
        return None if self.until is None else self.until + _KEPT

    def at(self, instant: datetime) -> ItemTerms | None:
        """The terms in force at an instant; None before the first that are known."""
        known = [terms for terms in self.terms if terms.since <= instant]
        return known[-1] if known else None

    def with_terms(self, price: str, quantity: int, since: datetime) -> "ServedItem":
        """With other terms from an instant on; the same item when they are the same."""
        last = self.terms[-1]
        if (last.price, last.quantity) == (price, quantity):
            return self
        terms = ItemTerms(max(since, last.since), price, quantity)
        return replace(self, terms=(*self.terms, terms)[-_TERMS:])

    def was_served(self, since: datetime, until: datetime | None) -> bool:
        """Whether it was served at any time in a half-open span (None: it goes on)."""
        begun = until is None or self.due_at < until
        return begun and (self.until is None or self.until > since)


def served_with(product: str) -> str:
    """The queue of all items that serve with a product."""
    return f"served:{product}"
