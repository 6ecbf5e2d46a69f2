"""``fairexit policy``: what a pack may hold, what it holds, what is wrong with it."""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrastructure.cli.decision_table import decision_table
from infrastructure.cli.documents import report
from infrastructure.cli.holiday_calendar import calendar_text
from infrastructure.cli.lint import findings
from infrastructure.cli.quote_command import DIALECT
from shared.adapters.policy_files import load_policy, pack_files
from shared.domain.clauses import Clause
from shared.domain.periods import instant_text
from shared.domain.policy import Policy
from shared.domain.policy_form import PACK
from shared.domain.shapes import FaultsError


def add_to(commands: Any) -> None:
    """Adds the command and its parts to the command line."""
    parser = commands.add_parser("policy", help="work on policy packs")
    parts = parser.add_subparsers(required=True, metavar="PART")
    part = parts.add_parser("schema", help="print the JSON Schema of a pack")
    part.set_defaults(run=_schema)
    part = parts.add_parser("show", help="print a pack clause by clause")
    part.add_argument("policy", help="an id, id@version, or a TOML file")
    part.set_defaults(run=_show)
    part = parts.add_parser("table", help="print what a pack makes of everyday situations")
    part.add_argument("policy", help="an id, id@version, or a TOML file")
    part.set_defaults(run=_table)
    part = parts.add_parser("lint", help="find what is wrong with packs")
    part.add_argument("policy", nargs="*", help="ids or TOML files; default: all that ship")
    part.add_argument("--tests", default="tests", help="where clauses have their proofs")
    part.set_defaults(run=_lint)
    part = parts.add_parser("calendar", help="print a country's holidays as a calendar")
    part.add_argument("country", help="an ISO 3166 code, such as IN")
    part.add_argument("--first", type=int, required=True, help="the first year")
    part.add_argument("--last", type=int, required=True, help="the last year")
    part.set_defaults(run=_calendar)


def _schema(_options: argparse.Namespace) -> int:
    print(json.dumps({"$schema": DIALECT} | PACK.schema(), indent=2))
    return 0


def _calendar(options: argparse.Namespace) -> int:
    print(calendar_text(options.country, options.first, options.last), end="")
    return 0


def _show(options: argparse.Namespace) -> int:
    return _print(options.policy, shown)


def _table(options: argparse.Namespace) -> int:
    return _print(options.policy, decision_table)


def _print(reference: str, view: Callable[[Policy], str]) -> int:
    """Prints a view of a pack, or its faults."""
    try:
        policy = load_policy(reference, datetime.now(UTC))
    except FaultsError as error:
        return report(error.faults)
    print(view(policy), end="")
    return 0


def shown(policy: Policy) -> str:
    """A pack as a person reads it, in the order in which a decision looks at its clauses."""
    settings = policy.settings
    head = [
        f"{policy.id} {policy.version}: {policy.title}",
        f"in force from {instant_text(policy.effective_at)}, picked {policy.applies}",
        f"zone {policy.time_zone}, calendar {policy.calendar.id}, rounding {settings.rounding}",
        f"proration by {settings.proration.basis}, gateway fees kept: {settings.gateway_fees}",
        policy.digest,
    ]
    for clause in policy.clauses:
        grounds = ", ".join(sorted(clause.grounds)) or "no request"
        parameters = "; ".join(_parameters(clause))
        head += ["", f"{clause.id} ({clause.kind}) on {grounds}", f"  {clause.text}"]
        head += [f"  {parameters}"] if parameters else []
    return "\n".join([*head, ""])


def _parameters(clause: Clause) -> Iterator[str]:
    """What the clause says in figures and choices."""
    for member in fields(clause):
        value = getattr(clause, member.name)
        if member.name not in ("id", "kind", "grounds", "text") and value is not None:
            yield f"{member.name} {_in_short(value)}"


def _in_short(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case frozenset():
            return ", ".join(sorted(value)) or "none"
        case tuple():
            return " to ".join(map(str, value))
        case dict():
            return ", ".join(f"{key} {each}" for key, each in value.items()) or "none"
        case _:
            return str(value)


def _lint(options: argparse.Namespace) -> int:
    tests = Path(options.tests)
    found = [
        line
        for reference in options.policy or list(pack_files())
        for line in findings(reference, tests if tests.is_dir() else None)
    ]
    print("\n".join(found) or "nothing found")
    return 1 if found else 0
