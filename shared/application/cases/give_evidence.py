"""Evidence: an upload is offered, checked when it has come, sealed, and counted as present.

The browser uploads to a place of its own, by a form that bounds type and size. Nothing is taken
from an address that somebody names. Only what has passed the checks is kept, sealed.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from shared.application.cases.assess import assess, keep
from shared.application.cases.conclude import review
from shared.application.cases.review_case import load_open
from shared.application.cases.show_case import load_case, uploads_of
from shared.application.change import Change, present, transact
from shared.application.step_case import put_case
from shared.domain.clauses import Outcome
from shared.domain.errors import ConflictError, ForbiddenError, NotFoundError
from shared.domain.refund_case import CaseState, RefundCase
from shared.domain.staff import DECIDING_ROLES, StaffMember
from shared.domain.upload import (
    MAX_BYTES,
    MAX_PER_CASE,
    UPLOAD_LIFETIME,
    ContentType,
    Upload,
    UploadState,
    refuse_content,
)
from shared.ports import Services

KIND = "evidence"


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody wants to upload: what it shows, its content type, its size in bytes."""

    kind: str
    content_type: ContentType
    size: int


def offer_upload(
    services: Services, *, customer: str, case: str, offer: Offer, by: str
) -> dict[str, Any]:
    """A place to upload to, with the form that bounds what may come.

    Raises:
        NotFoundError: no such case of this customer.
        ConflictError: it is decided, or has as many uploads as a case may have.
    """

    def decide(change: Change) -> Upload:
        known = load_open(change, case)
        if len(uploads_of(services, known)) >= MAX_PER_CASE:
            raise ConflictError(
                "too-many-uploads", f"A request takes {MAX_PER_CASE} uploads at the most."
            )
        evidence = Upload(
            id=services.ids.new(),
            customer=customer,
            refund_case=case,
            kind=offer.kind,
            content_type=offer.content_type,
            size=offer.size,
            state=UploadState.OFFERED,
            offered_at=change.now,
            offered_to=by,
        )
        change.put(evidence)
        change.audit("case_upload_offered", f"to {by}", case=case, evidence=evidence.id)
        return evidence

    evidence = transact(services, customer, by, decide)
    form = services.uploads.form(
        evidence.incoming,
        content_type=evidence.content_type,
        size=evidence.size,
        lifetime_seconds=int(UPLOAD_LIFETIME.total_seconds()),
    )
    return {"id": evidence.id, "url": form.url, "fields": dict(form.fields), "state": "offered"}


def confirm_upload(
    services: Services, *, customer: str, case: str, evidence: str, by: str
) -> RefundCase:
    """Take what was uploaded: check it, seal it, and let the case go on.

    Raises:
        NotFoundError: no such upload of this case.
        ConflictError: nothing has come yet, or what came is refused and why.
    """
    load_case(services, customer, case)
    stored = services.store.get(Upload, customer, evidence)
    if stored is None or stored.record.refund_case != case:
        raise NotFoundError("evidence")
    known = stored.record
    if known.state is UploadState.STORED:
        return load_case(services, customer, case)
    content = services.uploads.incoming(known.incoming, most=MAX_BYTES)
    if content is None:
        raise ConflictError("not-uploaded", "Nothing has been uploaded there yet.")
    refused = refuse_content(content, known.content_type)
    refused = refused or services.scanner.refuse(content, known.content_type)
    if refused is None:
        sealed = services.vault.seal(content, customer=customer, kind=KIND, record=evidence)
        services.uploads.keep(known.sealed, sealed)
    result = settle_upload(services, known, content, refused, by)
    services.uploads.remove(known.incoming)
    if refused is not None:
        raise ConflictError("content-refused", f"This file is not taken: {refused}.")
    return result


def settle_upload(
    services: Services, known: Upload, content: bytes, refused: str | None, by: str
) -> RefundCase:
    """What came of the checks of an upload, put on record; the case goes on where it can."""
    digest = hashlib.sha256(content).hexdigest()

    def decide(change: Change) -> RefundCase:
        evidence = change.load(Upload, known.id)
        case = change.load(RefundCase, known.refund_case)
        if evidence is None or case is None:
            raise NotFoundError("evidence")
        if evidence.state is not UploadState.OFFERED:
            return case
        if refused is not None:
            change.put(evidence.refused(refused))
            change.audit("case_evidence_refused", refused, case=case.id, evidence=evidence.id)
            return case
        change.put(evidence.stored(digest, len(content), present(services)))
        change.audit(
            "case_evidence_stored", f"by {by}", case=case.id, evidence=evidence.id, sha256=digest
        )
        case = replace(case, evidence=tuple(sorted({*case.evidence, evidence.kind})))
        return _go_on(change, case)

    return transact(services, known.customer, by, decide)


def _go_on(change: Change, case: RefundCase) -> RefundCase:
    """Upload that was missing sets the review's clock going again."""
    if not case.is_open:
        return put_case(change, case)
    assessed = assess(change, case)
    case = keep(change, case, assessed)
    missing = assessed.decision.outcome is Outcome.NEEDS_EVIDENCE
    if case.state is CaseState.NEEDS_EVIDENCE and (missing or _still_asked(case)):
        return put_case(change, case)
    return review(change, case, assessed.facts.policy)


def _still_asked(case: RefundCase) -> bool:
    return not set(case.asked_for) <= set(case.evidence)


def open_evidence(
    services: Services, *, customer: str, case: str, evidence: str, by: StaffMember
) -> tuple[Upload, bytes]:
    """The content of an upload, for a member of staff; that it was looked at is on record.

    Raises:
        NotFoundError: no such evidence, or none that was taken.
        ForbiddenError: an identity document, which only an approver or an admin may see.
        ErasedError: the customer's content is erased.
    """
    load_case(services, customer, case)
    stored = services.store.get(Upload, customer, evidence)
    if stored is None or stored.record.refund_case != case:
        raise NotFoundError("evidence")
    if stored.record.is_identity_document and not by.roles & DECIDING_ROLES:
        raise ForbiddenError("wrong-role", "An identity document is for an approver or an admin.")
    content = None
    if stored.record.state is UploadState.STORED:
        content = services.uploads.kept(stored.record.sealed, most=2 * MAX_BYTES)
    if content is None:
        raise NotFoundError("evidence")
    opened = services.vault.open(content, customer=customer, kind=KIND, record=evidence)

    def decide(change: Change) -> None:
        change.audit("case_evidence_opened", "looked at by staff", case=case, evidence=evidence)

    transact(services, customer, by.actor, decide)
    return stored.record, opened
