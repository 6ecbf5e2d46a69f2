"""The bodies of the privacy routes, customers' and staff's."""

from typing import Annotated, Any

import msgspec

from shared.application.privacy.open_request import Ask
from shared.domain.errors import InvalidRequestError
from shared.domain.privacy import Ground, RequestKind
from shared.runtime.staff_forms import Reference

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Address(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """A postal address, as Stripe has it."""

    line1: Line | None = None
    line2: Line | None = None
    city: Line | None = None
    state: Line | None = None
    postal_code: Line | None = None
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None


class Changes(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What is to be corrected."""

    name: Line | None = None
    email: Annotated[str, msgspec.Meta(pattern="^[^@\\s]+@[^@\\s]+$", max_length=254)] | None = None
    phone: Line | None = None
    address: Address | None = None


class AskForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a person asks."""

    kind: RequestKind
    changes: Changes | None = None
    on: bool | None = None

    def ask(self, ground: Ground = Ground.REQUEST) -> Ask:
        """The use case's form of it.

        Raises:
            InvalidRequestError: a member that does not belong to this kind, or one that is missing.
        """
        changes: dict[str, Any] = msgspec.to_builtins(self.changes) if self.changes else {}
        corrects = self.kind is RequestKind.RECTIFICATION
        switches = self.kind in (RequestKind.RESTRICTION, RequestKind.OBJECTION)
        if corrects != bool(changes):
            raise _fault("$.changes", "a rectification names what to change, nothing else does")
        if self.on is not None and not switches:
            raise _fault("$.on", "only a restriction or an objection can be on or off")
        if ground is Ground.MINOR and self.kind is not RequestKind.ERASURE:
            raise _fault("$.ground", "only an erasure has a ground")
        return Ask(self.kind, changes, on=self.on is not False, ground=ground)


class StaffAskForm(AskForm, frozen=True, kw_only=True):
    """What staff ask for a person, and where the reason and the proof of identity stand."""

    reason: Reference
    ground: Ground = Ground.REQUEST


class CodeForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The mailed code."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class BreachForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a customer has noticed."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]


class HoldForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which matter a legal hold belongs to."""

    reference: Reference


class StepForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was done elsewhere."""

    step: Annotated[str, msgspec.Meta(max_length=40)]


def _fault(path: str, message: str) -> InvalidRequestError:
    errors = {"errors": [{"path": path, "message": message}]}
    return InvalidRequestError("invalid-request", "The body is not what this route takes.", errors)
