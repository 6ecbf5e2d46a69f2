"""What privacy requests want done: exports, corrections, and an erasure step by step.

Each step of an erasure may be repeated without harm, and each is followed by the next only in the
commit that ends it. What is destroyed first is what cannot be brought back.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared.application.change import Change, present
from shared.application.effects.performer import Go, Performer, Refuse, Result, Verdict, key_of
from shared.application.privacy.advance_request import put_off, why_deferred
from shared.application.privacy.begin_request import answered, choose
from shared.application.privacy.forget_records import forget_records, unlink_sign_ins
from shared.application.privacy.make_archive import make_archive
from shared.application.privacy.open_request import SEALED_AS
from shared.domain.account import Account
from shared.domain.declaration import MatchedDeclaration, partition_of
from shared.domain.effects import Effect, EffectKind
from shared.domain.errors import BrokenInvariantError
from shared.domain.privacy import EXPORT_KEPT, OperatorStep, PrivacyRequest, RequestState
from shared.domain.privacy_records import Login
from shared.ports import Check, Services

REDACT_AT_STRIPE = OperatorStep(
    "redact_at_stripe",
    "Once the confirmation has been mailed: redact this customer in Stripe's dashboard, or with a "
    "redaction job (POST /v1/privacy/redaction_jobs, a public preview that the SDK lacks).",
)


def _request(services: Services, effect: Effect) -> PrivacyRequest:
    stored = services.store.get(PrivacyRequest, effect.customer, effect.params["request"])
    if stored is None:
        raise BrokenInvariantError(f"effect {effect.id} of an unknown privacy request")
    return stored.record


def _changes(services: Services, request: PrivacyRequest) -> Mapping[str, Any]:
    assert request.content is not None, "a correction says what to correct"
    opened = services.vault.open(
        request.content, customer=request.customer, kind=SEALED_AS, record=request.id
    )
    changes: Mapping[str, Any] = json.loads(opened)
    return changes


def _export(services: Services, effect: Effect) -> Result:
    name = f"{effect.params['request']}.zip"
    archive = make_archive(services, effect.customer)
    services.files.put(
        name, archive.content, customer=effect.customer, media_type="application/zip"
    )
    return {"archive": name, "files": archive.files}


def _exported(change: Change, effect: Effect, result: Result) -> None:
    request = _open(change, effect)
    if request is not None:
        done = answered(change, request, ("export_ready",), ())
        until = change.now + EXPORT_KEPT
        change.put(done.with_archive(result["archive"], until))


def _correct(services: Services, effect: Effect) -> Result:
    changes = _changes(services, _request(services, effect))
    services.people.correct(effect.customer, changes, key=key_of(effect))
    return {"corrected": sorted(changes)}


def _corrected(change: Change, effect: Effect, result: Result) -> None:
    request = _open(change, effect)
    if request is None:
        return
    change.audit("person_corrected", "rectification", fields=result["corrected"])
    if "email" in result["corrected"]:
        change.effect(EffectKind.CORRECT_SIGN_INS, effect.params)
        return
    _finish_correction(change, request, ("corrected_at_stripe",))


def _correct_sign_ins(services: Services, effect: Effect) -> Result:
    email = _changes(services, _request(services, effect))["email"]
    own = [login for login in _logins(services, effect.customer) if login[0]]
    for _, subject in own:
        services.sign_ins.change_email(subject, email)
    return {"sign_ins": len(own)}


def _corrected_sign_ins(change: Change, effect: Effect, result: Result) -> None:
    request = _open(change, effect)
    if request is not None:
        more = ("corrected_sign_in",) if result["sign_ins"] else ()
        change.audit("sign_ins_corrected", "rectification", sign_ins=result["sign_ins"])
        _finish_correction(change, request, ("corrected_at_stripe", *more))


def _finish_correction(change: Change, request: PrivacyRequest, done: tuple[str, ...]) -> None:
    # What was to be corrected stands where it belongs now; nobody needs it here any more.
    change.put(answered(change, request, done, ("earlier_records",)).without_content())


def _may_destroy(services: Services, effect: Effect) -> Verdict:
    """Looked at once more at the point of no return: a hold, or anything else, may have come."""
    account = services.store.get(Account, effect.customer)
    if effect.sent_at is not None or account is None:
        return Go()
    deferred = why_deferred(Change(services, effect.customer, "effects"))
    # Whatever commits on the customer from here on moves the account, and is looked at too.
    return Refuse(", ".join(deferred)) if deferred else Go([Check(account.record, account.version)])


def _destroy_key(services: Services, effect: Effect) -> Result:
    """Theirs, and those of what they declared without signing in."""
    at = present(services)
    for stored in services.store.all_of(MatchedDeclaration, effect.customer):
        services.vault.destroy(partition_of(stored.record.id), at=at)
    services.vault.destroy(effect.customer, at=at)
    return {}


def _put_off(change: Change, effect: Effect, _reason: str) -> None:
    request = _open(change, effect)
    if request is not None and request.may_become(RequestState.DEFERRED):
        change.put(put_off(change, request, why_deferred(change)))


def _key_destroyed(change: Change, effect: Effect, _result: Result) -> None:
    change.effect(EffectKind.DELETE_FILES, effect.params)


def _delete_files(services: Services, effect: Effect) -> Result:
    return {"versions": services.files.delete_all(effect.customer)}


def _files_deleted(change: Change, effect: Effect, result: Result) -> None:
    change.audit("files_deleted", "erasure", versions=result["versions"])
    change.effect(EffectKind.DELETE_SIGN_INS, effect.params)


def _delete_file(services: Services, effect: Effect) -> Result:
    name = effect.params["file"]
    return {"versions": services.files.delete(name, customer=effect.customer)}


def _logins(services: Services, customer: str) -> list[tuple[bool, str]]:
    """Whether each sign-in is in our own pool, and its subject there."""
    found = services.store.all_of(Login, customer)
    return [(services.sign_ins.owns(one.record.issuer), one.record.subject) for one in found]


def _delete_sign_ins(services: Services, effect: Effect) -> Result:
    logins = _logins(services, effect.customer)
    for is_ours, subject in logins:
        if is_ours:
            services.sign_ins.delete(subject)
    return {
        "deleted": sum(is_ours for is_ours, _ in logins),
        "elsewhere": [subject for is_ours, subject in logins if not is_ours],
    }


def _sign_ins_deleted(change: Change, effect: Effect, result: Result) -> None:
    unlink_sign_ins(change)
    elsewhere = bool(result["elsewhere"])
    change.effect(EffectKind.FORGET_RECORDS, dict(effect.params) | {"elsewhere": elsewhere})


def _forget(services: Services, effect: Effect) -> Result:
    return {"emptied": forget_records(services, effect.customer)}


def _forgotten(change: Change, effect: Effect, result: Result) -> None:
    """The certificate: the request itself, with what was done and kept, and the mail that says so.

    The mail's address is read at Stripe, so the redaction there comes after it.
    """
    request = _open(change, effect)
    if request is None:
        return
    choose(change, erased_at=change.now)
    kept: tuple[str, ...] = ("books", "stripe")
    if effect.params["elsewhere"]:
        kept = (*kept, "other_sign_ins")
    done = ("data_key_destroyed", "files_deleted", "sign_ins_deleted", "records_emptied")
    certificate = answered(change, request, done, kept).without_content()
    change.publish("PersonErased", {"request": request.id})
    change.audit("erased", request.ground.value, request=request.id, records=result["emptied"])
    change.put(certificate.with_operator_step(REDACT_AT_STRIPE))


def _open(change: Change, effect: Effect) -> PrivacyRequest | None:
    """The request, if nobody has answered it meanwhile."""
    request = change.load(PrivacyRequest, effect.params["request"])
    if request is None or not request.may_become(RequestState.ANSWERED):
        return None
    return request


def _stuck(change: Change, effect: Effect, reason: str) -> None:
    """Nobody knows, or it was refused: a person goes on before the deadline does."""
    request = _open(change, effect)
    if request is None or not request.may_become(RequestState.NEEDS_PERSON):
        return
    change.put(request.step(RequestState.NEEDS_PERSON))
    change.alert("privacy_request_stuck", request.id, effect.kind.value)
    change.audit("privacy_request_stuck", reason, request=request.id, effect=effect.id)


PERFORMERS = {
    EffectKind.EXPORT_DATA: Performer(
        send=_export, adopt=_exported, reject=_stuck, hand_over=_stuck
    ),
    EffectKind.CORRECT_PERSON: Performer(
        send=_correct, adopt=_corrected, reject=_stuck, hand_over=_stuck
    ),
    EffectKind.CORRECT_SIGN_INS: Performer(
        send=_correct_sign_ins, adopt=_corrected_sign_ins, reject=_stuck, hand_over=_stuck
    ),
    EffectKind.DESTROY_DATA_KEY: Performer(
        send=_destroy_key,
        adopt=_key_destroyed,
        may_send=_may_destroy,
        reject=_put_off,
        hand_over=_stuck,
    ),
    EffectKind.DELETE_FILES: Performer(
        send=_delete_files, adopt=_files_deleted, reject=_stuck, hand_over=_stuck
    ),
    EffectKind.DELETE_FILE: Performer(send=_delete_file),
    EffectKind.DELETE_SIGN_INS: Performer(
        send=_delete_sign_ins, adopt=_sign_ins_deleted, reject=_stuck, hand_over=_stuck
    ),
    # Asks the table alone, which refuses nothing.
    EffectKind.FORGET_RECORDS: Performer(send=_forget, adopt=_forgotten, hand_over=_stuck),
}
