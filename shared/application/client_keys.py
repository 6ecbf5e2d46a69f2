"""The first answer to an Idempotency-Key, kept in the transaction of what it answers."""

import json
from dataclasses import dataclass
from typing import Any

from shared.application.change import Change
from shared.domain.errors import ConflictError
from shared.domain.records import ClientKey
from shared.ports import Services


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A caller's key on a route, with a digest of what it came with: the body, the path's ids."""

    route: str
    key: str
    body_digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body, and whether they are a replay of the first answer."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


def replay(services: Services, customer: str, call: ClientCall) -> Answer | None:
    """The first answer given to this key, or None.

    Raises:
        ConflictError: the key came with another body, or for another object, before.
    """
    stored = services.store.get(ClientKey, customer, call.route, call.key)
    if stored is None:
        return None
    first = stored.record
    # The table forgets late; a key past its lifetime is free whatever is still stored.
    if first.forget_at <= services.clock.now():
        return None
    if first.body_digest != call.body_digest:
        raise ConflictError(
            "idempotency-mismatch",
            "This Idempotency-Key was used before for something else.",
        )
    return Answer(first.status, json.loads(first.response), replayed=True)


def remember(change: Change, call: ClientCall, answer: Answer) -> None:
    """Keep `answer` as the one that this key gets from now on."""
    change.load(ClientKey, call.route, call.key)
    change.put(
        ClientKey(
            customer=change.customer,
            route=call.route,
            key=call.key,
            body_digest=call.body_digest,
            status=answer.status,
            response=json.dumps(answer.body),
            created_at=change.now,
        ),
        call.route,
        call.key,
    )
