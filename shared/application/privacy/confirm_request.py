"""Confirm a privacy request by the code that was mailed, or take it back."""

from dataclasses import replace
from typing import Any

from shared.application.change import Change, transact
from shared.application.privacy.begin_request import begin
from shared.application.privacy.open_request import digest_of
from shared.application.privacy.show_request import request_document
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.privacy import PrivacyRequest, RequestState
from shared.ports import Services


def confirm_request(services: Services, customer: str, request: str, code: str) -> dict[str, Any]:
    """The request, confirmed and begun.

    Raises:
        NotFoundError: no such request of this customer.
        ConflictError: confirmed before, too late, or the code is wrong; five wrong ones end it.
    """

    def decide(change: Change) -> dict[str, Any] | ConflictError:
        known = _known(change, request)
        if known.state is not RequestState.UNCONFIRMED or known.check_at is None:
            raise ConflictError("not-awaited", "This request waits for no code.")
        if change.now >= known.check_at or known.tries <= 0:
            raise ConflictError("code-expired", "The code has expired. Make the request again.")
        if digest_of(known.id, code) != known.code_digest:
            # The failed try is committed, so it is returned here and raised below.
            change.put(replace(known, tries=known.tries - 1))
            return ConflictError(
                "wrong-code", "That is not the code.", {"tries_left": known.tries - 1}
            )
        begun = begin(change, known)
        change.put(begun)
        change.audit("privacy_confirmed", known.kind.value, request=known.id)
        return request_document(services, begun, change.now)

    outcome = transact(services, customer, f"customer:{customer}", decide)
    if isinstance(outcome, ConflictError):
        raise outcome
    return outcome


def withdraw_request(services: Services, customer: str, request: str) -> dict[str, Any]:
    """The request, taken back.

    Raises:
        NotFoundError: no such request of this customer.
        ConflictError: it is answered, or past the point of no return.
    """

    def decide(change: Change) -> dict[str, Any]:
        known = _known(change, request)
        if not known.may_become(RequestState.WITHDRAWN):
            raise ConflictError("too-late", "This request cannot be taken back any more.")
        withdrawn = known.step(RequestState.WITHDRAWN, check_at=None)
        change.put(withdrawn)
        change.audit("privacy_withdrawn", known.kind.value, request=known.id)
        return request_document(services, withdrawn, change.now)

    return transact(services, customer, f"customer:{customer}", decide)


def _known(change: Change, request: str) -> PrivacyRequest:
    known = change.load(PrivacyRequest, request)
    if known is None:
        raise NotFoundError("privacy request")
    return known
