"""Take in what customers did with the service, as the company's systems report it."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.gather_evidence import ACTIVITY
from shared.domain.errors import NotFoundError
from shared.domain.evidence import Activity, ActivityEvent
from shared.ports import Services


def record_activity(
    services: Services,
    customer: str,
    events: Sequence[ActivityEvent],
    by: str,
    call: ClientCall,
) -> Answer:
    """Keep a batch of events, sealed; the same batch again is kept once.

    Raises:
        NotFoundError: nothing is known of this customer.
    """
    first = replay(services, customer, call)
    if first is not None:
        return first

    def decide(change: Change) -> Answer:
        if not change.knows_customer or not customer.startswith("cus_"):
            raise NotFoundError("customer")
        batch = services.ids.new()
        plain = [asdict(one) | {"at": one.at.isoformat()} for one in events]
        sealed = services.vault.seal(
            json.dumps(plain).encode(), customer=customer, kind=ACTIVITY, record=batch
        )
        times = sorted(one.at for one in events)
        change.put(Activity(batch, customer, times[0], times[-1], len(events), sealed))
        answer = Answer(201, {"id": batch, "count": len(events)})
        remember(change, call, answer)
        return answer

    return transact(services, customer, by, decide)
