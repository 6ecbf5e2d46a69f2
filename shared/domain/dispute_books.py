"""What a dispute does to the books: each part of its money stands where its state says.

Every movement goes through one hub, the book *in dispute*: what the bank takes goes into it, what
comes back leaves it, and what a decision makes of the rest (owed, or borne by the company) is
moved out of it and back. So the end depends on the last state alone, whatever was seen before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.ledger import Book


@dataclass(frozen=True, slots=True)
class Cost:
    """What the company paid others for contesting a dispute, entered with its receipt."""

    id: str
    amount: int
    currency: str
    what: str
    receipt: str
    entered_by: str
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a dispute's money as it is now, minor units of `currency`.

    `taken` left the company into `source`'s hands, `returned` came back. `claimed`: the policy
    has the customer owe it once the dispute is lost. `settles`: a win gives it back, so that what
    has not come back yet is still to come.
    """

    what: str
    source: Book
    currency: str
    taken: int
    returned: int
    claimed: bool
    settles: bool = False
    rate: str | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked of one part; the rest of what was taken is in dispute."""

    what: str
    source: Book
    currency: str
    taken: int = 0
    returned: int = 0
    owed: int = 0
    absorbed: int = 0

    @property
    def in_dispute(self) -> int:
        """What is neither back nor settled."""
        return self.taken - self.returned - self.owed - self.absorbed


@dataclass(frozen=True, slots=True)
class Movement:
    """`amount` goes from the first book to the second."""

    what: str
    books: tuple[Book, Book]
    amount: int


def place(part: Part, *, lost: bool, argued: bool) -> Booked:
    """Where a part stands while it is argued over, when it is lost, or otherwise."""
    rest = part.taken - part.returned
    owed = absorbed = 0
    if lost:
        owed = max(rest, 0) if part.claimed else 0
        absorbed = rest - owed
    elif not argued and not (part.settles and part.returned == 0):
        # What a win leaves behind, a fee or a difference of exchange rates, is the company's.
        absorbed = rest
    return Booked(part.what, part.source, part.currency, part.taken, part.returned, owed, absorbed)


def movements(before: Booked | None, after: Booked) -> Iterator[Movement]:
    """The way from what was booked to what is true now, each step in its own direction."""
    before = before or replace(after, taken=0, returned=0, owed=0, absorbed=0)
    hub, source = Book.IN_DISPUTE, after.source
    steps = (
        # A decision that was taken back goes first, so that nothing is taken from an empty book.
        ("decided_again", hub, Book.OWED, min(0, after.owed - before.owed)),
        ("decided_again", hub, Book.ABSORBED, min(0, after.absorbed - before.absorbed)),
        ("taken", source, hub, after.taken - before.taken),
        ("returned", hub, source, after.returned - before.returned),
        ("owed", hub, Book.OWED, max(0, after.owed - before.owed)),
        ("absorbed", hub, Book.ABSORBED, max(0, after.absorbed - before.absorbed)),
    )
    for what, begin, end, amount in steps:
        if amount > 0:
            yield Movement(f"dispute_{after.what}_{what}", (begin, end), amount)
        elif amount < 0:
            yield Movement(f"dispute_{after.what}_{what}", (end, begin), -amount)
