"""What the policy makes of a refund case now, kept with the case."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.application.cases.case_facts import CaseFacts, gather
from shared.application.change import Change
from shared.application.plan_returns import InvoiceReturn, plan_returns, to_plain
from shared.domain.decision import Decision
from shared.domain.records import Assessment
from shared.domain.refund import decide_refund, quote_document
from shared.domain.refund_case import CaseApproval, RefundCase


@dataclass(frozen=True, slots=True)
class Assessed:
    """A case decided on its facts of now."""

    facts: CaseFacts
    decision: Decision
    document: dict[str, Any]
    returns: list[InvoiceReturn]


def assess(change: Change, case: RefundCase, approvals: Iterable[CaseApproval] = ()) -> Assessed:
    """Decide the case as it stands, with the consents that are to count.

    Raises:
        CaseFaultsError: what staff have found out contradicts itself.
    """
    facts = gather(change.services, case, change.now, approvals)
    decision = decide_refund(facts.policy, facts.case)
    document = json.loads(json.dumps(quote_document(decision)))
    return Assessed(facts, decision, document, plan_returns(facts.case, facts.invoices, document))


def keep(change: Change, case: RefundCase, assessed: Assessed) -> RefundCase:
    """Put the assessment into `change`; the case with what it says of its bound and its policy.

    The record is of the last assessment; the audit trail has each, as far as it ruled otherwise.
    """
    before = change.load(Assessment, case.id)
    ruled = _ruled(assessed.document)
    if before is None or _ruled(json.loads(before.document)) != ruled:
        change.audit(
            "case_assessed",
            assessed.document["outcome"],
            case=case.id,
            policy=assessed.document["policy"],
            facts=assessed.facts.digest,
            trace=ruled,
        )
    change.put(
        Assessment(
            id=case.id,
            customer=case.customer,
            assessed_at=change.now,
            facts_digest=assessed.facts.digest,
            case=json.dumps(assessed.facts.document),
            document=json.dumps(assessed.document),
            returns=json.dumps(to_plain(assessed.returns)),
        )
    )
    return replace(
        case,
        policy=assessed.facts.document["policy"],
        amount=assessed.document["total"],
        currency=assessed.document["currency"],
    )


def _ruled(document: Mapping[str, Any]) -> list[str]:
    """How each clause ruled, in the order in which they were looked at."""
    return [f"{entry['clause']}: {entry['ruled']}" for entry in document["trace"]]
