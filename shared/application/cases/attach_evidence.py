"""Evidence that came with a message: the same checks as of an upload, without the detour."""

from shared.application.cases.give_evidence import KIND, settle_upload
from shared.application.cases.review_case import load_open
from shared.application.cases.show_case import uploads_of
from shared.application.change import Change, transact
from shared.domain.derived_id import derived_id
from shared.domain.errors import ConflictError
from shared.domain.upload import (
    MAX_PER_CASE,
    ContentType,
    Upload,
    UploadState,
    content_type_of,
    refuse_content,
)
from shared.ports import Services

_KINDS = {
    ContentType.PDF: "document",
    ContentType.JPEG: "screenshot",
    ContentType.PNG: "screenshot",
    ContentType.CSV: "log",
    ContentType.TEXT: "log",
}


def attach_evidence(
    services: Services, *, customer: str, case: str, reference: str, content: bytes, by: str
) -> str:
    """Keep content as evidence of a case, as a word for the metrics; the same reference once.

    Raises:
        NotFoundError: no such case.
    """
    evidence_id = derived_id(case, reference)
    found = content_type_of(content)

    def offer(change: Change) -> Upload | None:
        known = change.load(Upload, evidence_id)
        if known is not None:
            return known if known.state is UploadState.OFFERED else None
        try:
            open_ = load_open(change, case)
        except ConflictError:
            return None  # decided in the meantime: what comes now decides nothing
        if len(uploads_of(services, open_)) >= MAX_PER_CASE:
            change.audit("case_evidence_refused", "there are too many already", case=case)
            return None
        if found is None:
            change.audit("case_evidence_refused", "its bytes are of no type taken", case=case)
            return None
        made = Upload(
            id=evidence_id,
            customer=customer,
            refund_case=case,
            kind=_KINDS[found],
            content_type=found,
            size=len(content),
            state=UploadState.OFFERED,
            offered_at=change.now,
            offered_to=by,
        )
        change.put(made)
        return made

    offered = transact(services, customer, by, offer)
    if offered is None:
        return "not_taken"
    refused = refuse_content(content, offered.content_type)
    refused = refused or services.scanner.refuse(content, offered.content_type)
    if refused is None:
        sealed = services.vault.seal(content, customer=customer, kind=KIND, record=evidence_id)
        services.uploads.keep(offered.sealed, sealed)
    settle_upload(services, offered, content, refused, by)
    return "refused" if refused else "taken"
