"""The ports to what is personal: content, names and addresses, files, sign-ins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A customer whose data key was destroyed, and when: a line of the ledger of erasures."""

    customer: str
    at: datetime


class Vault(Protocol):
    """Seals content (free text, evidence, inbound mail) under the customer's own data key.

    Content is stored nowhere else than sealed; where the sealed bytes are kept is the caller's
    business (a record's field of type `bytes`, an object in a bucket). A seal is bound to its
    place, so that bytes which are moved to another customer or record do not open. Once the key is
    destroyed no copy of them opens, in no backup either.

        sealed = services.vault.seal(
            text.encode(), customer=case.customer, kind="case_text", record=case.id
        )
        text = services.vault.open(
            sealed, customer=case.customer, kind="case_text", record=case.id
        ).decode()
    """

    def seal(self, content: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """The content sealed for this place, 29 bytes longer; each seal of the same differs.

        Raises:
            ErasedError: the customer is erased; nothing of theirs is taken in any more.
        """
        ...

    def open(self, sealed: bytes, *, customer: str, kind: str, record: str) -> bytes:
        """What was sealed for this place.

        Raises:
            ErasedError: the customer's data key is destroyed.
            BrokenInvariantError: the bytes are damaged, or were sealed for another place.
        """
        ...

    def destroy(self, customer: str, *, at: datetime) -> None:
        """Destroy the customer's data key for good; again does nothing.

        A worker that has used the key keeps it in memory for five minutes at the most.
        """
        ...

    def destroyed(self) -> Iterator[Destroyed]:
        """Everybody whose data key was destroyed: what a table from a backup must forget again."""
        ...


class People(Protocol):
    """Who a customer is: names and addresses stay at Stripe and are read when they are needed."""

    def details(self, customer: str) -> Mapping[str, Any]:
        """Name, email, phone, address, preferred_locales; empty for one who is deleted."""
        ...

    def correct(self, customer: str, changes: Mapping[str, Any], *, key: str) -> None:
        """Put name, email, phone or address right."""
        ...


class Files(Protocol):
    """Customers' files: content that is too large for the table, and archives for export."""

    def put(self, name: str, content: bytes, *, customer: str, media_type: str) -> None:
        """Keep an archive under this name for a week."""
        ...

    def link(self, name: str, *, customer: str, seconds: int) -> str:
        """An address from which whoever has it may load the archive, for so many seconds."""
        ...

    def sealed(self, customer: str) -> Iterator[tuple[str, str, bytes]]:
        """A customer's files as they are kept: the kind and record they were sealed for, and bytes.

        They stand as ``<customer>/<kind>/<record>`` in the content bucket.
        """
        ...

    def delete(self, name: str, *, customer: str) -> int:
        """Delete every version of one file; how many there were."""
        ...

    def delete_all(self, customer: str) -> int:
        """Delete every version of every file of a customer, on its way in too; how many."""
        ...


class Inbox(Protocol):
    """The mails that came in, as they came, until each is dealt with."""

    def read(self, message: str, *, most: int) -> bytes | None:
        """A message, or `most` + 1 bytes of a larger one; None when it is not (any more) there."""
        ...

    def delete(self, message: str) -> None: ...  # noqa: D102


class SignIns(Protocol):
    """The company's own user pool; sign-ins of other issuers are not ours to change."""

    def owns(self, issuer: str) -> bool: ...  # noqa: D102
    def delete(self, subject: str) -> None:
        """Delete a sign-in; one that is gone already is fine."""
        ...

    def change_email(self, subject: str, email: str) -> None:
        """Let a sign-in go by another address, which counts as unverified."""
        ...


@dataclass(frozen=True, slots=True)
class UploadForm:
    """Where a browser posts a file to, and the fields that must go before it."""

    url: str
    fields: Mapping[str, str]


class Uploads(Protocol):
    """What customers send: on its way in, and kept, sealed."""

    def form(self, path: str, *, content_type: str, size: int, lifetime_seconds: int) -> UploadForm:
        """A form that takes one file of that type, and of `size` bytes at most."""
        ...

    def incoming(self, path: str, *, most: int) -> bytes | None:
        """What was uploaded, None if nothing was; of what is larger, `most` + 1 bytes."""
        ...

    def remove(self, path: str) -> None:
        """Take an upload away, whether it was kept or refused."""
        ...

    def keep(self, path: str, sealed: bytes) -> None:
        """Keep sealed content."""
        ...

    def kept(self, path: str, *, most: int) -> bytes | None:
        """Sealed content, None where there is none."""
        ...


class Scanner(Protocol):
    """Looks into uploads for what must not be kept; the place to connect a virus scanner."""

    def refuse(self, content: bytes, content_type: str) -> str | None:
        """Why the content is not taken, None when nothing speaks against it."""
        ...
