"""Open a privacy request: one's own, confirmed by a fresh sign-in or a code, or by staff."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.application.change import Change, transact
from shared.application.client_keys import Answer, ClientCall, remember, replay
from shared.application.privacy.begin_request import begin
from shared.application.privacy.log_access import log_access
from shared.application.privacy.show_request import request_document, staff_document
from shared.application.privacy.words import KIND_GERMAN
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.privacy import (
    ANSWER_WITHIN,
    CODE_TRIES,
    CONFIRM_WITHIN,
    ENDED,
    Ground,
    PrivacyRequest,
    RequestKind,
    RequestState,
)
from shared.ports import Services

SEALED_AS = "privacy_request"
_CODE = 8  # 40 random bits, five tries, one hour


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: a correction's `changes`, or whether a restriction or objection is `on`."""

    kind: RequestKind
    changes: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True
    ground: Ground = Ground.REQUEST


def open_request(
    services: Services, *, customer: str, ask: Ask, call: ClientCall, is_fresh: bool
) -> Answer:
    """A customer's own request; unless their sign-in `is_fresh`, a code is mailed that confirms it.

    Raises:
        ConflictError: one of that kind is open.
    """
    if (first := replay(services, customer, call)) is not None:
        return first
    actor = f"customer:{customer}"

    def decide(change: Change) -> Answer:
        request = _opened(change, ask, actor)
        request = begin(change, request) if is_fresh else mail_code(change, request)
        change.put(request)
        change.audit("privacy_requested", request.kind.value, request=request.id)
        answer = Answer(202, request_document(services, request, change.now))
        remember(change, call, answer)
        return answer

    return transact(services, customer, actor, decide)


def open_for(
    services: Services, *, customer: str, ask: Ask, actor: str, reason: str
) -> dict[str, Any]:
    """A member of staff asks on behalf of a person whom they have verified; `reason` says how.

    Raises:
        NotFoundError: no such customer.
        ConflictError: one of that kind is open.
    """

    def decide(change: Change) -> dict[str, Any]:
        if not change.knows_customer:
            raise NotFoundError("customer")
        request = begin(change, _opened(change, ask, actor))
        change.put(request)
        change.audit("privacy_requested", request.kind.value, request=request.id, by=actor)
        return staff_document(services, request, change.now)

    log_access(services, customer, actor=actor, what=f"asked_{ask.kind}", reason=reason)
    return transact(services, customer, actor, decide)


def mail_code(change: Change, request: PrivacyRequest) -> PrivacyRequest:
    """The request with a code that only whoever reads the customer's mails can know."""
    code = change.services.ids.new()[-_CODE:]
    kind = {"kind": request.kind.value, "kind@de": KIND_GERMAN[request.kind]}
    change.mail("privacy_code", {"code": code, "request": request.id} | kind)
    return request.with_code(digest_of(request.id, code), CODE_TRIES, change.now + CONFIRM_WITHIN)


def digest_of(request: str, code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(f"{request}:{code.strip().upper()}".encode()).hexdigest()


def _opened(change: Change, ask: Ask, actor: str) -> PrivacyRequest:
    for stored in change.services.store.all_of(PrivacyRequest, change.customer):
        if stored.record.kind is ask.kind and stored.record.state not in ENDED:
            raise ConflictError(
                "already-open",
                "A request of this kind is open.",
                {"privacy_request": stored.record.id},
            )
    request_id = change.services.ids.new()
    return PrivacyRequest(
        id=request_id,
        customer=change.customer,
        kind=ask.kind,
        state=RequestState.UNCONFIRMED,
        made_by=actor,
        received_at=change.now,
        answer_by=change.now + ANSWER_WITHIN,
        check_at=None,
        on=ask.on,
        ground=ask.ground,
        content=_sealed(change, request_id, ask.changes),
    )


def _sealed(change: Change, request_id: str, changes: Mapping[str, Any]) -> bytes | None:
    if not changes:
        return None
    return change.services.vault.seal(
        json.dumps(changes).encode(), customer=change.customer, kind=SEALED_AS, record=request_id
    )
