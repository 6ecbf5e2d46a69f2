"""Say what a refund case rests on, where its request did not, or said it wrongly."""

from dataclasses import replace

from shared.application.cases.known_facts import with_known_facts
from shared.application.change import Change
from shared.domain.errors import ConflictError
from shared.domain.facts import Ground
from shared.domain.refund_case import RefundCase

# What a comparison of the bill fills in, and another ground has no use for.
_COMPARED = ("expected_amount", "expected_tax", "differences")


def state_ground(change: Change, case: RefundCase, ground: Ground) -> RefundCase:
    """The case on that ground, with what is known for it; earlier consents no longer fit it.

    Raises:
        ConflictError: another open case asks for the same on that ground.
    """
    if case.ground_stated and case.ground is ground:
        return case
    for stored in change.services.store.all_of(RefundCase, case.customer):
        other = stored.record
        if other.id != case.id and other.ground_stated and other.overlaps(ground, case.invoices):
            raise ConflictError(
                "case-open", "Another open case asks for this on that ground.", {"case": other.id}
            )
    change.audit("case_ground_stated", f"was {case.ground.value}", case=case.id, ground=ground)
    plain = replace(_without_comparison(case), ground=ground, ground_stated=True)
    return with_known_facts(change.services, plain)


def refuse_unstated(case: RefundCase) -> None:
    """Let nobody decide a request whose ground nobody has stated.

    Raises:
        ConflictError: nobody has.
    """
    if not case.ground_stated and not case.goodwill:
        raise ConflictError(
            "ground-not-stated",
            "Nobody has said what this request rests on: record its ground as a finding first.",
            {"supposed": case.ground.value},
        )


def _without_comparison(case: RefundCase) -> RefundCase:
    """The case without what was filled in for a billing error."""
    lines = case.findings.get("lines", {})
    kept = {
        name: {member: v for member, v in line.items() if member not in _COMPARED}
        for name, line in lines.items()
    }
    twice = {
        name
        for name, line in lines.items()
        if any(d["kind"] == "double_payment" for d in line.get("differences") or ())
    }
    findings = {name: value for name, value in case.findings.items() if name != "lines"}
    left = {name: line for name, line in kept.items() if line}
    return replace(
        case,
        findings=findings | ({"lines": left} if left else {}),
        invoices=tuple(name for name in case.invoices if name not in twice),
    )
