"""What reports of incidents and decisions on their credits carry."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from shared.domain.errors import InvalidRequestError
from shared.domain.facts import Attribution, SettleAs
from shared.domain.incident import Outage
from shared.runtime.http import fault_in

Reference = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
Product = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,100}$")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Digest = Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]


class Body(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What all bodies have in common."""


class IncidentReport(Body, frozen=True):
    """All that is known of an incident; what is left out is not known (yet)."""

    reference: Reference
    services: Annotated[list[Product], msgspec.Meta(min_length=1, max_length=50)]
    started_at: Instant
    source: Words
    ended_at: Instant | None = None
    reported_at: Instant | None = None
    attribution: Attribution | None = None
    beyond_sla: bool | None = None

    def outage(self) -> Outage:
        """What it says, in UTC."""
        return Outage(
            services=tuple(self.services),
            started_at=self.started_at.astimezone(UTC),
            ended_at=self.ended_at and self.ended_at.astimezone(UTC),
            reported_at=self.reported_at and self.reported_at.astimezone(UTC),
            attribution=self.attribution,
            beyond_sla=self.beyond_sla,
        )


def report_in(detail: Any) -> IncidentReport:
    """The report in an event of the bus.

    Raises:
        InvalidRequestError: it is none, where and why.
    """
    try:
        return msgspec.convert(detail, IncidentReport)
    except msgspec.ValidationError as error:
        fault = fault_in(error)
        raise InvalidRequestError(
            "invalid-request",
            f"No report of an incident: {fault['path']}: {fault['message']}.",
            {"errors": [fault]},
        ) from error


class BatchRequest(Body, frozen=True):
    """How the credits are to be given, where the policy leaves it open."""

    settle_as: SettleAs | None = None


class BatchApproval(Body, frozen=True):
    """A consent to exactly the proposals with this digest."""

    digest: Digest
    reason: Words
