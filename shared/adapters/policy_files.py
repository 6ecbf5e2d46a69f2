"""Policy files: packs, calendars and statutes as they lie in ``shared/policies``."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from shared.domain.calendars import WEEKENDS
from shared.domain.facts import Case
from shared.domain.library_form import read_calendar, read_statute
from shared.domain.policy import Policy, PolicyFaultsError, parse_policy
from shared.domain.shapes import Fault
from shared.domain.statutes import Library
from shared.domain.versions import applicable, in_force, told_of

FOLDER = Path(__file__).parent.parent / "policies"


def load_policy(
    reference: str, now: datetime, told: Mapping[str, datetime] | None = None
) -> Policy:
    """The policy that a reference names.

    Args:
        reference: ``id`` (the version in force at ``now``), ``id@version``, or the path of a file.
        now: the instant whose version is wanted.
        told: see `Policies.load_policy`.

    Raises:
        PolicyFaultsError: no such policy, or a text with faults.
    """
    return in_force(told_of(_versions(reference), told), now)


def load_policy_for(case: Case, told: Mapping[str, datetime] | None = None) -> Policy:
    """The policy that a case names; by its id alone, the version that the pack's own rule picks."""
    return applicable(told_of(_versions(case.policy), told), case)


def _versions(reference: str) -> list[Policy]:
    """The version that is named, or all of an id."""
    packs = pack_files()
    if reference in packs:
        return [read_pack(packs[reference])]
    versions = [path for name, path in packs.items() if name.partition("@")[0] == reference]
    if versions:
        return [read_pack(path) for path in versions]
    path = Path(reference)
    if path.suffix == ".toml" and path.is_file():
        return [read_pack(path)]
    known = ", ".join(sorted({name.partition("@")[0] for name in packs} | packs.keys()))
    raise PolicyFaultsError((Fault("$.policy", f'"{reference}"', f"{known}, or a TOML file"),))


@cache
def pack_files() -> dict[str, Path]:
    """The packs that ship, by ``id@version``."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


@cache
def read_pack(path: Path) -> Policy:
    """A pack's file; ``PolicyFaultsError`` with every fault."""
    return parse_policy(path.read_text(encoding="utf-8"), name=str(path), library=library())


@cache
def library() -> Library:
    """The calendars and statutes that ship."""
    found = (read_calendar(document) for document in _documents("calendars"))
    calendars = {WEEKENDS.id: WEEKENDS} | {calendar.id: calendar for calendar in found}
    statutes = (read_statute(document, calendars) for document in _documents("statutes"))
    return Library(calendars, tuple(statutes))


def _documents(folder: str) -> Iterator[dict[str, object]]:
    for path in sorted((FOLDER / folder).glob("*.toml")):
        yield tomllib.loads(path.read_text(encoding="utf-8"))
