"""Texts of a case: what the customer says, what staff ask and why they decide, kept sealed.

Audit entries and mails name a note by its id, so that the text itself is in one place only and
goes when the customer's key goes.
"""

from shared.application.change import Change
from shared.domain.errors import BrokenInvariantError
from shared.domain.records import CaseNote
from shared.domain.refund_case import RefundCase
from shared.ports import Services

_KIND = "case_note"


def write_note(change: Change, case: RefundCase, kind: str, by: str, text: str) -> str:
    """Put a text into `change`; the id of its note."""
    note = change.services.ids.new()
    sealed = change.services.vault.seal(
        text.encode(), customer=case.customer, kind=_KIND, record=note
    )
    change.put(CaseNote(note, case.customer, case.id, kind, by, change.now, sealed))
    return note


def read_note(services: Services, customer: str, note: str) -> str:
    """The text of a note.

    Raises:
        ErasedError: the customer's content is erased.
    """
    stored = services.store.get(CaseNote, customer, note)
    if stored is None:
        raise BrokenInvariantError(f"note {note} is lost")
    return open_note(services, stored.record)


def open_note(services: Services, note: CaseNote) -> str:
    """The text of a note that was read already."""
    opened = services.vault.open(note.sealed, customer=note.customer, kind=_KIND, record=note.id)
    return opened.decode()
