"""Every error of the product.

FairexitError
├── RejectedError          this request can never succeed as it stands
│   ├── InvalidRequestError    a field is missing, unknown or malformed
│   ├── UnauthenticatedError   nobody we know is asking
│   ├── ForbiddenError         known, but not allowed
│   ├── NotFoundError          absent, or somebody else's: the same answer
│   ├── ErasedError            it was there, and was erased for good
│   ├── TooManyRequestsError   as many as there may be; later again
│   └── ConflictError          the world has moved on; the problem says how
├── UntrustedError         a signature or timestamp that proves nothing
├── NotReadyError          our own knowledge has not arrived yet: come back later
├── ConflictingWriteError  another writer was faster: load and decide again
├── UnavailableError       the other side did not act and says so: the same request again later
├── OutcomeUnknownError    the other side may have acted: never treated as a failure
├── RefusedError           the other side definitely refused
└── BrokenInvariantError   our bug or a corrupt record: that operation stops
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class FairexitError(Exception):
    """The root of every error raised by this product's own code."""


@dataclass(eq=False)
class RejectedError(FairexitError):
    """A request that can never succeed as it stands.

    Args:
        slug: the stable name of the problem; callers may branch on it.
        detail: one sentence for a person.
        members: further members of the problem document.
    """

    slug: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.slug}: {self.detail}"


class InvalidRequestError(RejectedError):
    """A field is missing, unknown or malformed; `members["errors"]` says which."""


class UnauthenticatedError(RejectedError):
    """The token proves nobody."""


class ForbiddenError(RejectedError):
    """The caller is known, but this is not theirs to do."""


class NotFoundError(RejectedError):
    """Absent or somebody else's; the answer is the same on purpose."""

    def __init__(self, what: str) -> None:
        super().__init__("not-found", f"There is no such {what}.")


class ErasedError(RejectedError):
    """What a person had written was erased, and nobody can bring it back."""

    def __init__(self, detail: str) -> None:
        super().__init__("erased", detail)


class ConflictError(RejectedError):
    """The state does not allow it (any more)."""


class TooManyRequestsError(RejectedError):
    """As many as there may be; later again."""


class UntrustedError(FairexitError):
    """A delivery whose signature, timestamp or form does not hold."""


class NotReadyError(FairexitError):
    """What this depends on has not arrived yet; expected, retried, bounded."""


class ConflictingWriteError(FairexitError):
    """A version moved between load and commit; nothing was written."""


class UnavailableError(FairexitError):
    """The other side did not act (throttled, busy): the same request may go again."""


@dataclass(eq=False)
class OutcomeUnknownError(FairexitError):
    """The other side may have acted.

    Args:
        detail: what was seen.
        sticky: the answer is remembered by the other side for the same key (a stored 5xx),
            so that repeating the key cannot find out more and a look-up must.
    """

    detail: str
    sticky: bool = False

    def __str__(self) -> str:
        return self.detail


@dataclass(eq=False)
class RefusedError(FairexitError):
    """A definite refusal.

    Args:
        code: the other side's code, or its HTTP status when it gave none.
        detail: its message, without personal data.
    """

    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


class BrokenInvariantError(FairexitError):
    """Something that cannot be: our bug or a corrupt record."""
