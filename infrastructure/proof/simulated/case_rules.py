"""What must hold for refund cases: stated a second time, and apart from the product's own rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from infrastructure.proof.simulated.functions import ISSUER
from shared.domain.cancellation import Cancellation
from shared.domain.effects import Effect, EffectKind
from shared.domain.records import AuditEntry
from shared.domain.refund_case import RefundCase
from shared.domain.refund_operation import RefundOperation

if TYPE_CHECKING:
    from infrastructure.proof.simulated.lifetime import Lifetime
    from infrastructure.proof.simulated.world import World

Found = Iterator[tuple[str, str]]

_ANSWERED = {"approved", "denied", "referred", "withdrawn"}
CASE_STEPS: Mapping[str, set[str]] = {
    "received": {"needs_evidence", "under_review", *_ANSWERED},
    "needs_evidence": {"under_review", *_ANSWERED},
    "under_review": {"needs_evidence", *_ANSWERED},
    "approved": {"paying", "paid", "needs_person"},
    "paying": {"paid", "needs_person"},
    "paid": {"needs_person"},
    "needs_person": {"paying", "paid"},
    "denied": {"under_review"},
    "referred": {"under_review", "denied"},
}
CLOCKS = ("review", "payout", "evidence", "callback")
UNDECIDED = ("received", "needs_evidence", "under_review")
GRANTED = ("approved", "paying", "paid", "needs_person")
# What a policy gives without anybody's consent; all else takes people.
BY_POLICY_ALONE = {("voip", "unused_period")}
# Up to here one person is enough, over all that a customer was given lately: for an exception by
# every policy, otherwise by the limits; above the last one of the two is an admin.
ONE_FOR_EXCEPTION, ONE, TWO = 5_000, 20_000, 200_000
SECOND_ROLES = ("approver", "admin")
# Ten business days and three weeks of them are at most so long, holidays and all.
LONGEST_REVIEW, LONGEST_WAIT = timedelta(days=18), timedelta(days=26)


class CaseRules:
    """Sees each step of each case."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Who has agreed to what, by what went out and not by what was stored.
        self.consents: set[tuple[str, str, str, int]] = set()
        self.steps: Counter[tuple[str, str]] = Counter()

    def written(self, old: RefundCase | None, new: RefundCase) -> Iterator[str]:
        """What a write breaks."""
        before = old.state.value if old else "received"
        if new.state != before and new.state not in CASE_STEPS.get(before, ()):
            yield f"{before} then {new.state}"
        if old is not None and before in GRANTED and _decision(old) != _decision(new):
            yield "its decision has changed"
        if new.state.value != before or old is None:
            self.steps[new.id, new.state.value] += 1
            if before in UNDECIDED and new.state in GRANTED:
                yield from self._granted(new)

    def paid_out(self, operation: RefundOperation) -> Iterator[str]:
        """Why no request to move this money may go out."""
        table, customer = self._world.table, operation.customer
        name = operation.refund_case
        if name is None and operation.cancellation:
            stored = table.get(Cancellation, customer, operation.cancellation)
            name = stored.record.refund_case if stored else None
        if name is None:
            return
        case = table.get(RefundCase, customer, name)
        if case is None or case.record.state not in GRANTED or case.record.decided_by is None:
            yield f"for case {name}, which is {case and case.record.state}"

    def _granted(self, case: RefundCase) -> Iterator[str]:
        if case.decided_by == "policy":
            if (self._world.policy, case.ground.value) not in BY_POLICY_ALONE or case.goodwill:
                yield f"granted for {case.ground} by nobody"
            return
        people = set()
        for consent in case.approvals:
            person = consent.by.removeprefix(f"staff:{ISSUER}#")
            people.add(person)
            if (case.id, person, consent.digest, consent.amount) not in self.consents:
                yield f"{person} never agreed to {consent.amount} of it"
        if len({consent.digest for consent in case.approvals}) != 1:
            yield "granted by consents to different requests"
        elif (case.amount or 0) > min(consent.amount for consent in case.approvals):
            yield f"{case.amount} granted, more than somebody has agreed to"
        yield from self._enough(case, people)

    def _enough(self, case: RefundCase, people: set[str]) -> Iterator[str]:
        """Four eyes, over what else this customer was given by people."""
        others = [
            one
            for one in self._world.table.every(RefundCase)
            if one.id != case.id and one.customer == case.customer and one.state in GRANTED
            if str(one.decided_by).startswith("staff:")
        ]
        total = sum(one.amount or 0 for one in (*others, case))
        exceptions = sum(one.amount or 0 for one in (*others, case) if one.goodwill)
        roles = {person.partition("-")[0] for person in people}
        alone = len(people) < 2 or roles.isdisjoint(SECOND_ROLES)  # noqa: PLR2004 - four eyes
        if alone and (total > ONE or (case.goodwill and exceptions > ONE_FOR_EXCEPTION)):
            yield f"{case.amount}, and {total} in all, granted by {sorted(people)}"
        if total > TWO and "admin" not in roles:
            yield f"{total} granted without an admin"


def _decision(case: RefundCase) -> tuple[object, ...]:
    return case.amount, case.decided_by, case.approvals


def judge_cases(life: Lifetime) -> Found:
    """I21: what was granted is paid, or in front of a person; nothing else is paid."""
    table, stripe = life.world.table, life.world.stripe
    operations = table.every(RefundOperation)
    cancellations = {one.id: one for one in table.every(Cancellation)}
    gone = {
        one.operation: one.amount for one in stripe.refunds.values() if one.status == "succeeded"
    }
    for case in table.every(RefundCase):
        ending = cancellations.get(case.cancellation or "")
        mine = [
            one
            for one in operations
            if one.refund_case == case.id or (ending and one.cancellation == ending.id)
        ]
        promised = sum(one.amount for one in mine if not one.replaced_by)
        credits_ = ending.credits if ending else case.credits
        promised += sum(credit.amount for credit in credits_)
        if case.state not in GRANTED:
            if mine or credits_:
                yield "I21", f"case {case.id} is {case.state}, and gives {promised}"
            continue
        if promised != case.amount:
            yield "I21", f"case {case.id} grants {case.amount}, {promised} are promised"
        if case.state in ("approved", "paying"):
            yield "I3", f"case {case.id} is still {case.state}"
        if case.state == "paid":
            out = sum(gone.get(one.id, 0) for one in mine)
            out += sum(one.amount for one in credits_ if one.credit_note in stripe.notes)
            if out != case.amount:
                yield "lost", f"case {case.id} is paid: {out} of {case.amount}"
        elif not _in_front_of_a_person(life, case, mine):
            yield "lost", f"case {case.id} waits for a person, and nothing says why"


def _in_front_of_a_person(life: Lifetime, case: RefundCase, mine: list[RefundOperation]) -> bool:
    if any(one.status != "succeeded" for one in mine):
        return True
    about = {case.id, case.cancellation}
    return any(
        effect.status in ("needs_person", "rejected")
        and not about.isdisjoint(
            {effect.params.get("refund_case"), effect.params.get("cancellation")}
        )
        for effect in life.world.table.every(Effect)
    )


# What is told of each step, by the beginning of the mail's name.
TOLD = {
    "approved": ("case_approved",),
    "denied": ("case_denied", "case_denied_by_staff"),
    "referred": ("case_referred", "case_referred_by_staff"),
}


def judge_case_messages(life: Lifetime) -> Found:
    """I20: whoever asked hears each answer once; a deadline that passes is told to the staff."""
    mails = _mails(life)
    for (case, state), times in life.world.watch.cases.steps.items():
        if state in TOLD:
            told = sum(len(mails[name, case, ""]) for name in TOLD[state])
            if told != times:
                yield "I20", f"{state} of case {case}: {times} times, told {told} times"
    struck = _struck(life)
    for (case, clock, strike), times in struck.items():
        name = (f"staff_case_{strike}", case, clock)
        if (clock, strike) == ("evidence", "warned"):
            name = ("case_evidence_reminder", case, "")
        if len(mails[name]) != times:
            yield "I20", f"{clock} of case {case} is {strike}, told {len(mails[name])} times"
    for one in life.world.table.every(RefundCase):
        if len(mails["case_received", one.id, ""]) != 1:
            yield "I20", f"the receipt of case {one.id} was not told once"
        clock, overdue = _overdue(life, one)
        if overdue and not struck[one.id, clock, "late"]:
            yield "I21", f"case {one.id} is {one.state}, and its {clock} is late in silence"


def _struck(life: Lifetime) -> Counter[tuple[str, str, str]]:
    """What the clocks of cases have said, by the audit trail: the case, the clock and what."""
    struck: Counter[tuple[str, str, str]] = Counter()
    for entry in life.world.table.every(AuditEntry):
        clock, _, strike = entry.what.removeprefix("case_").rpartition("_")
        if clock in CLOCKS and strike in ("warned", "late"):
            struck[str(entry.details["case"]), clock, strike] += 1
    return struck


def _overdue(life: Lifetime, case: RefundCase) -> tuple[str, bool]:
    """Which clock of an open case runs, and whether it is past its end by any calendar."""
    now = life.world.hub.instant()
    if case.state == "needs_evidence":
        asked = max(clock.since for clock in case.clocks if clock.kind == "evidence")
        return "evidence", now - asked > LONGEST_WAIT
    stood_still = any(clock.pauses for clock in case.clocks)
    late = now - case.opened_at > LONGEST_REVIEW and not stood_still
    return "review", case.state in UNDECIDED and late


def _mails(life: Lifetime) -> Mapping[tuple[str, str, str], set[str]]:
    """The mails about a case: by template, case and the clock that it is about, if it is."""
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    sent = [
        (name, *told) for (how, name), told in life.world.watch.sent_out.items() if how == "send"
    ]
    # Given up after the whole ladder, in front of a person.
    sent += [
        (effect.id, effect.params["template"], effect.params["values"])
        for effect in life.world.table.every(Effect)
        if effect.kind is EffectKind.SEND_MAIL and effect.status == "needs_person"
    ]
    for name, template, values in sent:
        if "case" in values:
            found[template, values["case"], values.get("clock", "")].add(name)
    return found
