"""Versions: which text of a policy decides a case."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.facts import Case, LineKind
from shared.domain.policy import Policy
from shared.domain.policy_form import Applies


def told_of(versions: Sequence[Policy], told: Mapping[str, datetime] | None) -> list[Policy]:
    """The versions that may decide, each from when it holds for customers.

    Args:
        versions: of one pack.
        told: from when each announced ``id@version`` holds; None where nobody has to be told. The
            first version was there when they came.
    """
    first, *later = sorted(versions, key=lambda policy: policy.effective_at)
    if told is None:
        return [first, *later]
    return [
        first,
        *(
            replace(policy, effective_at=max(policy.effective_at, told[name]))
            for policy in later
            if (name := f"{policy.id}@{policy.version}") in told
        ),
    ]


def in_force(versions: Sequence[Policy], at: datetime) -> Policy:
    """The latest version that had taken effect; before the first one, the first one."""
    ordered = sorted(versions, key=lambda policy: policy.effective_at)
    return [ordered[0], *(policy for policy in ordered if policy.effective_at <= at)][-1]


def applicable(versions: Sequence[Policy], case: Case) -> Policy:
    """The version that the rule of today's version picks for the case."""
    return in_force(versions, governing_instant(in_force(versions, case.now).applies, case))


def governing_instant(applies: Applies, case: Case) -> datetime:
    """The instant whose version decides."""
    lines = [line for invoice in case.invoices for line in invoice.lines]
    match applies:
        case Applies.AT_PURCHASE:
            return case.customer.purchased_at
        case Applies.AT_RENEWAL:
            starts = [
                line.period.start
                for line in lines
                if line.kind is LineKind.SUBSCRIPTION
                and line.period is not None
                and line.period.start <= case.request.received_at
            ]
            return max(starts, default=case.customer.purchased_at)
        case Applies.AT_SERVICE_DATE:
            rendered = [line.rendered_at for line in lines if line.rendered_at is not None]
            served = case.request.service_date
            return served or min(rendered, default=case.request.received_at)
