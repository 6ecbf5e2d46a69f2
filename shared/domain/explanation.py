"""Explanation: what a decision comes to, in a few plain sentences for the customer."""

from shared.domain.clauses import Outcome
from shared.domain.decision import Decision, Ruled
from shared.domain.words import ENGLISH, Words


def explain(decision: Decision, words: Words = ENGLISH) -> str:
    """The outcome, then what the clauses said that led to it, each thing once."""
    reasons = {reason.clause for reason in decision.reasons}
    spoke = (Ruled.PASSED,) if decision.outcome is Outcome.GRANTED else (Ruled.FAILED,)
    said = [
        words.of(entry.says, entry.saw)
        for entry in decision.trace
        if entry.clause in reasons and (entry.ruled in spoke or entry.ruled is Ruled.NEEDS_PERSON)
    ]
    return " ".join(dict.fromkeys([words.of(f"outcome_{decision.outcome}", {}), *said]))
