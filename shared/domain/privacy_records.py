"""Small records of privacy: sign-ins to find again, who has looked, notices, reports."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# A change of terms may take effect this long after the last notice went out.
NOTICE_TIME = timedelta(days=7)
# Mails that go out when all are written move the week's beginning; not each of them on its own.
_AT_ONCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in in its customer's partition, so that export and erasure find it."""

    customer: str
    issuer: str
    subject: str
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """A member of staff has looked at a customer; kept with the customer and with the person.

    `customer` is the partition: the customer's id, or the person's actor name. A look at an id that
    is no customer's is not `found`, and kept with the person alone.
    """

    customer: str
    id: str
    at: datetime
    actor: str
    looked_at: str
    what: str
    reason: str
    found: bool = True


@dataclass(frozen=True, slots=True)
class Announcement:
    """A version of terms and its notices: `subject` is a pack's id or ``privacy-terms``.

    The version is the record's `edition`, since every item has a version of its own.

    `after` is where the list of those to be told goes on; a run that breaks off is taken up there.
    """

    customer: str
    id: str
    subject: str
    edition: str
    wanted_from: datetime
    summary: str
    begun_at: datetime
    begun_by: str
    after: str | None = None
    told: int = 0
    finished_at: datetime | None = None

    @property
    def effective_at(self) -> datetime | None:
        """From when the version holds; None while its notices are going out."""
        if self.finished_at is None:
            return None
        return max(self.wanted_from, self.finished_at + NOTICE_TIME)

    def progressed(self, told: int, after: str | None, now: datetime) -> "Announcement":
        """The announcement after another page of those to be told."""
        return replace(self, told=self.told + told, after=after, finished_at=None if after else now)

    def is_behind(self, now: datetime) -> bool:
        """Whether a notice that goes out now makes the week begin later; never once it is over."""
        finished, effective = self.finished_at, self.effective_at
        return finished is not None and effective is not None and finished < now < effective

    def went_on(self, now: datetime) -> "Announcement":
        """The announcement after a notice that went out when all had been written."""
        return replace(self, finished_at=now + _AT_ONCE)


@dataclass(frozen=True, slots=True)
class Notice:
    """A customer is told of a version of terms; `sent_at` is when the mail went out."""

    customer: str
    id: str
    subject: str
    edition: str
    written_at: datetime
    sent_at: datetime | None = None


class BreachState(StrEnum):
    """The life of a report of a breach."""

    REPORTED = "reported"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class BreachReport:
    """A customer suspects that their data is in the wrong hands; `text` is sealed."""

    customer: str
    id: str
    reported_at: datetime
    state: BreachState
    text: bytes
    closed_at: datetime | None = None
    closed_by: str | None = None


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What one run of the purge has found and deleted, by kind of record."""

    customer: str
    id: str
    at: datetime
    looked_at: int
    past_term: int
    deleted: int
    held: int
    refused: bool
    dry_run: bool
    kinds: tuple[tuple[str, int], ...] = ()

    @property
    def outcome(self) -> str:
        """What came of the run, as a word for the metrics."""
        if self.refused:
            return "refused"
        if self.dry_run or not self.past_term:
            return "nothing"
        return "purged" if self.deleted == self.past_term - self.held else "capped"
