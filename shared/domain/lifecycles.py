"""What may be written over what was read: the life of every record that has one.

A state never goes back but by an edge that stands here, a count rises, and what was settled once
stays. Whoever decides asks by the records' own `step` and `may_become`; this is held against every
write of a decision, so that a decision which forgets to ask stops, and nothing of it is stored.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from shared.domain import cancellation, privacy, refund_case, refund_operation
from shared.domain.account import Account
from shared.domain.cancellation import Cancellation
from shared.domain.credit_batch import BatchState, CreditBatch, CreditProposal, ProposalState
from shared.domain.declaration import Declaration, DeclarationState
from shared.domain.dispute import Dispute, DisputeKind, DisputeOutcome, DisputePhase
from shared.domain.early_warning import EarlyWarning, WarningState
from shared.domain.effects import Effect, EffectStatus
from shared.domain.errors import BrokenInvariantError
from shared.domain.evidence import Evidence, EvidenceState
from shared.domain.foreign_refund import ForeignRefund
from shared.domain.privacy import PrivacyRequest
from shared.domain.privacy_records import BreachReport, BreachState
from shared.domain.receivable import Receivable, ReceivableState
from shared.domain.records import Quote
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation, RefundStatus
from shared.domain.subscription import Subscription
from shared.domain.upload import Upload, UploadState

Steps = Mapping[Any, AbstractSet[Any]]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How a record may move on.

    Args:
        steps: which value of a field may follow which; staying is always allowed, and what has no
            row is an end.
        begins_anew: the field with whose change `steps` begin from the start: another deadline,
            another warning.
        fixed: what stays as it is once it is set.
        rises: what never falls, and by how much it rises at the most in one write (None: any).
    """

    steps: Mapping[str, Steps] = field(default_factory=dict)
    begins_anew: str | None = None
    fixed: tuple[str, ...] = ()
    rises: Mapping[str, int | None] = field(default_factory=dict)


_E, _R, _V, _W = EffectStatus, RefundStatus, EvidenceState, WarningState
_ENDS_OF_EFFECT = {_E.DONE, _E.REJECTED, _E.NEEDS_PERSON}
_ANSWERED = {_V.SUBMITTED, _V.ACCEPTED, _V.LEFT_ALONE, _V.MISSED}
# What the bank has more than asked about is never again a question.
_CASES = set(DisputeKind) - {DisputeKind.INQUIRY, DisputeKind.UNRECOGNIZED}
_APPEALS = {DisputePhase.APPEAL, DisputePhase.APPEAL_UNDER_REVIEW}
_P, _B, _D, _L = ProposalState, BatchState, DeclarationState, ReceivableState

LIFECYCLES: dict[type, Lifecycle] = {
    Effect: Lifecycle(
        {
            "status": {
                _E.PENDING: {_E.SENT} | _ENDS_OF_EFFECT,
                _E.SENT: _ENDS_OF_EFFECT,
            }
        },
        fixed=("kind", "environment", "created_at"),
        rises={"epoch": 1, "attempts": None},
    ),
    RefundOperation: Lifecycle(
        {"status": refund_operation.STEPS},
        fixed=(
            *("cancellation", "refund_case", "invoice", "payment", "amount", "currency", "way"),
            *("stripe_refund", "credit_note", "replaces", "replaced_by"),
        ),
    ),
    # One that somebody else has made: Stripe's word, in whatever order it comes.
    ForeignRefund: Lifecycle(
        {
            "status": {
                _R.PENDING: {_R.REQUIRES_ACTION, _R.SUCCEEDED, _R.FAILED},
                _R.REQUIRES_ACTION: {_R.PENDING, _R.SUCCEEDED, _R.FAILED},
                _R.SUCCEEDED: {_R.FAILED},
            }
        },
        fixed=("payment", "amount", "currency", "claimed_by"),
    ),
    Cancellation: Lifecycle(
        {"state": cancellation.STEPS}, fixed=("subscription", "quote", "timing", "refund_case")
    ),
    RefundCase: Lifecycle({"state": refund_case.STEPS}),
    PrivacyRequest: Lifecycle({"state": privacy.STEPS}, fixed=("kind", "received_at")),
    Subscription: Lifecycle(fixed=("ended_at",)),
    Quote: Lifecycle(fixed=("facts_digest", "document", "returns", "used_by")),
    Account: Lifecycle(rises={"audit_sequence": None}),
    Dispute: Lifecycle(
        {
            "kind": {
                DisputeKind.UNRECOGNIZED: set(DisputeKind),
                DisputeKind.INQUIRY: _CASES,
                **dict.fromkeys(_CASES, _CASES),
            },
            "phase": {
                DisputePhase.OPEN: set(DisputePhase) - {DisputePhase.UNRECOGNIZED},
                DisputePhase.UNDER_REVIEW: set(DisputePhase) - {DisputePhase.UNRECOGNIZED},
                DisputePhase.UNRECOGNIZED: set(DisputePhase),
                # The late edges: what is decided is argued over again, and never from the start.
                DisputePhase.ENDED: _APPEALS,
                DisputePhase.APPEAL: {DisputePhase.APPEAL_UNDER_REVIEW, DisputePhase.ENDED},
                DisputePhase.APPEAL_UNDER_REVIEW: {DisputePhase.APPEAL, DisputePhase.ENDED},
            },
            "outcome": {
                DisputeOutcome.UNDECIDED: set(DisputeOutcome),
                DisputeOutcome.LOST: {DisputeOutcome.WON, DisputeOutcome.UNDECIDED},
                DisputeOutcome.WON: {DisputeOutcome.LOST, DisputeOutcome.UNDECIDED},
            },
        },
        # An inquiry that has become a chargeback is a dispute that begins now.
        begins_anew="kind",
        fixed=("charge", "opened_at"),
    ),
    # Each deadline of the bank's asks for an answer of its own.
    Evidence: Lifecycle(
        {
            "state": {
                _V.PREPARING: {_V.STAGED, _V.APPROVED} | _ANSWERED,
                _V.STAGED: {_V.APPROVED} | _ANSWERED,
                _V.APPROVED: _ANSWERED,
            }
        },
        begins_anew="respond_by",
    ),
    # An inquiry takes the place of a suspicion that nobody has decided on.
    EarlyWarning: Lifecycle(
        {
            "state": {
                _W.ASKED: {_W.PLANNED, _W.LEFT, _W.OVER},
                _W.PLANNED: {_W.ASKED, _W.CASE_OPENED, _W.REFUNDED, _W.LEFT, _W.OVER},
                _W.LEFT: {_W.PLANNED, _W.OVER},
            }
        },
        begins_anew="source",
        fixed=("refund_case",),
    ),
    Receivable: Lifecycle(
        {
            "state": {
                _L.REQUESTED: {_L.ISSUED, _L.PAID, _L.VOID, _L.REJECTED},
                _L.ISSUED: {_L.PAID, _L.VOID},
            }
        },
        fixed=("currency", "amount", "invoice"),
    ),
    CreditBatch: Lifecycle(
        {
            "state": {
                _B.COLLECTING: {_B.PROPOSED, _B.DISCARDED},
                _B.PROPOSED: {_B.RELEASING, _B.DISCARDED},
                _B.RELEASING: {_B.RELEASED},
            }
        },
        fixed=("incident", "revision"),
    ),
    CreditProposal: Lifecycle(
        {
            "state": {
                _P.PENDING: {_P.PROPOSED, _P.NOTHING_DUE, _P.NEEDS_PERSON},
                _P.PROPOSED: {_P.APPROVED},
                _P.APPROVED: {_P.CARRIED_OUT, _P.CHANGED, _P.NEEDS_PERSON},
            }
        },
        fixed=("batch", "subscription", "case"),
    ),
    Declaration: Lifecycle(
        {
            "state": {
                _D.RECEIVED: {_D.CONFIRMED, _D.MATCHED},
                _D.CONFIRMED: {_D.MATCHED},
                _D.MATCHED: {_D.CARRIED_OUT, _D.REFUSED},
            }
        },
        fixed=("kind", "of_customer", "subscription", "result"),
    ),
    Upload: Lifecycle(
        {
            "state": {
                UploadState.OFFERED: {UploadState.STORED, UploadState.REFUSED},
                UploadState.STORED: {UploadState.EXPIRED},
            }
        }
    ),
    BreachReport: Lifecycle({"state": {BreachState.REPORTED: {BreachState.CLOSED}}}),
}


def must_follow(before: Any, after: Any) -> None:
    """Let `after` be written over `before`; None was nothing.

    Raises:
        BrokenInvariantError: that would take a state or a count back, or change what is settled.
    """
    life = LIFECYCLES.get(type(after))
    if life is None or before is None:
        return
    faults = [*_back(life, before, after), *_changed(life, before, after)]
    if faults:
        name = getattr(after, "id", None) or after.customer
        raise BrokenInvariantError(f"{type(after).__name__} {name}: {', '.join(faults)}")


def _back(life: Lifecycle, before: Any, after: Any) -> list[str]:
    anew = life.begins_anew
    begins = anew is not None and getattr(before, anew) != getattr(after, anew)
    faults = []
    for name, steps in life.steps.items():
        old, new = getattr(before, name), getattr(after, name)
        held = name == anew or not begins
        if held and old != new and new not in steps.get(old, ()):
            faults.append(f"{old} then {new}")
    return faults


def _changed(life: Lifecycle, before: Any, after: Any) -> list[str]:
    # What is fixed is only named: it may be a whole document.
    known = {name: getattr(before, name) for name in life.fixed}
    faults = [
        f"another {name}"
        for name, old in known.items()
        if old is not None and old != getattr(after, name)
    ]
    for name, most in life.rises.items():
        old, new = getattr(before, name), getattr(after, name)
        if new < old or (most is not None and new > old + most):
            faults.append(f"{name} {old} then {new}")
    return faults
