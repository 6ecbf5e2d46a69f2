"""The form of a policy pack: its settings, and the members of each kind of clause."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain import clauses as c
from shared.domain.calendars import Hours
from shared.domain.consequence_form import (
    CANCELLATION_RULES,
    CONSEQUENCE,
    LIMITS,
    ORDINARY,
    SetOf,
    clause_form,
)
from shared.domain.facts import Attribution, Finding, Ground, LineKind, SettleAs
from shared.domain.money import Rounding
from shared.domain.proration import Basis
from shared.domain.scalars import (
    COUNT,
    FLAG,
    MOMENT,
    POSITIVE,
    TEXT,
    ZONE,
    choice,
    constant,
    one_of,
)
from shared.domain.settings import BASIS, GATEWAY_FEES, ROUNDING, GatewayFees
from shared.domain.shapes import (
    FAULTY,
    Check,
    Fault,
    ListOf,
    Member,
    Nullable,
    OneOf,
    Record,
    Scalar,
    Table,
    no_check,
)


class Applies(StrEnum):
    """Which instant of a case picks the version of a pack."""

    AT_PURCHASE = "at_purchase"
    AT_RENEWAL = "at_renewal"
    AT_SERVICE_DATE = "at_service_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack as its text declares it; ``shared.domain.policy`` makes a policy of it."""

    id: str
    version: str
    title: str
    effective_at: datetime
    applies: Applies
    time_zone: ZoneInfo
    calendar: str
    hours: Hours | None
    proration: Mapping[str, Any]
    rounding: Rounding
    gateway_fees: GatewayFees
    clauses: tuple[c.Clause, ...]


CLOCK = Scalar(
    lambda value: value if isinstance(value, time) and value.tzinfo is None else FAULTY,
    "a local time such as 08:00:00",
    {"type": "string", "format": "time"},
)


def _ruling(kind: str, build: Any, members: dict[str, Member], check: Check = no_check) -> Record:
    """A clause that rules on requests."""
    grounds = Member(SetOf(choice(Ground)), ORDINARY, "On which it is looked at.")
    return clause_form(kind, build, {"grounds": grounds} | members, check)


def _formula(share: c.Share, build: Any, members: dict[str, Member]) -> Record:
    common = {
        "share": Member(constant(share)),
        "outcome": Member(one_of(PAYING), c.Outcome.GRANTED),
        "code": Member(TEXT),
        "settle_as": Member(SetOf(choice(SettleAs)), frozenset({SettleAs.REFUND})),
        "ends_service": Member(FLAG, default=False),
    }
    return _ruling("formula", build, common | members, _check_formula)


def _check_formula(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    if values["settle_as"] == frozenset():
        faults.append(Fault(f"{path}.settle_as", "[]", "at least one of refund, credit"))


GROUND_OUTCOMES = (c.Outcome.DENIED, c.Outcome.REFERRED, c.Outcome.NEEDS_VERIFICATION)
PAYING = (c.Outcome.GRANTED, c.Outcome.NEEDS_APPROVAL)


def _check_deadline(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    hours = values["business_hours"]
    if (values["business_days"] is None) == (hours is None):
        faults.append(Fault(path, "both or none of two", "business_days or business_hours"))
    if isinstance(hours, tuple) and (len(hours) != len(("from", "to")) or hours[0] > hours[1]):
        found = str(list(hours))
        faults.append(Fault(f"{path}.business_hours", found, "a lower and an upper bound"))


FORMULA = OneOf(
    "share",
    {
        c.Share.UNUSED_TIME: _formula(c.Share.UNUSED_TIME, c.Formula, {}),
        c.Share.OVERCHARGE: _formula(c.Share.OVERCHARGE, c.Formula, {}),
        c.Share.FULL_AMOUNT: _formula(c.Share.FULL_AMOUNT, c.Formula, {}),
        c.Share.DISRUPTION: _formula(
            c.Share.DISRUPTION,
            c.Disruption,
            {
                "attributions": Member(SetOf(choice(Attribution))),
                "at_least_minutes": Member(COUNT, 0),
                "reported_within_hours": Member(Nullable(COUNT), None),
                "sla_entitles": Member(FLAG, default=False),
                "unrecorded": Member(
                    one_of((c.Outcome.DENIED, c.Outcome.NEEDS_VERIFICATION)), c.Outcome.DENIED
                ),
            },
        ),
    },
)
DEDUCTION = OneOf(
    "what",
    {
        "per_issue": _ruling(
            "deduction",
            c.IssueCharge,
            {
                "what": Member(constant("per_issue")),
                "charges": Member(LIMITS),
                "days": Member(COUNT),
            },
        ),
        "named": _ruling("deduction", c.NamedDeductions, {"what": Member(constant("named"))}),
    },
)
CLAUSE = OneOf(
    "kind",
    {
        "window": _ruling(
            "window",
            c.Window,
            {"days": Member(COUNT), "since": Member(choice(c.Since)), "code": Member(TEXT)},
        ),
        "ground": _ruling(
            "ground",
            c.GroundRule,
            {"outcome": Member(one_of(GROUND_OUTCOMES)), "code": Member(TEXT)},
        ),
        "exclusion": _ruling(
            "exclusion",
            c.Exclusion,
            {
                "findings": Member(SetOf(choice(Finding))),
                "attributions": Member(Table(choice(Attribution), choice(Finding)), {}),
            },
        ),
        "standing": _ruling(
            "standing", c.StandingRule, {"invoices_paid": Member(FLAG, default=False)}
        ),
        "evidence": _ruling(
            "evidence", c.EvidenceRule, {"at_least": Member(POSITIVE, 1), "code": Member(TEXT)}
        ),
        "line_filter": _ruling(
            "line_filter",
            c.LineFilter,
            {
                "kinds": Member(SetOf(choice(LineKind)), frozenset(LineKind)),
                "when": Member(choice(c.When), c.When.ALWAYS),
                "code": Member(TEXT),
            },
        ),
        "formula": FORMULA,
        "cap": _ruling(
            "cap", c.Cap, {"name": Member(TEXT), "limits": Member(Nullable(LIMITS), None)}
        ),
        "deduction": DEDUCTION,
        "deadline": _ruling(
            "deadline",
            c.Deadline,
            {
                "promise": Member(choice(c.Promise)),
                "business_days": Member(Nullable(POSITIVE), None),
                "business_hours": Member(Nullable(ListOf(POSITIVE)), None),
            },
            _check_deadline,
        ),
        "approval": _ruling(
            "approval",
            c.ApprovalRule,
            {"agent_limits": Member(LIMITS), "review_evidence": Member(FLAG, default=False)},
        ),
        "consequence": CONSEQUENCE,
    },
)


def _check_pack(values: Mapping[str, Any], path: str, faults: list[Fault]) -> None:
    """Clauses that contradict each other, and deadlines without business hours."""
    clauses = values["clauses"] if isinstance(values["clauses"], tuple) else ()
    decisive: dict[tuple[str, Ground], int] = {}
    for index, clause in enumerate(clauses):
        where = f"{path}.clause[{index}]"
        for role in _decisive_roles(clause):
            # A consequence follows on its event, whatever a request is about.
            for ground in sorted(clause.grounds) or ["any ground"]:
                first = decisive.setdefault((role, ground), index)
                if first != index:
                    found = f"a second {role} for {ground} beside clause[{first}]"
                    faults.append(Fault(where, found, f"one {role} for each ground"))
        if isinstance(clause, c.Deadline) and clause.business_hours and values["hours"] is None:
            faults.append(Fault(where, "business_hours", "a pack with [hours]"))


def _decisive_roles(clause: Any) -> tuple[str, ...]:  # noqa: C901 - an arm a kind
    """What only one clause of a pack may be for a ground."""
    match clause:
        case c.Formula():
            return ("formula",)
        case c.GroundRule(outcome=c.Outcome.NEEDS_VERIFICATION):
            return ("ground rule",)
        case c.GroundRule():
            return ("ground rule", "formula")
        case c.Window():
            return (f"window since {clause.since}",)
        case c.ApprovalRule():
            return ("approval rule",)
        case c.IssueCharge():
            return ("charge per issue",)
        case c.Cap():
            return (f"cap {clause.name}",)
        case c.Deadline():
            return (f"{clause.promise} deadline",)
        case c.CancellationRule():
            return tuple(
                f"{name} rule" for name in CANCELLATION_RULES if getattr(clause, name) is not None
            )
        case c.Consequence() if not isinstance(clause, c.Duty):
            return (f"{clause.on} rule",)
        case _:
            return ()


HOURS = Record(Hours, {"opens": Member(CLOCK), "closes": Member(CLOCK)})
PACK = Record(
    Pack,
    {
        "id": Member(TEXT),
        "version": Member(TEXT),
        "title": Member(TEXT),
        "effective_at": Member(MOMENT),
        "applies": Member(choice(Applies), Applies.AT_PURCHASE),
        "time_zone": Member(ZONE),
        "calendar": Member(TEXT, "weekends", "The id of a calendar."),
        "hours": Member(Nullable(HOURS), None, "Local business hours."),
        "proration": Member(
            Record(
                dict,
                {"basis": Member(BASIS, Basis.SECOND), "time_zone": Member(Nullable(ZONE), None)},
            ),
            {"basis": Basis.SECOND, "time_zone": None},
        ),
        "rounding": Member(ROUNDING, Rounding.HALF_UP),
        "gateway_fees": Member(GATEWAY_FEES, GatewayFees.NONE),
        "clause": Member(ListOf(CLAUSE), attribute="clauses"),
    },
    _check_pack,
    "A policy pack: data that a billing owner can read and change.",
)
