"""Changes to policies that a test must notice: a clause removed, a parameter moved a little."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.calendars import WEEKENDS, BusinessTime
from shared.domain.clauses import Clause, Consequence, Event, Formula, Share
from shared.domain.policy import Policy
from shared.domain.statutes import Statute

# What a clause is, and its paraphrase, which decides nothing.
NO_PARAMETERS = {"id", "kind", "text", "share", "what", "promise", "on"}
NO_PARAMETERS_OF_A_CONSEQUENCE = NO_PARAMETERS | {"grounds"}
NO_STATUTE_PARAMETERS = {"id", "title", "text"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAR_ZONE = ZoneInfo("Pacific/Kiritimati")  # where it is tomorrow


@dataclass(frozen=True, slots=True)
class Change:
    """A change to a clause, which must be noticed by its own tests, or to a pack's settings."""

    target: str
    what: str
    apply: Callable[[Policy], Policy]


def changes_of(policy: Policy) -> Iterator[Change]:
    """Every change to a pack's clauses and settings; each leaves other packs as they are."""
    for index, clause in enumerate(policy.clauses):
        for what, changed in _changed_clauses(clause):
            clauses = (*policy.clauses[:index], *changed, *policy.clauses[index + 1 :])
            yield _in_pack(policy, clause.id, f"{clause.kind}: {what}", clauses=clauses)
    for what, applies in moved(policy.applies):
        yield _in_pack(policy, _on_versions(policy), f"applies {what}", applies=applies)
    for what, changed_settings in _changed_settings(policy):
        yield _in_pack(policy, f"{policy.id} settings", what, **changed_settings)


def statute_changes(policy: Policy) -> Iterator[Change]:
    """Every change to the statutes that stand over all packs."""
    for index, statute in enumerate(policy.statutes):
        rest = (policy.statutes[:index], policy.statutes[index + 1 :])
        for what, changed in _changed_statutes(statute):
            statutes = (*rest[0], *changed, *rest[1])
            yield Change(statute.id, f"statute: {what}", _always(statutes))


def _always(statutes: tuple[Statute, ...]) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, statutes=statutes)


def _on_versions(policy: Policy) -> str:
    """The clause that says which version of the pack rules, else the pack's settings."""
    said = (x.id for x in policy.clauses if getattr(x, "on", None) is Event.POLICY_CHANGE)
    return next(said, f"{policy.id} settings")


def _in_pack(policy: Policy, target: str, what: str, **members: Any) -> Change:
    changed = replace(policy, **members)
    return Change(target, what, lambda read: changed if read.digest == policy.digest else read)


def _changed_clauses(clause: Clause) -> Iterator[tuple[str, tuple[Clause, ...]]]:
    yield "removed", ()
    left_out = NO_PARAMETERS
    if isinstance(clause, Consequence):
        left_out = NO_PARAMETERS_OF_A_CONSEQUENCE
    for name, what, value in _moved_members(clause, left_out):
        yield what, (replace(clause, **{name: value}),)


def _changed_statutes(statute: Statute) -> Iterator[tuple[str, tuple[Statute, ...]]]:
    yield "removed", ()
    for name, what, value in _moved_members(statute, NO_STATUTE_PARAMETERS):
        yield what, (replace(statute, **{name: value}),)


def _moved_members(record: Any, left_out: set[str]) -> Iterator[tuple[str, str, Any]]:
    for field in fields(record):
        if field.name not in left_out:
            for what, value in moved(getattr(record, field.name)):
                yield field.name, f"{field.name} {what}", value


def moved(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: C901 - an arm a type
    """A parameter moved as little as can be: by a day, a cent, a value; nothing of None."""
    match value:
        case bool():
            yield f"{value} → {not value}", not value
        case int():
            yield from ((f"{value} → {n}", n) for n in (value - 1, value + 1) if n >= 0)
        case StrEnum():
            members = list(type(value))
            other = members[(members.index(value) + 1) % len(members)]
            yield f"{value} → {other}", other
        case str():
            yield f"{value} → {value}_x", f"{value}_x"
        case frozenset():
            yield from ((f"without {member}", value - {member}) for member in sorted(value))
        case tuple():
            for index, member in enumerate(value):
                for what, other in moved(member):
                    yield what, (*value[:index], other, *value[index + 1 :])
        case Mapping():
            for key, member in value.items():
                yield f"without {key}", {k: v for k, v in value.items() if k != key}
                if isinstance(member, int):
                    yield from ((f"{key} {what}", {**value, key: n}) for what, n in moved(member))
        case _:
            return


def _changed_settings(policy: Policy) -> Iterator[tuple[str, dict[str, Any]]]:
    """How the pack counts, moved, as far as a clause of it counts so."""
    settings, proration = policy.settings, policy.settings.proration
    yield f"time_zone {policy.time_zone} → {FAR_ZONE}", {"time_zone": FAR_ZONE}
    for what, rounding in moved(settings.rounding):
        yield f"rounding {what}", {"settings": replace(settings, rounding=rounding)}
    for what, fees in moved(settings.gateway_fees):
        yield f"gateway_fees {what}", {"settings": replace(settings, gateway_fees=fees)}
    if any(isinstance(x, Formula) and x.share is Share.UNUSED_TIME for x in policy.clauses):
        for what, basis in moved(proration.basis):
            by_days = replace(settings, proration=replace(proration, basis=basis))
            yield f"basis {what}", {"settings": by_days}
    if policy.business_time is not None:
        yield from _changed_hours(policy.business_time)
    elif policy.calendar.holidays:
        yield f"calendar {policy.calendar.id} → {WEEKENDS.id}", {"calendar": WEEKENDS}


def _changed_hours(time: BusinessTime) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("opens", "closes"):
        instant = getattr(time.hours, name)
        later = instant.replace(hour=instant.hour + 1)
        hours = replace(time.hours, **{name: later})
        yield f"{name} {instant} → {later}", {"business_time": replace(time, hours=hours)}
    if time.calendar.holidays:
        yield "hours on holidays", {"business_time": replace(time, calendar=WEEKENDS)}
