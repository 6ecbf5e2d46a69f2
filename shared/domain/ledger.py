"""The ledger: immutable entries, one movement each, from one book to another."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Book(StrEnum):
    """Where an amount stands, seen from the company."""

    PAID = "paid"  # received from the customer
    REFUNDED = "refunded"  # sent back
    CREDITED = "credited"  # given to the customer's balance at Stripe
    TRANSFERRED = "transferred"  # sent back outside Stripe
    BANK = "bank"  # taken by the customer's bank or the card network
    PROVIDER = "provider"  # charged by Stripe beside that, for countering a dispute
    OUTLAY = "outlay"  # paid by the company to others for contesting a dispute
    IN_DISPUTE = "in_dispute"  # argued over: shown to the customer, not owed
    OWED = "owed"  # owed by the customer
    ABSORBED = "absorbed"  # borne by the company


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """`amount` (minor units of `currency`) moved from `source` to `target` because of `cause`.

    `evidence` names the objects that show it: at Stripe, or a receipt. `rate` is the exchange rate
    at which Stripe converted what the customer paid in another currency, as Stripe writes it.
    """

    id: str
    customer: str
    at: datetime
    what: str
    source: Book
    target: Book
    amount: int
    currency: str
    cause: str
    evidence: tuple[str, ...] = ()
    rate: str | None = None
