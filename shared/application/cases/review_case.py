"""What staff do with a case before they decide: findings, questions, the call back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.application.cases.assess import Assessed, assess, keep
from shared.application.cases.conclude import ask, review
from shared.application.cases.notes import write_note
from shared.application.cases.state_ground import state_ground
from shared.application.cases.tell import tell_customer
from shared.application.change import Change, transact
from shared.application.step_case import put_case, step_case
from shared.domain.case import CaseFaultsError
from shared.domain.case_clocks import ClockKind
from shared.domain.errors import ConflictError, InvalidRequestError, NotFoundError
from shared.domain.facts import Ground
from shared.domain.refund_case import CallbackState, CaseState, RefundCase
from shared.domain.staff import StaffMember
from shared.ports import Services


def record_findings(
    services: Services,
    *,
    by: StaffMember,
    customer: str,
    case: str,
    found: Mapping[str, Any],
    goodwill: bool | None,
    reason: str,
    ground: Ground | None = None,
) -> RefundCase:
    """The case with what was found out, assessed anew; earlier consents no longer fit it.

    Args:
        services: the ports.
        by: who found it out.
        customer: whose case it is.
        case: the case.
        found: members of the case document; one that is there already is replaced.
        goodwill: whether this is to be an exception; None leaves that as it is.
        reason: how it was found out; kept sealed.
        ground: what the request rests on; None leaves that as it is.

    Raises:
        NotFoundError: no such case.
        ConflictError: it is decided already, or another case asks for it on that ground.
        InvalidRequestError: the findings contradict the case, and where.
    """

    def decide(change: Change) -> RefundCase:
        known = load_open(change, case, reopen=goodwill is True)
        note = write_note(change, known, "findings", by.actor, reason)
        if ground is not None:
            known = state_ground(change, known, ground)
        known = replace(
            known,
            findings=dict(known.findings) | dict(found),
            goodwill=known.goodwill if goodwill is None else goodwill,
        )
        try:
            assessed = assess(change, known)
        except CaseFaultsError as error:
            faults = [{"path": f.path, "message": f"{f.found}: {f.allowed}"} for f in error.faults]
            raise InvalidRequestError(
                "invalid-request", "These findings do not fit the case.", {"errors": faults}
            ) from error
        _refuse_strange_lines(assessed, found)
        known = keep(change, known, assessed)
        known = review(change, known, assessed.facts.policy)
        change.audit(
            "case_findings",
            "recorded by staff",
            case=case,
            note=note,
            found=sorted(found),
            goodwill=known.goodwill,
            outcome=assessed.document["outcome"],
            facts=assessed.facts.digest,
        )
        return known

    return transact(services, customer, by.actor, decide)


def _refuse_strange_lines(assessed: Assessed, found: Mapping[str, Any]) -> None:
    own = {line.id for invoice in assessed.facts.invoices for line in invoice.lines}
    faults = [
        {"path": f"$.lines.{name}", "message": "no line of this case"}
        for name in found.get("lines", {})
        if name not in own
    ]
    if faults:
        raise InvalidRequestError(
            "invalid-request", "These findings do not fit the case.", {"errors": faults}
        )


def ask_customer(
    services: Services,
    *,
    by: StaffMember,
    customer: str,
    case: str,
    kinds: tuple[str, ...],
    message: str,
) -> RefundCase:
    """The case, waiting for what the customer is asked for.

    Raises:
        NotFoundError: no such case.
        ConflictError: it is decided already.
    """

    def decide(change: Change) -> RefundCase:
        known = load_open(change, case)
        assessed = assess(change, known)
        note = write_note(change, known, "question", by.actor, message)
        asked = ask(change, known, assessed.facts.policy, kinds)
        tell_customer(change, asked, "case_question", note=note)
        change.audit("case_question", "asked by staff", case=case, note=note, kinds=list(kinds))
        return asked

    return transact(services, customer, by.actor, decide)


def reply(services: Services, *, customer: str, case: str, message: str) -> RefundCase:
    """The customer's answer in words; the case goes back to the staff.

    Raises:
        NotFoundError: no such case of this customer.
        ConflictError: it is decided already.
    """
    actor = f"customer:{customer}"

    def decide(change: Change) -> RefundCase:
        known = load_open(change, case)
        note = write_note(change, known, "reply", actor, message)
        change.audit("case_reply", "the customer wrote", case=case, note=note)
        if known.state is not CaseState.NEEDS_EVIDENCE:
            return known
        assessed = assess(change, known)
        return review(change, keep(change, known, assessed), assessed.facts.policy)

    return transact(services, customer, actor, decide)


def book_callback(
    services: Services, *, customer: str, case: str, at: datetime, by: str
) -> RefundCase:
    """The case with an instant agreed on for the call back.

    Raises:
        NotFoundError: no such case, or no call back in it.
        ConflictError: outside of the slot, over, or in the past.
    """

    def decide(change: Change) -> RefundCase:
        known = _with_callback(change, case)
        slot = known.callback
        assert slot is not None, "a case without a slot was refused"
        if not max(slot.earliest, change.now) <= at < slot.latest:
            raise ConflictError("outside-slot", "The call back can be booked within its slot only.")
        booked = replace(known, callback=replace(slot, state=CallbackState.BOOKED, booked_at=at))
        change.audit("case_callback_booked", f"for {at.isoformat()}", case=case)
        return put_case(change, booked)

    return transact(services, customer, by, decide)


def note_callback(
    services: Services, *, by: StaffMember, customer: str, case: str, message: str
) -> RefundCase:
    """The case with its call back done; what was said is kept sealed.

    Raises:
        NotFoundError: no such case, or no call back in it.
        ConflictError: it is done already.
    """

    def decide(change: Change) -> RefundCase:
        known = _with_callback(change, case, missed=True)
        slot = known.callback
        assert slot is not None, "a case without a slot was refused"
        note = write_note(change, known, "callback", by.actor, message)
        done = replace(known, callback=replace(slot, state=CallbackState.DONE))
        change.audit("case_callback_done", f"was {slot.state.value}", case=case, note=note)
        return put_case(change, done.stopped(change.now, ClockKind.CALLBACK))

    return transact(services, customer, by.actor, decide)


def load_open(
    change: Change, case: str, *, reopen: bool = False, answer: bool = False
) -> RefundCase:
    """A case that nobody has decided on; with `answer` also one that support has to answer.

    Raises:
        NotFoundError: no such case.
        ConflictError: it is decided, and by whom.
    """
    known = change.load(RefundCase, case)
    if known is None:
        raise NotFoundError("refund request")
    if reopen and known.may_become(CaseState.UNDER_REVIEW) and not known.is_open:
        # The answer no longer stands: whoever asks sees a case that nobody has decided.
        undecided = replace(known, decided_at=None, decided_by=None)
        return step_case(change, undecided, CaseState.UNDER_REVIEW)
    if known.state is CaseState.REFERRED and answer:
        return known
    if not known.is_open:
        raise ConflictError(
            "already-decided",
            f"This case is {known.state.value} already.",
            {"state": known.state.value, "decided_by": known.decided_by},
        )
    return known


def _with_callback(change: Change, case: str, *, missed: bool = False) -> RefundCase:
    known = change.load(RefundCase, case)
    if known is None or known.callback is None:
        raise NotFoundError("call back")
    over = {CallbackState.DONE} if missed else {CallbackState.DONE, CallbackState.MISSED}
    if known.callback.state in over:
        state = known.callback.state.value
        raise ConflictError("callback-over", f"This call back is {state}.", {"state": state})
    return known
