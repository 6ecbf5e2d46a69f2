"""Decide a refund case: approve within the policy's bound, decline, refer to support.

Trigger: POST /v1/staff/cases/{customer}/{id}/decision, with the access token of a member of staff.
Answers: 200 with the case, and whose consent is still missing; 409 when somebody else was faster,
the request is no longer the one that was shown (with its new figures), or the same person agrees
twice; 403 without a fitting role.
"""

from typing import Annotated, Literal

import msgspec

from shared.application.cases import decide_case, show_case
from shared.domain.errors import InvalidRequestError
from shared.domain.texts import clean_text
from shared.runtime.bootstrap import services_for
from shared.runtime.http import Request, Response, api
from shared.runtime.settings import Effects, StaffApi, Stripe, Table, Vault

Kind = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{1,39}$")]


class DecisionRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is decided and why; an approval names the digest of the request that was shown."""

    decide: Literal["approve", "decline", "refer"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    digest: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    amount: Annotated[int, msgspec.Meta(ge=1, le=10**12)] | None = None
    evidence_reviewed: Annotated[list[Kind], msgspec.Meta(max_length=40)] = []


def decide(request: Request) -> Response:
    """The case as decided."""
    services = services_for(Table, Effects, Stripe, Vault, StaffApi)
    person = request.staff(services)
    body = request.json(DecisionRequest)
    reason = clean_text(body.reason, "$.reason")
    customer, case = request.path("customer"), request.path("id")
    need = None
    if body.decide == "approve":
        if body.digest is None:
            fault = {"path": "$.digest", "message": "the digest of the case as it was shown"}
            raise InvalidRequestError("invalid-request", "Approve what?", {"errors": [fault]})
        consent = decide_case.Approve(
            body.digest, reason, body.amount, tuple(body.evidence_reviewed)
        )
        decided = decide_case.approve(
            services, by=person, customer=customer, case=case, consent=consent
        )
        known, need = decided.case, decided.need
    else:
        end = decide_case.decline if body.decide == "decline" else decide_case.refer
        known = end(services, by=person, customer=customer, case=case, reason=reason)
    view = show_case.staff_view(services, known)
    return Response(200, view | {"missing": need and need.name.lower()})


lambda_handler = api({"POST /v1/staff/cases/{customer}/{id}/decision": decide})
