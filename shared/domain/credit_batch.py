"""Credits for an incident: proposed one by one, reviewed and approved as one batch.

Nothing is paid that was not proposed and approved to the minor unit; what has changed since is
left for the next batch, which proposes only the difference.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.facts import SettleAs

# A service's index lists so many at once; each gets a commit of its own.
PAGE = 50


class BatchState(StrEnum):
    """The life of a batch."""

    COLLECTING = "collecting"
    PROPOSED = "proposed"
    RELEASING = "releasing"
    RELEASED = "released"
    DISCARDED = "discarded"


class ProposalState(StrEnum):
    """The life of one proposal; `changed` is one that no longer comes to what was approved."""

    PENDING = "pending"
    PROPOSED = "proposed"
    NOTHING_DUE = "nothing_due"
    NEEDS_PERSON = "needs_person"
    APPROVED = "approved"
    CARRIED_OUT = "carried_out"
    CHANGED = "changed"


# While something still happens to it by itself.
MOVING = frozenset({ProposalState.PENDING, ProposalState.APPROVED})


@dataclass(frozen=True, slots=True)
class BatchConsent:
    """A person's consent to exactly the proposals with this digest."""

    by: str
    role: str
    at: datetime
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreditBatch:
    """All proposals for one revision of an incident.

    `place` is how far the lists of the services have been read: which service, and the cursor in
    its list. `collected` counts the proposals made; `totals` are those that were approved.
    """

    id: str
    customer: str
    incident: str
    revision: int
    state: BatchState
    created_at: datetime
    created_by: str
    settle_as: SettleAs | None = None
    place: tuple[int, str | None] = (0, None)
    collected: int = 0
    consents: tuple[BatchConsent, ...] = ()
    digest: str | None = None
    totals: tuple[tuple[str, int], ...] = ()

    def collecting(self, place: tuple[int, str | None], added: int, *, last: bool) -> "CreditBatch":
        """The batch after one more page."""
        state = BatchState.PROPOSED if last else BatchState.COLLECTING
        return replace(self, place=place, collected=self.collected + added, state=state)


@dataclass(frozen=True, slots=True)
class CreditProposal:
    """What one subscription gets for an incident (minor units, tax included).

    `served` is the item by which it was found, `facts` the digest of what it rests on, `case` the
    refund case that carries it out.
    """

    id: str
    customer: str
    batch: str
    incident: str
    subscription: str
    state: ProposalState
    due_at: datetime
    served: str
    invoices: tuple[str, ...] = ()
    amount: int = 0
    currency: str = ""
    facts: str | None = None
    reason: str | None = None
    case: str | None = None

    @property
    def queue(self) -> str:
        """Where it is listed: with its batch."""
        return proposals_of(self.batch)


def proposals_of(batch: str) -> str:
    """The queue of a batch's proposals."""
    return f"batch:{batch}"


def totals(proposals: Iterable[CreditProposal]) -> tuple[tuple[str, int], ...]:
    """What is proposed in all, by currency."""
    sums: Counter[str] = Counter()
    for proposal in proposals:
        if proposal.amount:
            sums[proposal.currency] += proposal.amount
    return tuple(sorted(sums.items()))


def digest_of(proposals: Iterable[CreditProposal]) -> str:
    """A digest of exactly these proposals: another amount of anybody is another batch."""
    rows = sorted(
        [p.customer, p.subscription, p.amount, p.currency, p.facts]
        for p in proposals
        if p.state is not ProposalState.NOTHING_DUE
    )
    return "sha256:" + hashlib.sha256(json.dumps(rows).encode()).hexdigest()
