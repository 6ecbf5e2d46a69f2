"""Legal holds, and what operators do elsewhere for a request."""

from dataclasses import replace
from typing import Any

from shared.application.case_document import instant
from shared.application.change import Change, transact
from shared.application.privacy.begin_request import choose
from shared.application.privacy.show_request import staff_document
from shared.domain.effects import Effect, EffectKind, EffectStatus
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.privacy import LegalHold, PrivacyChoices, PrivacyRequest
from shared.ports import Services


def place_hold(services: Services, customer: str, reference: str, actor: str) -> dict[str, Any]:
    """Let nothing of the customer's be deleted until the hold is lifted; one hold a matter.

    Raises:
        NotFoundError: no such customer.
    """

    def decide(change: Change) -> dict[str, Any]:
        if not change.knows_customer:
            raise NotFoundError("customer")
        known = change.load(PrivacyChoices) or PrivacyChoices(customer)
        if reference in {one.reference for one in known.holds}:
            return _holds(known.holds)
        hold = LegalHold(services.ids.new(), reference, change.now, actor)
        choose(change, holds=(*known.holds, hold))
        change.audit("legal_hold_placed", reference, hold=hold.id)
        return _holds((*known.holds, hold))

    return transact(services, customer, actor, decide)


def lift_hold(services: Services, customer: str, hold: str, actor: str) -> dict[str, Any]:
    """Lift one hold; what waited for it goes on at its next look.

    Raises:
        NotFoundError: no such hold.
    """

    def decide(change: Change) -> dict[str, Any]:
        known = change.load(PrivacyChoices) or PrivacyChoices(customer)
        left = tuple(one for one in known.holds if one.id != hold)
        if left == known.holds:
            raise NotFoundError("legal hold")
        choose(change, holds=left)
        change.audit("legal_hold_lifted", hold, hold=hold)
        return _holds(left)

    return transact(services, customer, actor, decide)


def complete_step(
    services: Services, *, customer: str, request: str, step: str, actor: str
) -> dict[str, Any]:
    """Note that a person has done elsewhere what we cannot.

    Raises:
        NotFoundError: no such request or step.
        ConflictError: the confirmation has not been mailed yet, and needs the address.
    """

    def decide(change: Change) -> dict[str, Any]:
        known = change.load(PrivacyRequest, request)
        if known is None or step not in {one.name for one in known.open_steps}:
            raise NotFoundError("open step of a privacy request")
        if _mail_waits(services, customer, request):
            raise ConflictError("mail-waits", "The confirmation has not been mailed yet.")
        steps = tuple(
            replace(one, done_at=change.now, done_by=actor) if one.name == step else one
            for one in known.operator_steps
        )
        done = replace(known, operator_steps=steps)
        change.put(done)
        change.audit("operator_step_done", step, request=request)
        return staff_document(services, done, change.now)

    return transact(services, customer, actor, decide)


def _mail_waits(services: Services, customer: str, request: str) -> bool:
    return any(
        effect.kind is EffectKind.SEND_MAIL
        and effect.status in (EffectStatus.PENDING, EffectStatus.SENT)
        and effect.params["values"].get("request") == request
        for effect in (stored.record for stored in services.store.all_of(Effect, customer))
    )


def _holds(holds: tuple[LegalHold, ...]) -> dict[str, Any]:
    return {
        "holds": [
            {"id": one.id, "reference": one.reference, "since": instant(one.since)} for one in holds
        ]
    }
