"""The bodies that staff send."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from shared.domain.facts import Attribution, Finding, Ground, LineKind, SettleAs
from shared.domain.upload import MAX_BYTES, ContentType

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Customer = Annotated[str, msgspec.Meta(pattern="^cus_[A-Za-z0-9_]+$", max_length=255)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Kind = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{1,39}$")]


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """What all bodies have in common."""


class OnBehalfRequest(Body, frozen=True):
    """A request that came another way, recorded with its channel."""

    customer: Customer
    invoice: Id
    ground: Ground
    channel: Literal["phone", "email", "chat"]
    statement: Text
    service_date: Instant | None = None
    amount_asked: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    settle_as: SettleAs | None = None


class ServiceShare(Body, frozen=True):
    """A part of what a line sells, with its share of the price."""

    name: Name
    weight: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 1


class LineFindings(Body, frozen=True):
    """What was found out about a line."""

    kind: LineKind | None = None
    expected_amount: Amount | None = None
    used_amount: Amount | None = None
    rendered_at: Instant | None = None
    services: Annotated[list[ServiceShare], msgspec.Meta(max_length=50)] | None = None


class Incident(Body, frozen=True, rename={"from_": "from"}):
    """A disturbance that hit this customer."""

    from_: Instant
    to: Instant | None = None
    reported_at: Instant | None = None
    resolved_at: Instant | None = None
    attribution: Attribution | None = None
    beyond_sla: bool | None = None
    services: Annotated[list[Name], msgspec.Meta(max_length=50)] = []


class Deduction(Body, frozen=True):
    """An amount that comes off, and for what."""

    what: Name
    amount: Amount


class WithdrawalFacts(Body, frozen=True):
    """What matters to a statutory withdrawal."""

    informed: bool | None = None
    started_on_request: bool | None = None
    loss_waiver: bool | None = None


class CustomerFacts(Body, frozen=True):
    """What is known of the customer beside what Stripe knows."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    consumer: bool | None = None


class FindingsRequest(Body, frozen=True):
    """What staff have found out; a member that is left out stays as it was."""

    reason: Text
    ground: Ground | None = None
    goodwill: bool | None = None
    verified: bool | None = None
    findings: list[Finding] | None = None
    evidence: Annotated[list[Kind], msgspec.Meta(max_length=20)] | None = None
    lines: Annotated[dict[str, LineFindings], msgspec.Meta(max_length=200)] | None = None
    incidents: Annotated[list[Incident], msgspec.Meta(max_length=200)] | None = None
    resolved_issues: Annotated[list[Instant], msgspec.Meta(max_length=200)] | None = None
    per_issue_charge: Amount | None = None
    deductions: Annotated[list[Deduction], msgspec.Meta(max_length=50)] | None = None
    withdrawal: WithdrawalFacts | None = None
    customer: CustomerFacts | None = None
    service_date: Instant | None = None
    settle_as: SettleAs | None = None

    def found(self) -> dict[str, Any]:
        """The members that were sent, as a case document has them."""
        members: dict[str, Any] = msgspec.to_builtins(self)
        return {n: v for n, v in members.items() if n not in ("reason", "ground", "goodwill")}

    def __post_init__(self) -> None:
        """An exception is made by its own member."""
        if self.ground is Ground.GOODWILL:
            raise ValueError("an exception is recorded as `goodwill`")


class QuestionRequest(Body, frozen=True):
    """What the customer is asked for."""

    message: Text
    kinds: Annotated[list[Kind], msgspec.Meta(max_length=20)] = []


class CallbackNote(Body, frozen=True):
    """What was said in the call back."""

    message: Text


class StaffUpload(Body, frozen=True):
    """A file that the customer sent another way."""

    kind: Kind
    content_type: ContentType
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_BYTES)]
