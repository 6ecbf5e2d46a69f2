"""The policy: a pack's settings and clauses, as its TOML text declares them.

A pack is data. Nothing here or in the rules knows any pack by name.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from shared.domain.calendars import BusinessTime, Calendar
from shared.domain.clauses import ChargebackRule, Clause, Consequence, Duty, Event
from shared.domain.decision import PolicyVersion, Ruled, Ruling, ruling
from shared.domain.facts import Ground
from shared.domain.policy_form import PACK, Applies, Pack
from shared.domain.settings import Proration, Settings
from shared.domain.shapes import Fault, FaultsError, read_document
from shared.domain.statutes import NO_LIBRARY, Library, Statute


class PolicyFaultsError(FaultsError):
    """A pack that cannot be used; ``faults`` names every fault with its TOML path."""


R = TypeVar("R", bound=Clause)


@dataclass(frozen=True, slots=True)
class DisputeConsequences:
    """What a chargeback leads to, and the id of the clause that says so."""

    clause: str
    suspend: bool
    block_refunds: bool
    stop_collection: bool
    amount_becomes_owed_when_lost: bool
    fees_become_owed_when_lost: bool
    reinstate_when_paid: bool


NO_CONSEQUENCES = DisputeConsequences(
    "",
    suspend=False,
    block_refunds=False,
    stop_collection=False,
    amount_becomes_owed_when_lost=False,
    fees_become_owed_when_lost=False,
    reinstate_when_paid=False,
)


# In which order a decision looks at clauses; within a stage the pack's own order holds.
STAGES = (
    "exclusion",
    "standing",
    "ground",
    "window",
    "evidence",
    "line_filter",
    "formula",
    "deduction",
    "cap",
    "approval",
    "deadline",
    "consequence",
)


@dataclass(frozen=True, slots=True)
class OnGround:
    """The clauses that speak about a ground, and what the trace says of those that do not.

    The latter is the same in every decision, so that it is made once.
    """

    speaking: tuple[Clause, ...]
    silent: tuple[Ruling, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of a policy; ``digest`` is the SHA-256 of its text, ``statutes`` stand over it.

    ``clauses`` stand in the order in which a decision looks at them.
    """

    id: str
    version: str
    digest: str
    title: str
    effective_at: datetime
    applies: Applies
    time_zone: ZoneInfo
    calendar: Calendar
    business_time: BusinessTime | None
    settings: Settings
    clauses: tuple[Clause, ...]
    statutes: tuple[Statute, ...]
    on: Mapping[Ground, OnGround] = field(init=False, repr=False, compare=False)
    cited: PolicyVersion = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        on = {ground: _on_ground(self.clauses, ground) for ground in Ground}
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "cited", PolicyVersion(self.id, self.version, self.digest))

    def rule(self, kind: type[R]) -> R | None:
        """The clause of that kind, where there is one: of consequences a pack has one each."""
        return next((clause for clause in self.clauses if isinstance(clause, kind)), None)

    def duty(self, on: Event) -> Duty | None:
        """What the house has to do on an event, where a clause says so."""
        duties = (clause for clause in self.clauses if isinstance(clause, Duty))
        return next((duty for duty in duties if duty.on is on), None)

    @property
    def dispute_consequences(self) -> DisputeConsequences:
        """What a chargeback leads to; nothing where no clause says so."""
        clause = self.rule(ChargebackRule)
        if clause is None:
            return NO_CONSEQUENCES
        return DisputeConsequences(
            clause.id,
            suspend=clause.suspend,
            block_refunds=clause.block_refunds,
            stop_collection=clause.stop_collection,
            amount_becomes_owed_when_lost=clause.amount_becomes_owed_when_lost,
            fees_become_owed_when_lost=clause.fees_become_owed_when_lost,
            reinstate_when_paid=clause.reinstate_when_paid,
        )


def _on_ground(clauses: tuple[Clause, ...], ground: Ground) -> OnGround:
    return OnGround(
        tuple(clause for clause in clauses if ground in clause.grounds),
        tuple(_silent(clause) for clause in clauses if ground not in clause.grounds),
    )


def _silent(clause: Clause) -> Ruling:
    says = "other_event" if isinstance(clause, Consequence) else "other_ground"
    return ruling(clause, Ruled.NOT_APPLICABLE, says)


def parse_policy(text: str, *, name: str, library: Library = NO_LIBRARY) -> Policy:
    """The policy that a pack's TOML text declares.

    Args:
        text: the pack.
        name: what to call it in the message when it is not even TOML.
        library: the calendars that packs may name, and the statutes that stand over them.

    Raises:
        PolicyFaultsError: with every fault of the pack.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyFaultsError((Fault(name, str(error), "TOML"),)) from None
    try:
        pack: Pack = read_document(PACK, document)
    except FaultsError as error:
        raise PolicyFaultsError(error.faults) from None
    calendar = library.calendars.get(pack.calendar)
    if calendar is None:
        known = ", ".join(sorted(library.calendars))
        raise PolicyFaultsError((Fault("$.calendar", pack.calendar, f"one of {known}"),))
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return _policy(pack, digest, calendar, library)


def _policy(pack: Pack, digest: str, calendar: Calendar, library: Library) -> Policy:
    zone = pack.proration["time_zone"] or pack.time_zone
    hours = pack.hours
    proration = Proration(pack.proration["basis"], zone)
    return Policy(
        id=pack.id,
        version=pack.version,
        digest=digest,
        title=pack.title,
        effective_at=pack.effective_at,
        applies=pack.applies,
        time_zone=pack.time_zone,
        calendar=calendar,
        business_time=None if hours is None else BusinessTime(calendar, pack.time_zone, hours),
        settings=Settings(proration, pack.rounding, pack.gateway_fees),
        clauses=tuple(sorted(pack.clauses, key=lambda clause: STAGES.index(clause.kind))),
        statutes=library.statutes,
    )
