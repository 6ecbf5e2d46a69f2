"""Incidents: disturbances as the company records them, with every correction kept.

An incident is a fact, not a promise: what it gives is decided by the policy, line by line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.domain.facts import Attribution
from shared.domain.periods import Period, instant_text

# The partition of all incidents and of the credits that follow from them.
INCIDENTS = "incidents"


@dataclass(frozen=True, slots=True)
class Outage:
    """What an incident was: `services` are product ids; None where something is not known yet."""

    services: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None = None
    reported_at: datetime | None = None
    attribution: Attribution | None = None
    beyond_sla: bool | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """An outage as it was recorded once: by whom, when, from which source."""

    outage: Outage
    at: datetime
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class Incident:
    """A recorded incident; the last revision holds, the earlier ones stay.

    `id` is the reference under which the company knows it. `withdrawn` is one that never was.
    """

    id: str
    customer: str
    revisions: tuple[Revision, ...]
    withdrawn: bool = False

    @property
    def revision(self) -> int:
        """The number of the revision that holds, from 1 on."""
        return len(self.revisions)

    @property
    def outage(self) -> Outage:
        """What holds."""
        return self.revisions[-1].outage

    def corrected(self, revision: Revision, *, withdrawn: bool = False) -> "Incident":
        """With one more revision; the same incident when it says nothing new."""
        if (revision.outage, withdrawn) == (self.outage, self.withdrawn):
            return self
        return replace(self, revisions=(*self.revisions, revision), withdrawn=withdrawn)

    def hits(self, product: str, period: Period) -> bool:
        """Whether it disturbed a product within a half-open period."""
        outage = self.outage
        if self.withdrawn or product not in outage.services:
            return False
        ended = outage.ended_at
        return outage.started_at < period.end and (ended is None or ended > period.start)


def incident_facts(incidents: Iterable[Incident]) -> list[Mapping[str, Any]]:
    """The incidents as a case document has them, the earliest first."""
    ordered = sorted(incidents, key=lambda one: (one.outage.started_at, one.id))
    return [_fact(incident.outage) for incident in ordered]


def _fact(outage: Outage) -> Mapping[str, Any]:
    ended = outage.ended_at and instant_text(outage.ended_at)
    return {
        "from": instant_text(outage.started_at),
        "to": ended,
        "reported_at": instant_text(outage.reported_at or outage.started_at),
        "resolved_at": ended,
        "attribution": outage.attribution and outage.attribution.value,
        "beyond_sla": outage.beyond_sla,
        "services": sorted(outage.services),
    }
