"""What is wrong with a pack beyond its form."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.policy_files import load_policy
from shared.domain import clauses as c
from shared.domain.facts import Ground
from shared.domain.policy import Policy
from shared.domain.shapes import FaultsError

NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def findings(reference: str, tests: Path | None) -> Iterator[str]:
    """Each finding as one line that begins with the pack.

    Args:
        reference: an id, id@version, or the path of a TOML file.
        tests: the folder whose tests name the clauses that they prove; None looks for no proofs.
    """
    try:
        policy = load_policy(reference, datetime.now(UTC))
    except FaultsError as error:
        yield from (f"{reference}: {fault}" for fault in error.faults)
        return
    checks = [
        *_unreached(policy),
        *_unapprovable(policy),
        *_windows_apart(policy),
        *_limits_apart(policy),
    ]
    if tests is not None:
        checks += _unproven(policy, tests)
    yield from (f"{reference}: {finding}" for finding in checks)


def _unreached(policy: Policy) -> Iterator[str]:
    """Grounds about which the pack says nothing, so that they are denied without a clause."""
    reached = {
        ground
        for clause in policy.clauses
        if isinstance(clause, c.Formula | c.GroundRule)
        for ground in clause.grounds
    }
    for ground in Ground:
        if ground not in reached and ground is not Ground.WITHDRAWAL:
            yield f"no clause reaches the ground {ground}"


def _unapprovable(policy: Policy) -> Iterator[str]:
    """Discretionary money to which nobody can ever agree."""
    approvable = {
        ground
        for clause in policy.clauses
        if isinstance(clause, c.ApprovalRule)
        for ground in clause.grounds
    }
    for clause in policy.clauses:
        if isinstance(clause, c.Formula) and clause.outcome is c.Outcome.NEEDS_APPROVAL:
            for ground in sorted(clause.grounds - approvable):
                yield f"{clause.id}: nobody may approve the ground {ground}"


def _windows_apart(policy: Policy) -> Iterator[str]:
    """Charges for issues of days on which nobody can ask for money back any more."""
    for charge in (x for x in policy.clauses if isinstance(x, c.IssueCharge)):
        for window in (x for x in policy.clauses if isinstance(x, c.Window)):
            both = sorted(charge.grounds & window.grounds)
            if window.since is c.Since.PURCHASE and charge.days > window.days and both:
                yield (
                    f"{charge.id}: charges for issues up to day {charge.days}, but {window.id} "
                    f"ends on day {window.days} ({', '.join(both)})"
                )


def _limits_apart(policy: Policy) -> Iterator[str]:
    """What an agent may approve alone, against the limit of the whole."""
    for cap in (x for x in policy.clauses if isinstance(x, c.Cap)):
        for approval in (x for x in policy.clauses if isinstance(x, c.ApprovalRule)):
            if cap.limits is None or not cap.grounds & approval.grounds:
                continue
            for currency, limit in cap.limits.items():
                alone = approval.agent_limits.get(currency)
                if alone is None:
                    yield f"{approval.id}: no agent limit in {currency}, which {cap.id} allows"
                elif alone > limit:
                    yield f"{approval.id}: agents may approve {alone} {currency}, above {cap.id}"


def _unproven(policy: Policy, tests: Path) -> Iterator[str]:
    """Clauses that no test as much as names; `make clauses` looks at what tests really prove."""
    named = {
        name
        for path in tests.rglob("test_*.py")
        for name in NAME.findall(path.read_text(encoding="utf-8"))
    }
    for name in sorted({clause.id for clause in policy.clauses} - named):
        yield f"{name}: no test names it"
