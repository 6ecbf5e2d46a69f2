"""The quote: a decision as the Out document, the same shape everywhere."""

from datetime import datetime
from typing import Any

from shared.domain.decision import CancellationTerms, Deadlines, Decision
from shared.domain.periods import instant_text
from shared.domain.words import ENGLISH, Words


def quote_document(decision: Decision, words: Words = ENGLISH) -> dict[str, Any]:
    """The Out document: plain data, instants as RFC 3339, fractions as text."""
    return {
        "outcome": decision.outcome.value,
        "amount": decision.amount,
        "tax": decision.tax,
        "total": decision.total,
        "currency": decision.currency,
        "settle_as": decision.settle_as.value,
        "reasons": [{"clause": r.clause, "code": r.code} for r in decision.reasons],
        "lines": [
            {
                "id": line.id,
                "base": line.base,
                "fraction": str(line.fraction),
                "amount": line.amount,
                "tax": line.tax,
                "clauses": list(line.clauses),
            }
            for line in decision.lines
        ],
        "deductions": [
            {"clause": d.clause, "what": d.what, "amount": d.amount} for d in decision.deductions
        ],
        "caps": [
            {"cap": cap.cap, "limit": cap.limit, "applied": cap.applied} for cap in decision.caps
        ],
        "allocation": [{"payment": a.payment, "amount": a.amount} for a in decision.allocation],
        "account_credit": decision.account_credit,
        "manual_transfer": decision.manual_transfer,
        "cancellation": _cancellation(decision.cancellation),
        "deadlines": _deadlines(decision.deadlines),
        "trace": [
            {
                "clause": entry.clause,
                "kind": entry.kind,
                "ruled": entry.ruled.value,
                "saw": dict(entry.saw),
                "in_words": words.of(entry.says, entry.saw),
            }
            for entry in decision.trace
        ],
        "policy": {
            "id": decision.policy.id,
            "version": decision.policy.version,
            "digest": decision.policy.digest,
        },
    }


def _cancellation(terms: CancellationTerms | None) -> dict[str, Any] | None:
    if terms is None:
        return None
    return {
        "effective_at": instant_text(terms.effective_at),
        "access_until": instant_text(terms.access_until),
        "renewal_avoided": terms.renewal_avoided,
    }


def _deadlines(deadlines: Deadlines) -> dict[str, Any]:
    between = deadlines.callback_between
    return {
        "review_by": _instant(deadlines.review_by),
        "payout_by": _instant(deadlines.payout_by),
        "callback_between": between
        and {"from": instant_text(between[0]), "to": instant_text(between[1])},
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)
