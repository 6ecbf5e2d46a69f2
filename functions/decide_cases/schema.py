"""The bodies with which cases are decided and transfers recorded."""

from typing import Annotated, Literal

import msgspec

Kind = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z_]{1,39}$")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class DecisionRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is decided and why; an approval names the digest of the request that was shown."""

    decide: Literal["approve", "decline", "refer"]
    reason: Reason
    digest: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    amount: Amount | None = None
    evidence_reviewed: Annotated[list[Kind], msgspec.Meta(max_length=40)] = []


class TransferRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A transfer that was made at the company's bank, and what shows it."""

    refund: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    amount: Amount
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    reason: Reason
