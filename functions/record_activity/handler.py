"""Take in what a customer did with the service.

Trigger: POST /v1/activity, with an access token of one of the company's services.
Idempotency: the first answer to an Idempotency-Key is replayed, so a batch is kept once.
Answers: 201; 404 for a customer that is not known.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from shared.application.record_activity import record_activity
from shared.domain.evidence import ActivityEvent
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, answered, api
from shared.runtime.settings import ServiceApi, Table, Vault

ROUTE = "POST /v1/activity"
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Event(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One use of the service: when and what, from where, on which item."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    what: Word
    ip: Word | None = None
    device: Word | None = None
    item: Word | None = None


class ActivityForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body: whose, and up to a hundred events."""

    customer: Annotated[str, msgspec.Meta(pattern="^cus_[A-Za-z0-9_]+$", max_length=255)]
    events: Annotated[tuple[Event, ...], msgspec.Meta(min_length=1, max_length=100)]


def record(request: Request) -> Response:
    """A batch, kept."""
    services = services_for(Table, ServiceApi, Vault)
    by = f"service:{request.service(services)}"
    call = request.client_call(f"{ROUTE} {by}")
    body = request.json(ActivityForm)
    events = [ActivityEvent(e.at, e.what, e.ip, e.device, e.item) for e in body.events]
    return answered(record_activity(services, body.customer, events, by, call))


lambda_handler = api({ROUTE: record})
