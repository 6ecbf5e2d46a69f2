"""Receivables: what a customer owes, asked for by an invoice that charges nobody by itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReceivableState(StrEnum):
    """The life of a receivable that was asked for."""

    REQUESTED = "requested"
    ISSUED = "issued"
    PAID = "paid"
    VOID = "void"
    REJECTED = "rejected"


OPEN = frozenset({ReceivableState.REQUESTED, ReceivableState.ISSUED})


@dataclass(frozen=True, slots=True)
class Receivable:
    """`amount` minor units of `currency` that were owed when somebody asked for them."""

    id: str
    customer: str
    currency: str
    amount: int
    state: ReceivableState
    asked_by: str
    asked_at: datetime
    invoice: str | None = None
    page: str | None = None
    paid_at: datetime | None = None
