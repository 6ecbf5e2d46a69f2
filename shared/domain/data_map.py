"""The data map: what each stored field is, why it is kept, for how long, and who receives it.

Erasure, export, retention and docs/data-map.md all follow this one map; `data_map_records.py` has
the records. A field that the map does not know fails a test before it can be stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar, get_type_hints

R = TypeVar("R")


class FieldKind(StrEnum):
    """What a field tells."""

    IDENTITY = "identity"  # who somebody is: a sign-in, a name, a document
    CONTACT = "contact"  # how to reach somebody
    FINANCIAL = "financial"  # amounts, decisions and what they rest on
    CONTENT = "content"  # what somebody wrote or sent
    TECHNICAL = "technical"  # ids, states and instants that machines need


# What erasure takes; the rest stays, without the person, to the end of its term.
ERASED_KINDS = frozenset({FieldKind.IDENTITY, FieldKind.CONTACT, FieldKind.CONTENT})


class Purpose(StrEnum):
    """Why something is kept."""

    CONTRACT = "contract"
    BOOKS = "books"
    CLAIMS = "claims"
    PRIVACY = "privacy"
    SECURITY = "security"
    OPERATION = "operation"


LEGAL_BASIS: Mapping[Purpose, str] = {
    Purpose.CONTRACT: "performance of the contract, GDPR Art. 6(1)(b)",
    Purpose.BOOKS: "commercial and tax law, GDPR Art. 6(1)(c) and 17(3)(b)",
    Purpose.CLAIMS: "legal claims, GDPR Art. 6(1)(f) and 17(3)(e)",
    Purpose.PRIVACY: "accountability, GDPR Art. 5(2) and 6(1)(c)",
    Purpose.SECURITY: "security of processing, GDPR Art. 6(1)(f) and 32",
    Purpose.OPERATION: "legitimate interest in a working service, GDPR Art. 6(1)(f)",
}


@dataclass(frozen=True, slots=True)
class Term:
    """How long something is kept after the instant in a record's field; None: while it is needed.

    A record without that instant (a request that is not answered, an effect that is not done) is
    not past its term.
    """

    name: str
    keep: timedelta | None
    why: str


_YEAR = timedelta(days=365, hours=6)
BOOKKEEPING = Term("books", 10 * _YEAR, "the longest common term for books of account")
CLAIM = Term("claims", 4 * _YEAR, "claims lapse after three years from the end of a year")
CONTENT_TERM = Term("content", _YEAR, "a case that is answered may be reopened within a year")
LOGS = Term("logs", _YEAR, "access to personal data must be explainable for a year")
TRACES = Term("traces", timedelta(days=90), "support must see what went out")
OFFERS = Term("offers", timedelta(days=30), "support must see what a customer was shown")
MARKS = Term("marks", timedelta(days=60), "no path can repeat a request after that")
STANDING = Term("standing", None, "as long as the customer has an account")


@dataclass(frozen=True, slots=True)
class Processor:
    """A company that receives fields on the company's behalf."""

    name: str
    receives: str
    region: str
    safeguard: str


PROCESSORS: tuple[Processor, ...] = (
    Processor(
        "Amazon Web Services",
        "every stored field; mails on their way out, with their address",
        "the region of the stack",
        "data processing addendum; standard contractual clauses where the region is abroad",
    ),
    Processor(
        "Stripe",
        "ids, amounts and dates of refunds, credit notes and subscriptions; corrections of name, "
        "mail address, phone and address; dispute evidence that is submitted",
        "United States and Ireland",
        "data processing agreement; EU-US Data Privacy Framework and standard contractual clauses",
    ),
)


@dataclass(frozen=True, slots=True)
class RecordMap:
    """One kind of record: its purpose, its term, and what its fields are.

    Args:
        what: the record in a few words, for people.
        counts_from: the member with the instant from which the term counts; None with a term that
            has no end, or that the table itself ends (`forget_at`).
        sooner: a shorter term, and the member from which that one counts.
        sealed: which fields hold bytes of the vault, with the kind they were sealed under.
        theirs: whether an export gives it to the person.
    """

    what: str
    purpose: Purpose
    term: Term
    kinds: Mapping[FieldKind, str]
    counts_from: str | None = None
    sooner: tuple[Term, str] | None = None
    sealed: Mapping[str, str] = field(default_factory=dict)
    to_stripe: str = ""
    theirs: bool = True

    def kind_of(self, name: str) -> FieldKind | None:
        """What a field is; None for one that the map does not know."""
        return next((kind for kind, names in self.kinds.items() if name in names.split()), None)

    @property
    def names(self) -> list[str]:
        """Every field that the map knows."""
        return [name for names in self.kinds.values() for name in names.split()]

    def erased(self) -> list[str]:
        """The fields that erasure empties."""
        return [name for name in self.names if self.kind_of(name) in ERASED_KINDS]


def faults(mapped: Mapping[type, RecordMap], stored: Iterable[type]) -> list[str]:
    """Where the map and the records differ, in words that say what to do."""
    found = []
    for kind in stored:
        if kind not in mapped:
            found.append(f"{kind.__name__}: give it an entry in data_map_records.py")
            continue
        entry, real = mapped[kind], {one.name for one in fields(kind)}
        found += [f"{kind.__name__}.{name}: say which kind it is" for name in real - {*entry.names}]
        found += [f"{kind.__name__}.{name}: is no field" for name in {*entry.names} - real]
        twice = {name for name in entry.names if entry.names.count(name) > 1}
        found += [f"{kind.__name__}.{name}: has two kinds" for name in twice]
        members = [entry.counts_from, entry.sooner and entry.sooner[1]]
        found += [
            f"{kind.__name__}.{name}: nothing to count from"
            for name in members
            if name is not None and not hasattr(kind, name) and name not in real
        ]
        if entry.term.keep and not (entry.counts_from or hasattr(kind, "forget_at")):
            found.append(f"{kind.__name__}: a term that counts from nothing")
    return sorted(found)


def without_person(record: R, entry: RecordMap) -> R:
    """The record with every field emptied that tells who somebody is, or what they wrote."""
    hints = get_type_hints(type(record))
    emptied = {name: _empty(hints[name]) for name in entry.erased()}
    return replace(record, **emptied) if emptied else record  # type: ignore[type-var]


def _empty(hint: Any) -> Any:
    """Nothing, as a field of this type says it."""
    if type(None) in getattr(hint, "__args__", ()):
        return None
    plain = getattr(hint, "__origin__", hint)
    return {str: "", bytes: b"", tuple: ()}.get(plain, {})


def is_past_term(record: object, entry: RecordMap, now: datetime) -> bool:
    """Whether one of a record's terms is over at `now`."""
    terms = [(entry.term, entry.counts_from), *([entry.sooner] if entry.sooner else [])]
    for term, member in terms:
        since: datetime | None = getattr(record, member) if member else None
        if since is not None and term.keep is not None and since + term.keep <= now:
            return True
    return False
