"""Begin what a confirmed request asks for; what needs nobody else is answered at once."""

from dataclasses import replace

from shared.application.change import Change
from shared.application.privacy.words import DONE, DONE_GERMAN, KEPT, KEPT_GERMAN, sentences
from shared.domain.effects import EffectKind
from shared.domain.privacy import (
    COOLING_OFF,
    Ground,
    PrivacyChoices,
    PrivacyRequest,
    RequestKind,
    RequestState,
)


def begin(change: Change, request: PrivacyRequest) -> PrivacyRequest:
    """The request, confirmed and under way; whoever calls puts it."""
    request = replace(request, check_at=None, code_digest=None)
    match request.kind:
        case RequestKind.ACCESS:
            change.effect(EffectKind.EXPORT_DATA, {"request": request.id})
            return request.step(RequestState.OPEN)
        case RequestKind.RECTIFICATION:
            change.effect(EffectKind.CORRECT_PERSON, {"request": request.id})
            return request.step(RequestState.OPEN)
        case RequestKind.RESTRICTION:
            choices = choose(change, restricted_since=change.now if request.on else None)
            _tell_systems(change, choices)
            done = "restricted" if request.on else "restriction_lifted"
            return answered(change, request, (done,), ("restricted_duties",))
        case RequestKind.OBJECTION:
            choices = choose(change, objected_since=change.now if request.on else None)
            _tell_systems(change, choices)
            done = "objected" if request.on else "objection_lifted"
            return answered(change, request, (done,), ("required_mails",))
        case RequestKind.ERASURE:
            return _cool_off(change, request)


def _cool_off(change: Change, request: PrivacyRequest) -> PrivacyRequest:
    """Time to take it back; data of a minor waits for nothing that is not the law's."""
    now = change.now
    until = now if request.ground is Ground.MINOR else now + COOLING_OFF
    if until > now:
        shown = f"{until:%Y-%m-%d %H:%M:%S} UTC"
        change.mail("erasure_scheduled", {"until": shown, "request": request.id})
    return request.step(RequestState.COOLING_OFF, check_at=until)


def choose(change: Change, **choice: object) -> PrivacyChoices:
    """Change what holds for the customer's data."""
    known = change.load(PrivacyChoices) or PrivacyChoices(change.customer)
    chosen = replace(known, **choice)  # type: ignore[arg-type]
    change.put(chosen)
    return chosen


def _tell_systems(change: Change, choices: PrivacyChoices) -> None:
    """The company's other systems send and use more than we do."""
    detail = {
        "restricted": choices.restricted_since is not None,
        "objected": choices.objected_since is not None,
    }
    change.publish("DataChoicesChanged", detail)


def answered(
    change: Change, request: PrivacyRequest, done: tuple[str, ...], kept: tuple[str, ...]
) -> PrivacyRequest:
    """The request with its one answer: what was done, what was kept and why, by mail too."""
    said = sentences("done", done, (DONE, DONE_GERMAN)) | sentences(
        "kept", kept, (KEPT, KEPT_GERMAN)
    )
    change.mail("privacy_answered", {"request": request.id} | said)
    change.audit("privacy_answered", request.kind.value, request=request.id, done=list(done))
    return request.step(
        RequestState.ANSWERED, answered_at=change.now, done=done, kept=kept, check_at=None
    )
